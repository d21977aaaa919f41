//! What a change has to say to who watches the run, or wants to hear from them, before anything goes on.

use super::Change;

/// Words beside what is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// They are shown.
    Words(String),
    /// They are shown, and one line is waited for. The change has no steps.
    Question {
        /// What is asked.
        words: String,
        /// Whether what is typed is not shown, and secret.
        hidden: bool,
    },
}

impl Change {
    /// Says something, or asks, before anything goes on.
    pub fn aside(mut self, aside: Aside) -> Change {
        self.aside = Some(aside);
        self
    }
}
