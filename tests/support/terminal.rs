//! A command on a terminal of its own, which `script` makes.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A command that shows nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What was shown on the terminal, and the exit status.
pub struct Shown {
    /// The exit status.
    pub code: i32,
    /// All that was shown, without colours.
    pub text: String,
}

/// Runs a command, and types an answer when it has asked for it.
pub fn on_a_terminal(command: &Command, question: &str, answer: &str) -> Shown {
    let quoted = |word: &OsStr| {
        let word = word.to_str().unwrap();
        format!("'{}'", word.replace('\'', "'\\''"))
    };
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted)
        .collect();
    let mut script = Command::new("script");
    script
        .args(["-q", "-e", "-c", &words.join(" "), "/dev/null"])
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("TERM", "xterm-256color")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = script.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut bytes) {
            let _ = said.send(bytes[..length].to_vec());
        }
    });
    let mut bytes = Vec::new();
    let mut answered = false;
    loop {
        match heard.recv_timeout(PATIENCE) {
            Ok(more) => bytes.extend(more),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("it hangs\n{}", String::from_utf8_lossy(&bytes));
            }
        }
        if !answered && String::from_utf8_lossy(&bytes).contains(question) {
            answered = true;
            // A question for a password is shown before its answer is hidden.
            thread::sleep(Duration::from_millis(300));
            stdin.write_all(answer.as_bytes()).unwrap();
            stdin.flush().unwrap();
        }
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Shown {
        code,
        text: String::from_utf8_lossy(&bytes).replace('\r', ""),
    }
}

impl Shown {
    /// Each of these was shown.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.text.contains(word), "not shown: {word}\n{self}");
        }
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ended with {}\n{}", self.code, self.text)
    }
}
