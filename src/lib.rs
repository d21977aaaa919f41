//! hadeploy.
