//! A command of the operator's on a host: beside the shell, heard line by line while it runs, and ended with its connection.
//!
//! It runs in a session of its own. Beside it waits a watcher for the end of standard input: when the controller closes it, dies, or is cut off, the
//! whole session is told to end, and killed after [`GRACE`].

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::shell::{Privilege, nonce};
use super::{Node, NodeError};
use crate::command::quote;
use crate::transport::Process;

/// So long a command has to end once it is told to.
pub const GRACE: Duration = Duration::from_secs(5);
/// A host that does not begin with a command within this time is given up.
const BEGIN: Duration = Duration::from_secs(30);
/// A line longer than this is told in pieces.
const LONGEST: usize = 64 * 1024;

/// `$1` is the command. What the login says before it begins is not the command's.
const WRAPPER: &str = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH; cd 2>/dev/null; exec 3<&0 </dev/null; \
printf '\\n@%s begun\\n' MARK; printf '\\n@%s begun\\n' MARK >&2; \
setsid /bin/sh -c \"$1\" 3<&- & p=$!; \
setsid /bin/sh -c 'cat >/dev/null; kill -TERM \"-$1\" || kill -TERM \"$1\"; sleep GRACE; kill -KILL \"-$1\"' hadeploy \"$p\" <&3 >/dev/null 2>&1 & w=$!; \
exec 3<&-; wait \"$p\" 2>/dev/null; s=$?; kill -KILL \"-$w\" \"$w\" 2>/dev/null; \
printf '\\n@%s over %s\\n' MARK \"$s\" >&2; printf '\\n@%s over %s\\n' MARK \"$s\"; exit \"$s\"";

/// Which of its two outputs a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A command that was started.
pub struct Visit {
    process: Process,
    mark: String,
}

impl Node {
    /// Starts `command`, for `/bin/sh`, as whoever the shell runs as.
    ///
    /// # Errors
    /// The connection is gone, or the far side grants no more commands.
    pub async fn visit(&mut self, command: &str) -> Result<Visit, NodeError> {
        let mark = nonce();
        let wrapper = WRAPPER
            .replace("MARK", &mark)
            .replace("GRACE", &GRACE.as_secs().to_string());
        let shell = format!("/bin/sh -c {} hadeploy {}", quote(&wrapper), quote(command));
        let line = match &self.privilege {
            Privilege::Login => format!("exec {shell}"),
            Privilege::Sudo => format!("exec sudo -n {shell}"),
            Privilege::SudoPassword(_) => format!("exec sudo -S -k -p '' {shell}"),
        };
        let mut process = self.way().start(&line).await?;
        if let Privilege::SudoPassword(password) = &self.privilege {
            // It was proved before. Where sudo does not ask, the watcher swallows it.
            let mut line = zeroize::Zeroizing::new(password.reveal().to_owned());
            line.push('\n');
            process.stdin.write_all(line.as_bytes()).await?;
            process.stdin.flush().await?;
        }
        Ok(Visit { process, mark })
    }
}

impl Visit {
    /// Hears it to its end, and gives its status: 128 plus the number for a signal. Once `stop` is cancelled it is told to end.
    ///
    /// # Errors
    /// The connection was lost, which ends it too; it did not begin; it did not end when told to.
    pub async fn hear(
        self,
        mut hears: impl FnMut(Stream, String) + Send,
        stop: CancellationToken,
    ) -> Result<i32, NodeError> {
        let Process {
            stdin,
            stdout,
            stderr,
            exit,
        } = self.process;
        let mut stdin = Some(stdin);
        let mut out = Lines::new(stdout, &self.mark);
        let mut err = Lines::new(stderr, &self.mark);
        let begin = tokio::time::Instant::now() + BEGIN;
        let mut hopeless = None;
        while !(out.over && err.over) {
            let late = hopeless.unwrap_or(begin);
            let waits = hopeless.is_some() || !out.begun;
            tokio::select! {
                line = out.next(), if !out.over => match line? {
                    Some(line) => hears(Stream::Out, line),
                    None => out.over = true,
                },
                line = err.next(), if !err.over => match line? {
                    Some(line) => hears(Stream::Err, line),
                    None => err.over = true,
                },
                () = stop.cancelled(), if hopeless.is_none() => {
                    // The end of its input is the word.
                    if let Some(mut stdin) = stdin.take() {
                        let _ = stdin.shutdown().await;
                    }
                    hopeless = Some(tokio::time::Instant::now() + GRACE * 2);
                }
                () = tokio::time::sleep_until(late), if waits => {
                    let what = match hopeless {
                        Some(_) => "the end of the command",
                        None => "the command to begin",
                    };
                    return Err(NodeError::Timeout { what: what.to_owned(), after: BEGIN });
                }
            }
        }
        match out.status {
            Some(status) => Ok(status),
            None => {
                let said = err.said.join("; ");
                // Whoever closed it may have a word about that.
                let ended = timeout(Duration::from_secs(2), exit.wait()).await;
                Err(match ended {
                    Ok(Err(error)) => error.into(),
                    _ if said.is_empty() => NodeError::Lost("the connection was closed".to_owned()),
                    _ => NodeError::Lost(said),
                })
            }
        }
    }
}

