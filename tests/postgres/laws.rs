//! Arbitrary observations.
