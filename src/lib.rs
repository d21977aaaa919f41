//! hadeploy.

pub mod secret;
pub mod transport;
