//! The hadeploy command.
fn main() {}
