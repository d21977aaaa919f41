//! Why something failed.

/// Why something failed, for people: what, the command, the last lines it said, and what to do.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// One sentence.
    pub message: String,
    /// The command that failed, with secrets masked.
    pub command: Option<String>,
    /// Its exit status.
    pub rc: Option<i32>,
    /// The last lines of its output.
    pub output: Vec<String>,
    /// Probable cause and the next thing to do.
    pub help: Option<String>,
}

impl Failure {
    /// A failure that is one sentence.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            ..Failure::default()
        }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}
