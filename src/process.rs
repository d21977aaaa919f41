//! Programs on the controller: argument lists in, captured output or a clear error out.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::secret::PASSWORD_VARIABLE;

/// A program to run to its end: never through a shell, its output captured.
///
/// Standard input is empty unless given. The environment is the caller's, plus what was set.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    deadline: Option<Duration>,
}

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit status; 128 plus the signal's number when a signal ended it.
    pub status: i32,
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error.
    pub stderr: Vec<u8>,
}

/// Why a program gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program could not be started at all.
    #[error("`{program}` did not start: {source}")]
    Start {
        /// The program's name or path.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It ended with another status than zero.
    #[error("`{program}` ended with status {status}{}", tail(stderr))]
    Status {
        /// The program with its arguments.
        program: String,
        /// Its exit status, 128 plus the number for a signal.
        status: i32,
        /// Its last lines on standard error.
        stderr: String,
    },
    /// It ran past its deadline and was killed.
    #[error("`{program}` was still running after {seconds} s and was killed")]
    Deadline {
        /// The program with its arguments.
        program: String,
        /// The deadline that passed.
        seconds: u64,
    },
    /// Waiting for it failed.
    #[error("waiting for `{program}` failed: {source}")]
    Wait {
        /// The program with its arguments.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// How many of the last lines on standard error an error repeats.
const STDERR_LINES: usize = 5;
/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(3);

impl Program {
    /// Names a program, by path or to be found in PATH.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: Vec::new(),
            deadline: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Gives bytes for standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Kills the program when it runs longer than this.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Runs to the end; any exit status is an answer.
    ///
    /// # Errors
    /// It did not start, or passed its deadline.
    pub fn run(&self) -> Result<Ran, ProcessError> {
        let mut child = self
            .command()
            .stdin(if self.stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: self.name.clone(),
                source,
            })?;
        if let Some(mut pipe) = child.stdin.take() {
            let bytes = self.stdin.clone();
            // A program may end without reading its input: that is its own affair.
            thread::spawn(move || pipe.write_all(&bytes));
        }
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = self.wait(&mut child)?;
        Ok(Ran {
            status: code(status),
            stdout: stdout.join().unwrap_or_default(),
            stderr: stderr.join().unwrap_or_default(),
        })
    }

    /// Runs to the end with this process's own input, output and errors; gives its status. The deadline and the bytes
    /// for standard input do not count.
    ///
    /// # Errors
    /// It did not start.
    pub fn attached(&self) -> Result<i32, ProcessError> {
        let status = self.command().status();
        status.map(code).map_err(|source| ProcessError::Start {
            program: self.name.clone(),
            source,
        })
    }

    /// Runs to the end with this process's own input and errors, so that it can ask; its output is captured. The deadline and the
    /// bytes for standard input do not count.
    ///
    /// # Errors
    /// It did not start.
    pub fn asked(&self) -> Result<Ran, ProcessError> {
        let mut command = self.command();
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        let ran = command.output().map_err(|source| ProcessError::Start {
            program: self.name.clone(),
            source,
        })?;
        Ok(Ran {
            status: code(ran.status),
            stdout: ran.stdout,
            stderr: ran.stderr,
        })
    }

    /// Runs to the end and gives standard output; another status than zero is an error.
    ///
    /// # Errors
    /// It did not start, passed its deadline, or ended with another status than zero.
    pub fn check(&self) -> Result<String, ProcessError> {
        let ran = self.run()?;
        if ran.status != 0 {
            return Err(ProcessError::Status {
                program: self.shown(),
                status: ran.status,
                stderr: last_lines(&ran.stderr),
            });
        }
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command
            .args(&self.args)
            .env_remove(PASSWORD_VARIABLE)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, ProcessError> {
        let failed = |source| ProcessError::Wait {
            program: self.shown(),
            source,
        };
        let Some(deadline) = self.deadline else {
            return child.wait().map_err(failed);
        };
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            if start.elapsed() > deadline {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                return Err(ProcessError::Deadline {
                    program: self.shown(),
                    seconds: deadline.as_secs(),
                });
            }
            thread::sleep(POLL);
        }
    }

    fn shown(&self) -> String {
        let args = self.args.iter().map(|arg| arg.to_string_lossy());
        let words: Vec<_> = std::iter::once(self.name.as_str().into())
            .chain(args)
            .collect();
        words.join(" ")
    }
}

/// The status of an ended program as one number: 128 plus the signal's when one ended it.
pub fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before a read error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(STDERR_LINES)..].join("\n")
}

fn tail(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_output_and_status() {
        let ran = Program::new("sh")
            .args(["-c", "cat; echo no >&2; exit 7"])
            .stdin("yes")
            .run()
            .unwrap();
        assert_eq!(
            (ran.status, ran.stdout.as_slice(), ran.stderr.as_slice()),
            (7, &b"yes"[..], &b"no\n"[..])
        );
    }

    #[test]
    fn a_bad_status_names_the_program_and_its_last_lines() {
        let script = "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; kill -9 $$";
        let error = Program::new("sh")
            .args(["-c", script])
            .check()
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("`sh -c for"), "{error}");
        assert!(
            error.ends_with("status 137: line 3\nline 4\nline 5\nline 6\nline 7"),
            "{error}"
        );
    }

    #[test]
    fn attached_gives_the_status() {
        let script = Program::new("sh").args(["-c", "exit 9"]);
        assert_eq!(script.attached().unwrap(), 9);
        assert!(Program::new("no-such-program").attached().is_err());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Program::new("no-such-program")
            .run()
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("`no-such-program` did not start"),
            "{error}"
        );
    }

    #[test]
    fn a_deadline_ends_it() {
        let start = Instant::now();
        let error = Program::new("sleep")
            .arg("20")
            .deadline(Duration::from_millis(50))
            .run()
            .unwrap_err();
        assert!(matches!(error, ProcessError::Deadline { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
