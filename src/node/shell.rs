//! One long-lived shell on a host: scripts go in by length, output comes back up to a marker.
//!
//! When the stream ends, the shell gives the lease back that was taken through it (`lease/shell-MARK` stands there): a controller that died
//! blocks nobody, unless a step of it still runs: that may be another connection's of the same run, where the machine has two names in it. What it says with its `bye` is kept in the node's log. Behind a `bye` it also clears away what the run might have come back for.
//!
//! A script costs one round trip. The shell reads a line with the script's length, the script, and runs it in a subshell whose
//! standard input is what follows: the script itself takes the bytes that belong to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::NodeError;
use super::payload;
use crate::change::Content;
use crate::command::quote;
use crate::secret::Secret;
use crate::transport::{Process, Transport};

/// How much is read at once, in bytes.
const PIECE: usize = 16 * 1024;
/// Standard error of the shell itself is kept up to this many bytes, for messages.
const STDERR_LIMIT: usize = 4096;

/// So long the end of a run waits for a host to clear up.
const FAREWELL: Duration = Duration::from_millis(500);

/// The same where there is hardly anything to clear up: so long that sshd hears the word before the connection ends.
const HURRY: Duration = Duration::from_millis(5);

/// A host that lets us in and whose shell says nothing for so long is given up.
const GREETING: Duration = Duration::from_secs(30);

/// How the shell becomes root, if it does.
#[derive(Debug, Clone, Default)]
pub enum Privilege {
    /// It stays the login user.
    #[default]
    Login,
    /// By `sudo -n`.
    Sudo,
    /// By sudo with this password, sent once on standard input when sudo asks for it.
    SudoPassword(Secret),
}

/// A shell that waits for scripts.
pub struct Shell {
    process: Process,
    nonce: String,
    buffer: Vec<u8>,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// Whether it was heard.
    greeted: bool,
    /// Hears what a script says while it runs.
    listener: Option<Listener>,
}

/// Hears lines.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// The answer to a script.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
}

const LOOP: &str = "trap '' PIPE; export LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; umask 022; cd /; \
MARK=NONCE; FROM=${1%% *}; printf '\\n@%s hello\\n' \"$MARK\"; \
while read -r z; do [ \"${z%% *}\" != bye ] || break; s=$(head -c \"$z\"; printf .); ( eval \"${s%.}\" ); printf '\\n@%s done %s\\n' \"$MARK\" \"$?\"; done; \
exec 2>/dev/null; [ \"${z%% *}\" = bye ] || { read -r r <BASE/lease/run; for q in BASE/steps/\"$r\"/*/started; do [ ! -d \"$q\" ] || [ -e \"${q%started}rc\" ] || [ -d \"${q%started}void\" ] || exit 0; done; }; mv -T BASE/lease/shell-\"$MARK\" BASE/lease/over && read -r r <BASE/lease/run && { [ ! -r BASE/lease/log ] || ( . BASE/lease/log ); [ -e BASE/lease/over ] && mv -T BASE/lease BASE/lease.gone.\"$r\"; } && [ \"${z%% *}\" = bye ] && rm -rf BASE/lease.gone.\"$r\" BASE/steps/\"$r\"";

impl Shell {
    /// Starts it, with hadeploy's run-time folder `base` on the node; waits for the far side only when a password may have to be given.
    pub async fn start(
        transport: &dyn Transport,
        privilege: &Privilege,
        base: &str,
    ) -> Result<Shell, NodeError> {
        // Numbered: a script that a lost connection delivers late must not take the lease from the connection that took its place.
        static STARTED: AtomicU64 = AtomicU64::new(1);
        let nonce = format!("{}-{}", STARTED.fetch_add(1, Ordering::Relaxed), nonce());
        let shell = format!(
            "/bin/sh -c {} hadeploy \"$SSH_CLIENT\"",
            quote(&LOOP.replace("NONCE", &nonce).replace("BASE", &quote(base)))
        );
        let prompt = format!("[hadeploy-{nonce}]");
        let line = match privilege {
            Privilege::Login => format!("exec {shell}"),
            Privilege::Sudo => format!("exec sudo -n {shell}"),
            Privilege::SudoPassword(_) => {
                format!("exec sudo -S -k -p {} {shell}", quote(&prompt))
            }
        };
        let mut process = transport.start(&line).await?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let stream = std::mem::replace(&mut process.stderr, Box::new(tokio::io::empty()));
        tokio::spawn(keep_tail(stream, stderr.clone()));
        let mut shell = Shell {
            process,
            nonce,
            buffer: Vec::new(),
            stderr,
            greeted: false,
            listener: None,
        };
        if let Privilege::SudoPassword(password) = privilege {
            shell.give_password(password, &prompt).await?;
        }
        Ok(shell)
    }

