//! What the tests share.

pub mod answers;
pub mod case;
pub mod compare;
pub mod controller;
pub mod executable;