/// The lines of one output between its marks.
struct Lines {
    stream: Box<dyn AsyncRead + Send + Unpin>,
    mark: Vec<u8>,
    buffer: Vec<u8>,
    begun: bool,
    over: bool,
    status: Option<i32>,
    /// What came before it began: the login's, or sudo's refusal.
    said: Vec<String>,
}

impl Lines {
    fn new(stream: Box<dyn AsyncRead + Send + Unpin>, mark: &str) -> Lines {
        Lines {
            stream,
            mark: format!("@{mark} ").into_bytes(),
            buffer: Vec::new(),
            begun: false,
            over: false,
            status: None,
            said: Vec::new(),
        }
    }

    /// The next line; none at the end. Nothing is lost when it is not waited for.
    async fn next(&mut self) -> Result<Option<String>, NodeError> {
        loop {
            while let Some(line) = self.take() {
                match line {
                    Taken::Line(line) if self.begun => return Ok(Some(line)),
                    Taken::Line(line) => {
                        if !line.trim().is_empty() && self.said.len() < 5 {
                            self.said.push(line);
                        }
                    }
                    Taken::Begun => self.begun = true,
                    Taken::Over(status) => {
                        self.status = status;
                        return Ok(None);
                    }
                }
            }
            self.buffer.reserve(16 * 1024);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                let rest = std::mem::take(&mut self.buffer);
                if self.begun {
                    return Ok(Some(String::from_utf8_lossy(&rest).trim_end().to_owned()));
                }
            }
        }
    }

    /// What the buffer begins with, as far as that is sure. Each mark has an empty line before it, which is its own.
    fn take(&mut self) -> Option<Taken> {
        let empty = self.buffer.first() == Some(&b'\n');
        let rest = &self.buffer[usize::from(empty)..];
        let length = rest.len().min(self.mark.len());
        if rest[..length] == self.mark[..length] {
            // It may become a mark.
            if length < self.mark.len() {
                return None;
            }
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let words = String::from_utf8_lossy(&rest[length..end]).into_owned();
            let used = usize::from(empty) + end + 1;
            self.buffer.drain(..used);
            return Some(match words.strip_prefix("over ") {
                Some(status) => Taken::Over(status.parse().ok()),
                None => Taken::Begun,
            });
        }
        let end = match self.buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => end,
            None if self.buffer.len() >= LONGEST => {
                let piece: Vec<u8> = self.buffer.drain(..).collect();
                return Some(Taken::Line(String::from_utf8_lossy(&piece).into_owned()));
            }
            None => return None,
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        Some(Taken::Line(String::from_utf8_lossy(line).into_owned()))
    }
}

/// One thing that an output said.
enum Taken {
    Line(String),
    Begun,
    Over(Option<i32>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of an output that comes in pieces, and its status.
    async fn heard(pieces: &[&str]) -> (Vec<String>, Option<i32>) {
        let (mut far, near) = tokio::io::duplex(64);
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        let sending = tokio::spawn(async move {
            for piece in pieces {
                far.write_all(piece.as_bytes()).await.expect("a reader");
                tokio::task::yield_now().await;
            }
        });
        let mut lines = Lines::new(Box::new(near), "M");
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.expect("a stream") {
            found.push(line);
        }
        sending.await.expect("no panic");
        (found, lines.status)
    }

    #[tokio::test]
    async fn lines_stand_between_the_marks_however_they_are_cut() {
        let text = "motd\n\n@M begun\na\n\nb\n@M\n\n@M over 3\n";
        let whole = (
            vec!["a".to_owned(), String::new(), "b".into(), "@M".into()],
            Some(3),
        );
        assert_eq!(heard(&[text]).await, whole);
        for cut in 1..text.len() {
            assert_eq!(heard(&[&text[..cut], &text[cut..]]).await, whole, "{cut}");
        }
        let partial = "\n@M begun\nno newline\n@M over 0\n";
        assert_eq!(
            heard(&[partial]).await,
            (vec!["no newline".to_owned()], Some(0))
        );
        assert_eq!(
            heard(&["\n@M begun\ncut of"]).await,
            (vec!["cut of".to_owned()], None)
        );
    }

    #[test]
    fn a_wrapped_command_says_how_it_ended() {
        let wrapper = WRAPPER.replace("MARK", "M").replace("GRACE", "1");
        let run = |command: &str, stays: bool| {
            let mut child = std::process::Command::new("/bin/sh")
                .args(["-c", &wrapper, "hadeploy", command])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("sh");
            let input = child.stdin.take().filter(|_| stays);
            let output = child.wait_with_output().expect("its end");
            drop(input);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(run("echo a; exit 3", true), "\n@M begun\na\n\n@M over 3\n");
        // The end of standard input ends what takes its time.
        assert_eq!(run("sleep 30", false), "\n@M begun\n\n@M over 143\n");
    }
}
