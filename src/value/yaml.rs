//! YAML that people wrote, read into values with spans.
