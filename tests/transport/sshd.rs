//! A real OpenSSH server on a port of its own, for one test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hadeploy::secret::Secret;
use hadeploy::transport::ssh::{
    NobodyToAsk, PassphrasePrompt, SshClient, SshOptions, SshTransport,
};
use hadeploy::transport::{Exit, Transport, TransportError};
use tokio::io::AsyncReadExt as _;

/// The server, its keys and its folder; all gone when dropped.
pub struct Sshd {
    pub dir: tempfile::TempDir,
    pub port: u16,
    child: Child,
}

/// Starts a server, or says why this test can't run here.
pub fn sshd() -> Option<Sshd> {
    sshd_with("")
}

/// The same with more lines of configuration; `DIR` stands for its folder.
pub fn sshd_with(config: &str) -> Option<Sshd> {
    let dir = server_folder()?;
    Some(Sshd::start(dir, config))
}

/// A folder with a host key and a login key, for tests that prepare more before they start the server.
pub fn server_folder() -> Option<tempfile::TempDir> {
    static READY: OnceLock<Result<(), String>> = OnceLock::new();
    if let Err(reason) = READY.get_or_init(prepare) {
        eprintln!("skipped: {reason}");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(dir.path(), "host", &["-t", "ed25519"]);
    keygen(dir.path(), "id", &["-t", "ed25519"]);
    std::fs::copy(
        dir.path().join("id.pub"),
        dir.path().join("authorized_keys"),
    )
    .unwrap();
    Some(dir)
}

fn prepare() -> Result<(), String> {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        return Err("a server that lets users in needs root".to_string());
    }
    if !Path::new("/usr/sbin/sshd").exists() || !Path::new("/usr/bin/ssh-keygen").exists() {
        if !Path::new("/etc/debian_version").exists() {
            return Err(
                "there is no OpenSSH server, and this is no Debian to install it on".to_string(),
            );
        }
        let install = Command::new("apt-get")
            .args([
                "install",
                "-y",
                "--no-install-recommends",
                "openssh-server",
                "openssh-client",
            ])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status();
        if !install.is_ok_and(|status| status.success()) {
            return Err("openssh-server can't be installed".to_string());
        }
    }
    std::fs::create_dir_all("/run/sshd").map_err(|error| error.to_string())
}

impl Sshd {
    pub fn start(dir: tempfile::TempDir, config: &str) -> Self {
        let path = dir.path().display().to_string();
        let config = config.replace("DIR", &path);
        // sshd takes the first value it sees.
        let text = format!(
            "{config}\nHostKey {path}/host\nAuthorizedKeysFile {path}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\nPidFile none\nPrintMotd no\n"
        );
        std::fs::write(dir.path().join("sshd_config"), text).unwrap();
        for _ in 0..5 {
            let port = free_port();
            let log = std::fs::File::create(dir.path().join("log")).unwrap();
            let mut child = Command::new("/usr/sbin/sshd")
                .args([
                    "-D",
                    "-e",
                    "-o",
                    &format!("ListenAddress=127.0.0.1:{port}"),
                    "-f",
                ])
                .arg(dir.path().join("sshd_config"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            if listens(port, &mut child) {
                return Self { dir, port, child };
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!(
            "sshd does not start: {}",
            std::fs::read_to_string(dir.path().join("log")).unwrap()
        );
    }

    /// Ends the server and keeps its folder.
    pub fn into_dir(mut self) -> tempfile::TempDir {
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Options that get in: the server's key known, the login key named.
    pub fn options(&self) -> SshOptions {
        let mut options = SshOptions::new("node", "127.0.0.1", "root");
        options.port = self.port;
        options.identity_files = vec![self.path("id")];
        options.known_hosts = vec![self.path("known_hosts")];
        self.know_host_key("");
        options
    }

    /// Writes the known_hosts file with the server's key, after `before`.
    pub fn know_host_key(&self, before: &str) {
        let key = std::fs::read_to_string(self.path("host.pub")).unwrap();
        std::fs::write(
            self.path("known_hosts"),
            format!("{before}[127.0.0.1]:{} {key}", self.port),
        )
        .unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // The listener only; its children end with their connections.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn listens(port: u16, child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Makes a key pair `name` without a passphrase, unless `arguments` give one.
pub fn keygen(dir: &Path, name: &str, arguments: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-C", name, "-f"])
        .arg(dir.join(name))
        .args(arguments);
    if !arguments.contains(&"-N") {
        command.args(["-N", ""]);
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A client that nobody answers.
pub fn client() -> SshClient {
    SshClient::new(Arc::new(NobodyToAsk))
}

/// Gives these answers, in turn, and counts the questions.
#[derive(Default)]
pub struct Answers {
    pub answers: Vec<&'static str>,
    pub asked: std::sync::Mutex<Vec<PathBuf>>,
}

#[async_trait]
impl PassphrasePrompt for Answers {
    async fn passphrase(&self, file: &Path, _attempt: u32) -> Option<Secret> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(file.to_path_buf());
        Some(Secret::new(*self.answers.get(asked.len() - 1)?))
    }
}

pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub exit: Result<Exit, TransportError>,
}

impl Output {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Runs a command without input to its end.
pub async fn run(transport: &dyn Transport, command: &str) -> Output {
    let mut process = transport.start(command).await.unwrap();
    drop(process.stdin);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (read, read_errors) = tokio::join!(
        process.stdout.read_to_end(&mut stdout),
        process.stderr.read_to_end(&mut stderr)
    );
    read.unwrap();
    read_errors.unwrap();
    Output {
        stdout,
        stderr,
        exit: process.exit.wait().await,
    }
}

/// Connects and proves that commands run.
pub async fn check(options: SshOptions, client: &SshClient) -> Result<(), TransportError> {
    let transport = SshTransport::connect(options, client).await?;
    let output = run(&transport, "echo hello").await;
    assert_eq!(output.text(), "hello\n");
    assert_eq!(output.exit.unwrap(), Exit::Status(0));
    transport.close().await;
    Ok(())
}
