//! Captured output of real nodes.
