//! hadeploy brings bare Debian nodes, reached only by SSH, to the state an inventory and a playbook declare.

pub mod change;
pub mod command;
pub mod diagnostic;
pub mod event;
pub mod fact;
pub mod inventory;
pub mod name;
pub mod playbook;
pub mod resource;
pub mod settings;
pub mod source;
pub mod template;
pub mod value;
