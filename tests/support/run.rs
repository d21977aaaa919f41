//! A project of the user's and runs of the real binary on it, each held against the laws of `--output json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hadeploy::lab::Lab;
use serde_json::Value;

/// A run that takes longer than this hangs, unless its site is more patient.
const DEADLINE: Duration = Duration::from_secs(150);

/// A project folder with a home of its own, so that nothing of the real user's has a say.
pub struct Site {
    folder: tempfile::TempDir,
    inventory: PathBuf,
    playbook: PathBuf,
    patience: Duration,
}

/// A run that goes on.
pub struct Running {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    stdout: JoinHandle<()>,
    stderr: JoinHandle<String>,
    words: String,
    start: Instant,
    patience: Duration,
    peak_kb: u64,
}

/// A run that ended.
pub struct Run {
    /// The exit status; -1 when a signal ended it.
    pub code: i32,
    /// The events, in order.
    pub events: Vec<Value>,
    /// Everything on standard error.
    pub stderr: String,
    /// The most memory it held at once, in kilobytes.
    pub peak_kb: u64,
    words: String,
}

impl Site {
    /// An empty project that uses a lab's own inventory.
    pub fn new(lab: &Lab) -> Site {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".home")).unwrap();
        Site {
            inventory: lab.inventory().unwrap(),
            playbook: folder.path().join("play.yml"),
            patience: DEADLINE,
            folder,
        }
    }

    /// A project with one playbook, `play.yml`.
    pub fn with(lab: &Lab, playbook: &str) -> Site {
        let site = Site::new(lab);
        site.write("play.yml", playbook);
        site
    }

    /// Another inventory, given as text.
    pub fn inventory(&mut self, text: &str) {
        self.write("inventory.yml", text);
        self.inventory = self.path("inventory.yml");
    }

    /// Another playbook than the project's `play.yml`.
    pub fn playbook(&mut self, path: PathBuf) {
        self.playbook = path;
    }

    /// How long a run may take before it counts as hanging.
    pub fn patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The path of a file of the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Starts the binary on `play.yml`; `words` are the subcommand and its options.
    pub fn start(&self, words: &[&str]) -> Running {
        let (command, options) = words.split_first().unwrap();
        let playbook = self.playbook.to_str().unwrap();
        self.spawn(&[&[command, playbook], options].concat())
    }

    /// Starts an order to the clusters of `play.yml`, such as `pg switchover`.
    pub fn order(&self, words: &[&str]) -> Running {
        let playbook = self.playbook.to_str().unwrap();
        self.spawn(&[words, &["--playbook", playbook, "--yes"]].concat())
    }

    /// Runs what needs no playbook, and wants an exit status.
    #[track_caller]
    pub fn expect_bare(&self, words: &[&str], code: i32) -> Run {
        let run = self.spawn(words).wait();
        assert_eq!(run.code, code, "{run}");
        run
    }

    /// The binary with these words on the inventory, not started: for who reads what people read.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hadeploy"));
        program
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path(".home"))
            .env("LANG", "C.UTF-8")
            .current_dir("/")
            .args(words)
            .arg("-i")
            .arg(&self.inventory);
        program
    }

    fn spawn(&self, words: &[&str]) -> Running {
        let mut program = self.command(words);
        program
            .args(["--output", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stdout = listen(child.stdout.take().unwrap(), lines.clone());
        let stderr = drain(child.stderr.take().unwrap());
        Running {
            child,
            lines,
            stdout,
            stderr,
            words: words.join(" "),
            start: Instant::now(),
            patience: self.patience,
            peak_kb: 0,
        }
    }

    /// Runs the binary on `play.yml` to its end.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Run {
        self.start(words).wait()
    }

    /// Runs and wants an exit status.
    #[track_caller]
    pub fn expect(&self, words: &[&str], code: i32) -> Run {
        let run = self.run(words);
        assert_eq!(run.code, code, "{run}");
        run
    }

    /// An apply that must succeed.
    #[track_caller]
    pub fn apply(&self) -> Run {
        self.expect(&["apply"], 0)
    }

    /// A plan that must succeed.
    #[track_caller]
    pub fn plan(&self) -> Run {
        self.expect(&["plan"], 0)
    }
}

fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Keeps each line as soon as it is said.
fn listen(stream: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            lines.lock().unwrap().push(line);
        }
    })
}

