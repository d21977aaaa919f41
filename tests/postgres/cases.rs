//! Named states and their acts.