    /// Gives the password when asked; asked again, it was wrong.
    async fn give_password(&mut self, password: &Secret, prompt: &str) -> Result<(), NodeError> {
        let hello = format!("\n@{} hello\n", self.nonce);
        let mut given = false;
        let waiting = async {
            loop {
                let asked = self.stderr_text().matches(prompt).count();
                if asked > usize::from(given) {
                    if given {
                        return Err(NodeError::WrongPassword);
                    }
                    given = true;
                    let mut line = zeroize::Zeroizing::new(password.reveal().to_owned());
                    line.push('\n');
                    self.process.stdin.write_all(line.as_bytes()).await?;
                    self.process.stdin.flush().await?;
                }
                match timeout(Duration::from_millis(20), self.fill()).await {
                    Ok(filled) => {
                        if filled? == 0 {
                            tokio::time::sleep(Duration::from_millis(30)).await;
                            return Err(self.ended());
                        }
                    }
                    Err(_) => continue,
                }
                if find(&self.buffer, hello.as_bytes()).is_some() {
                    return Ok(());
                }
            }
        };
        match timeout(Duration::from_secs(30), waiting).await {
            Ok(end) => end,
            Err(_) => Err(NodeError::Timeout {
                what: "sudo".to_owned(),
                after: Duration::from_secs(30),
            }),
        }
    }

    /// From now on hears what scripts say while they run, or nobody does.
    pub fn listen(&mut self, listener: Option<Listener>) {
        self.listener = listener;
    }

    /// Sends a script and what it reads behind it, and waits for its answer.
    pub async fn run(
        &mut self,
        script: &str,
        inputs: &[&Content],
        deadline: Duration,
    ) -> Result<Reply, NodeError> {
        let exchange = async {
            self.send(script, inputs).await?;
            if !self.greeted {
                self.greeting().await?;
            }
            self.reply().await
        };
        match timeout(deadline, exchange).await {
            Ok(reply) => reply,
            Err(_) => Err(NodeError::Timeout {
                what: "a script".to_owned(),
                after: deadline,
            }),
        }
    }

    /// Waits until the shell is there: what hangs behind a login is known sooner than a script that takes its time.
    async fn greeting(&mut self) -> Result<(), NodeError> {
        let hello = format!("\n@{} hello\n", self.nonce).into_bytes();
        let heard = async {
            while find(&self.buffer, &hello).is_none() {
                if self.fill().await? == 0 {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    return Err(self.ended());
                }
            }
            Ok(())
        };
        match timeout(GREETING, heard).await {
            Ok(heard) => heard,
            Err(_) => Err(NodeError::Timeout {
                what: "the shell behind the login".to_owned(),
                after: GREETING,
            }),
        }?;
        self.greeted = true;
        Ok(())
    }