impl Running {
    /// Waits until it said an event like that; the run must not end before.
    #[track_caller]
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let mut seen = 0;
        loop {
            let over = self.child.try_wait().unwrap().is_some();
            let lines = self.lines.lock().unwrap()[seen..].to_vec();
            seen += lines.len();
            let mut events = lines
                .iter()
                .filter_map(|line| serde_json::from_str(line).ok());
            if events.any(|event| wanted(&event)) {
                return;
            }
            let late = self.start.elapsed() > self.patience;
            if over || late {
                let _ = self.child.kill();
                panic!(
                    "`{}`: waited for {what} in vain\n{}",
                    self.words,
                    self.lines.lock().unwrap().join("\n")
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal such as `INT`.
    pub fn signal(&self, name: &str) {
        let own = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &own])
            .status();
        assert!(sent.unwrap().success());
    }

    /// SIGKILL, at once; nothing is held against what it had said.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end and holds it against the laws.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let status = loop {
            self.peak_kb = self.peak_kb.max(peak_kb(self.child.id()));
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.start.elapsed() > self.patience {
                let _ = self.child.kill();
                panic!(
                    "`{}` hung\n{}\n{}",
                    self.words,
                    self.lines.lock().unwrap().join("\n"),
                    self.stderr.join().unwrap()
                );
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.stdout.join().unwrap();
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        let stderr = self.stderr.join().unwrap();
        let event = |line: &str| match serde_json::from_str(line) {
            Ok(event) => event,
            Err(error) => panic!("no event: {line}\n{error}\n{stderr}"),
        };
        let run = Run {
            code: status.code().unwrap_or(-1),
            events: lines.iter().map(|line| event(line)).collect(),
            stderr,
            peak_kb: self.peak_kb,
            words: self.words,
        };
        run.hold_laws();
        run
    }
}

/// The most memory a process held so far.
fn peak_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}

impl Run {
    /// What is true of every run that ended by itself.
    #[track_caller]
    fn hold_laws(&self) {
        assert!(self.events.iter().all(|event| event["v"] == 1), "{self}");
        let last = self.events.last();
        let last = last.unwrap_or_else(|| panic!("no event at all\n{self}"));
        assert_eq!(last["event"], "run_finished", "{self}");
        assert_eq!(last["exit_code"], self.code, "{self}");
        let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
        for task in self.tasks() {
            let word = match (task["ignored"] == true, task["rescued"] == true) {
                (true, _) => "ignored",
                (_, true) => "rescued",
                _ => task["status"].as_str().unwrap(),
            };
            let host = task["host"].as_str().unwrap().to_owned();
            *seen.entry((host, word.to_owned())).or_default() += 1;
        }
        let hosts = last["hosts"].as_object().unwrap();
        for (host, counts) in hosts {
            for word in [
                "ok", "changed", "skipped", "failed", "rescued", "ignored", "unknown",
            ] {
                let said = counts[word].as_u64().unwrap();
                let shown = seen
                    .remove(&(host.clone(), word.to_owned()))
                    .unwrap_or_default();
                assert_eq!(said, shown, "{word} of {host}\n{self}");
            }
        }
    }

    /// All tasks and handlers that ended.
    pub fn tasks(&self) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(|event| {
            event["event"] == "task_finished" || event["event"] == "handler_finished"
        })
    }

    /// Events of a name.
    pub fn named(&self, name: &str) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| event["event"] == name)
            .collect()
    }

    /// The one task or handler of that name; on one host, if several had it.
    #[track_caller]
    pub fn task(&self, name: &str) -> &Value {
        let mut found = self.tasks().filter(|task| task["task"] == name);
        let task = found
            .next()
            .unwrap_or_else(|| panic!("no task `{name}`\n{self}"));
        assert!(found.next().is_none(), "two tasks `{name}`\n{self}");
        task
    }

    /// The task of that name on a host.
    #[track_caller]
    pub fn on(&self, host: &str, name: &str) -> &Value {
        self.tasks()
            .find(|task| task["task"] == name && task["host"] == host)
            .unwrap_or_else(|| panic!("no task `{name}` on {host}\n{self}"))
    }

    /// The status of the task of that name.
    #[track_caller]
    pub fn status(&self, name: &str) -> &str {
        self.task(name)["status"].as_str().unwrap()
    }

    /// Names of tasks and handlers with a status, in order.
    pub fn with(&self, status: &str) -> Vec<&str> {
        self.tasks()
            .filter(|task| task["status"] == status)
            .filter_map(|task| task["task"].as_str())
            .collect()
    }

    /// A count of a host.
    #[track_caller]
    pub fn count(&self, host: &str, word: &str) -> u64 {
        self.events.last().unwrap()["hosts"][host][word]
            .as_u64()
            .unwrap_or_else(|| panic!("no count `{word}` of {host}\n{self}"))
    }

    /// All text that it said, to look for words.
    pub fn text(&self) -> String {
        let events: Vec<String> = self.events.iter().map(Value::to_string).collect();
        format!("{}\n{}", events.join("\n"), self.stderr)
    }

    /// It said each of these.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "not said: {word}\n{self}");
        }
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "`{}` ended with {}", self.words, self.code)?;
        for event in &self.events {
            let mut event = event.clone();
            if let Some(fields) = event.as_object_mut() {
                // What says nothing only hides the rest.
                fields.retain(|name, value| {
                    !(value.is_null() || *value == "" || *value == false || *value == "none")
                        && *value != serde_json::json!([])
                        && !["v", "play", "at", "kind", "duration_ms", "log"].contains(&&**name)
                });
            }
            let text = event.to_string();
            let cut = text.char_indices().nth(900);
            writeln!(f, "  {}", &text[..cut.map_or(text.len(), |(at, _)| at)])?;
        }
        write!(f, "{}", self.stderr)
    }
}
