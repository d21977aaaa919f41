//! Values that ansible-core 2.19 gave, kept as data.
