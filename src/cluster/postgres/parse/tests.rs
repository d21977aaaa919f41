//! Answers as nodes gave them.
