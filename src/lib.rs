//! hadeploy brings bare Debian nodes, reached only by SSH, to the state an inventory and a playbook declare.

pub mod change;
pub mod cli;
pub mod command;
pub mod diagnostic;
pub mod engine;
pub mod event;
pub mod fact;
pub mod inventory;
pub mod lab;
pub mod name;
pub mod node;
pub mod playbook;
pub mod process;
pub mod report;
pub mod resource;
pub mod secret;
pub mod settings;
pub mod source;
pub mod template;
pub mod transport;
pub mod value;
