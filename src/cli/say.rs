//! Words on standard output and standard error that survive a reader who went away.

use std::io::{self, Write};

/// Writes lines to standard output.
pub fn out(text: &str) {
    write(io::stdout().lock(), text);
}

/// Writes lines to standard error.
pub fn err(text: &str) {
    write(io::stderr().lock(), text);
}

/// Writes a question to standard error, and leaves the line open for the answer.
pub fn ask(question: &str) {
    let mut stream = io::stderr().lock();
    let _ = stream.write_all(question.as_bytes());
    let _ = stream.flush();
}

/// Nobody is left to be told when writing fails, and the status still tells how the command ended.
fn write(mut stream: impl Write, text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = stream.write_all(format!("{text}{end}").as_bytes());
    let _ = stream.flush();
}
