//! Programs that tests write and start.

use std::path::Path;
use std::process::Command;

/// Makes a file a program, as a copy by another process: what this process has just written cannot be started while a program that another
/// test is about to start still holds it open ("text file busy").
#[track_caller]
pub fn make_executable(path: &Path) {
    let copy = "cp \"$1\" \"$1.copy\" && chmod 755 \"$1.copy\" && mv \"$1.copy\" \"$1\"";
    let done = Command::new("sh")
        .args(["-c", copy, "sh"])
        .arg(path)
        .status();
    assert!(done.expect("sh runs").success());
}