    /// Sends a script without waiting; its answer must be taken by [`Shell::reply`], or the shell be dropped.
    pub async fn send(&mut self, script: &str, inputs: &[&Content]) -> Result<(), NodeError> {
        let head = format!("{}\n{script}", script.len());
        let sent = async {
            self.process.stdin.write_all(head.as_bytes()).await?;
            for content in inputs {
                payload::send(content, &mut self.process.stdin).await?;
            }
            self.process.stdin.flush().await
        }
        .await;
        match sent {
            Ok(()) => Ok(()),
            // The shell may have said why before it went.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                while self.fill().await? > 0 {}
                tokio::time::sleep(Duration::from_millis(30)).await;
                Err(self.ended())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Says that the run is over here, and waits a little until the shell has cleared up behind it; very little where no step was launched
    /// (`launched`): there is hardly anything to clear, and the wait would cost a run that changes nothing a round trip. `kept` is for the node's log.
    pub async fn bye(mut self, kept: &str, launched: bool) {
        let farewell = async {
            let line = match kept {
                "" => "bye\n".to_owned(),
                kept => format!("bye {kept}\n"),
            };
            self.process.stdin.write_all(line.as_bytes()).await?;
            self.process.stdin.shutdown().await?;
            while self.fill().await? > 0 {}
            Ok::<(), NodeError>(())
        };
        // Without it, the next run clears up.
        let patience = if launched { FAREWELL } else { HURRY };
        let _ = timeout(patience, farewell).await;
    }

    /// The answer to the oldest script sent.
    pub async fn reply(&mut self) -> Result<Reply, NodeError> {
        let marker = format!("\n@{} ", self.nonce).into_bytes();
        let mut from = 0;
        loop {
            while let Some(at) = find(&self.buffer[from..], &marker).map(|at| at + from) {
                let head = at + marker.len();
                let Some(end) = self.buffer[head..].iter().position(|byte| *byte == b'\n') else {
                    break;
                };
                let line = String::from_utf8_lossy(&self.buffer[head..head + end]).into_owned();
                // What comes behind it begins in a buffer of its own: a shell that waits, as hundreds do, holds no room.
                let behind = self.buffer.split_off(head + end + 1);
                let mut stdout = std::mem::replace(&mut self.buffer, behind);
                stdout.truncate(at);
                from = 0;
                if let (Some(said), Some(hears)) = (line.strip_prefix("live "), &self.listener) {
                    let words = STANDARD.decode(said).unwrap_or_default();
                    hears(&String::from_utf8_lossy(&words));
                }
                if let Some(status) = line.strip_prefix("done ") {
                    return Ok(Reply {
                        status: status.parse().unwrap_or(-1),
                        stdout,
                    });
                }
            }
            from = self.buffer.len().saturating_sub(marker.len() + 32);
            if self.fill().await? == 0 {
                tokio::time::sleep(Duration::from_millis(30)).await;
                return Err(self.ended());
            }
        }
    }

    async fn fill(&mut self) -> Result<usize, NodeError> {
        self.buffer.reserve(PIECE);
        Ok(self.process.stdout.read_buf(&mut self.buffer).await?)
    }

    fn stderr_text(&self) -> String {
        let kept = self
            .stderr
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// Why the shell is gone: sudo's refusal, or the connection.
    fn ended(&self) -> NodeError {
        let said = self.stderr_text();
        let last = said.trim().lines().last().unwrap_or("").to_owned();
        if said.contains("a password is required") || said.contains("no tty present") {
            NodeError::NeedsPassword
        } else if said.contains("is not in the sudoers file")
            || said.contains("is not allowed to")
            || said.contains("may not run sudo")
        {
            NodeError::NotAllowed(last)
        } else if said.contains("sudo") && said.contains("not found") {
            NodeError::NoSudo
        } else if said.contains("incorrect password") || said.contains("try again") {
            NodeError::WrongPassword
        } else {
            NodeError::Lost(if last.is_empty() {
                "the connection was closed".to_owned()
            } else {
                last
            })
        }
    }
}

async fn keep_tail(mut stream: Box<dyn AsyncRead + Send + Unpin>, kept: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 1024];
    while let Ok(length) = stream.read(&mut piece).await {
        if length == 0 {
            return;
        }
        let mut kept = kept.lock().unwrap_or_else(|poison| poison.into_inner());
        kept.extend_from_slice(&piece[..length]);
        let excess = kept.len().saturating_sub(STDERR_LIMIT);
        kept.drain(..excess);
    }
}

/// Sixteen hex digits nobody can guess: output of a host cannot fake a marker.
pub fn nonce() -> String {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
