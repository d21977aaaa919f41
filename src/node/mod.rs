//! A connected host: privilege, deadlines, batched reading, the launcher of steps, and the way back after a lost connection.

pub mod audit;
mod error;
pub mod guard;
mod launch;
pub mod lease;
mod machine;
mod outcome;
mod payload;
mod prove;
mod pulse;
mod restart;
mod script;
mod shell;
pub mod unlock;
mod visit;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::change::{Content, Guard};
use crate::fact::{self, Answer, Missing, Question};
use crate::transport::{Transport, TransportError};

pub use error::NodeError;
pub use guard::GuardState;
pub use launch::{Launch, LaunchEnd, parse as parse_launch_end};
pub use lease::{Claim, LeaseInfo, OwedEntry};
pub use machine::{MACHINE, parse_machine};
pub use outcome::{ScriptEnd, StepEnd, parse as parse_script_end};
pub use prove::Proof;
pub use pulse::Pulse;
pub use script::{OWED, OwedNote, PlacedStep};
pub use shell::{Listener, Privilege, Shell, nonce};
pub use visit::{GRACE, Stream, Visit};

/// A read-only script that takes longer than this is given up: the node is slow to death.
pub const READ_DEADLINE: Duration = Duration::from_secs(120);

/// So long a script that may close the way in is waited for on the connection it could hang; then a new one asks for it.
const GUARDED_DEADLINE: Duration = Duration::from_secs(15);

/// More scripts than any connection of a run starts.
const APART: u32 = 1_000_000;

/// How often a lost connection is made again before the host counts as unreachable.
const RECONNECTS: u32 = 5;

/// Makes connections to one host, also a second time.
#[async_trait]
pub trait Connector: Send + Sync {
    /// A new connection.
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError>;
}

/// The connection as it is now; the heartbeat shares it.
type Way = Arc<Mutex<Arc<dyn Transport>>>;

/// A connected host.
pub struct Node {
    connector: Box<dyn Connector>,
    transport: Way,
    privilege: Privilege,
    shell: Option<Shell>,
    listener: Option<Listener>,
    base: String,
    run: String,
    scripts: u32,
    /// Scripts whose answer was waited for.
    pub round_trips: u32,
    /// Content streams beside them.
    pub streams: u32,
}

impl Node {
    /// Connects as `user` and starts the shell. `root` says whether it runs as root, by login or by sudo.
    pub async fn connect(
        connector: Box<dyn Connector>,
        privilege: Privilege,
        root: bool,
        user: &str,
        run: &str,
    ) -> Result<Node, NodeError> {
        let transport = connector.connect().await?;
        let base = base_folder(root, user);
        let shell = Shell::start(&*transport, &privilege, &base).await?;
        Ok(Node {
            connector,
            transport: Arc::new(Mutex::new(transport)),
            privilege,
            shell: Some(shell),
            listener: None,
            base,
            run: run.to_owned(),
            scripts: 0,
            round_trips: 0,
            streams: 0,
        })
    }

    /// hadeploy's run-time folder on the node.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Numbers its scripts apart from those of the run's other connections to the same machine, of which it is the `number`-th, from 0.
    pub fn apart(&mut self, number: u32) {
        self.scripts = number.saturating_mul(APART);
    }

    async fn shell(&mut self) -> Result<&mut Shell, NodeError> {
        if self.shell.is_none() {
            self.shell = Some(Shell::start(&*self.way(), &self.privilege, &self.base).await?);
        }
        self.shell
            .as_mut()
            .ok_or_else(|| NodeError::Lost("there is no shell".to_owned()))
    }

    /// Runs a script that only reads (or takes the lease) and returns what it printed. A lost connection is made again:
    /// reading twice does no harm.
    pub async fn read(&mut self, script: &str) -> Result<Vec<u8>, NodeError> {
        let quiet = |script: &str| format!("{{\n{script}\n}} </dev/null 2>/dev/null");
        let mut text = quiet(script);
        self.round_trips += 1;
        tracing::debug!(at = %self.describe(), bytes = text.len(), "reads");
        let mut tries = 0;
        loop {
            match self.try_read(&text).await {
                Err(NodeError::Lost(_) | NodeError::Transport(_)) if tries < RECONNECTS => {
                    tries += 1;
                    self.reconnect().await?;
                    // The old shell gives the lease back: it is taken up again, if this run held one.
                    text = quiet(&(lease::adopt_text(&self.base, &self.run) + script));
                }
                answer => return answer,
            }
        }
    }

    async fn try_read(&mut self, text: &str) -> Result<Vec<u8>, NodeError> {
        let reply = self.shell().await?.run(text, &[], READ_DEADLINE).await;
        if reply.is_err() {
            self.shell = None;
        }
        Ok(reply?.stdout)
    }

    /// Asks `questions`, with `prologue` before them in the same script; returns what the prologue printed, and the answers.
    pub async fn ask(
        &mut self,
        prologue: &str,
        questions: &Missing,
    ) -> Result<(Vec<u8>, Vec<(Question, Answer)>), NodeError> {
        let nonce = nonce();
        let mut script = prologue.to_owned();
        if !script.is_empty() && !script.ends_with('\n') {
            script.push('\n');
        }
        script.push_str(&fact::script(questions, &nonce));
        let output = self.read(&script).await?;
        let answers = fact::parse(questions, &nonce, &output)?;
        let mark = format!("\n@{nonce} ");
        let end = memchr::memmem::find(&output, mark.as_bytes()).unwrap_or(output.len());
        Ok((output[..end].to_vec(), answers))
    }

    /// Runs steps, then answers questions, in one launched script. A lost connection is made again and the script re-attached by its
    /// name: its true result comes back, and nothing is started twice.
    pub async fn run_steps(
        &mut self,
        steps: &[PlacedStep],
        questions: &Missing,
    ) -> Result<(ScriptEnd, Vec<(Question, Answer)>), NodeError> {
        let nonce = nonce();
        let inputs: Vec<&Content> = steps
            .iter()
            .flat_map(|placed| &placed.step.inputs)
            .collect();
        let deadline: Duration = steps.iter().map(|placed| placed.step.deadline).sum();
        let guarded = steps.iter().any(|placed| placed.step.guard.is_some());
        let mut tries = 0;
        let output = loop {
            self.scripts += 1;
            let launch = self.last_launch();
            let script = script::compile(steps, questions, &launch, &nonce);
            tracing::debug!(
                at = %self.describe(),
                unit = launch.unit(),
                steps = steps.len(),
                inputs = inputs.len(),
                bytes = script.len(),
                "launches"
            );
            let output = self
                .launch(&launch, &script, &inputs, deadline, guarded)
                .await?;
            tries += 1;
            if let Some(output) = output {
                let free = StepEnd::NoLease(String::new());
                let end = outcome::parse(&output);
                if tries > RECONNECTS || !end.is_some_and(|end| end.steps.contains(&free)) {
                    break output;
                }
                // A lost connection gave it back late, and no other run has it: nothing ran, and it is taken up again.
                self.read(&lease::adopt_text(&self.base, &self.run)).await?;
            } else if tries > RECONNECTS {
                return Err(NodeError::Lost(
                    "it broke each time before a script had arrived; nothing was started"
                        .to_owned(),
                ));
            }
        };
        read_end(&output, questions, &nonce)
    }

    /// From now on hears the last lines of steps that take their time, or nobody does.
    pub fn listen(&mut self, listener: Option<Listener>) {
        self.listener = listener;
    }

    /// The names of the script launched last.
    fn last_launch(&self) -> Launch {
        Launch {
            base: self.base.clone(),
            run: self.run.clone(),
            number: self.scripts,
        }
    }

    /// Runs steps that only read (`check_mode: false` in a plan), without lease and launcher, then answers questions.
    pub async fn run_reading(
        &mut self,
        steps: &[PlacedStep],
        questions: &Missing,
    ) -> Result<(ScriptEnd, Vec<(Question, Answer)>), NodeError> {
        let nonce = nonce();
        let script = script::compile_reading(steps, questions, &nonce);
        let deadline: Duration = steps.iter().map(|placed| placed.step.deadline).sum();
        self.round_trips += 1;
        let text = format!("{{\n{script}\n}} </dev/null 2>/dev/null");
        let reply = self
            .shell()
            .await?
            .run(&text, &[], deadline + READ_DEADLINE)
            .await;
        if reply.is_err() {
            self.shell = None;
        }
        read_end(&reply?.stdout, questions, &nonce)
    }

    /// None when the connection was lost before the script had arrived: it may be sent again.
    async fn launch(
        &mut self,
        launch: &Launch,
        script: &str,
        inputs: &[&Content],
        deadline: Duration,
        guarded: bool,
    ) -> Result<Option<Vec<u8>>, NodeError> {
        let listener = self.listener.clone();
        let text = launch.text(script.len(), inputs, deadline, listener.is_some());
        let body = Content::Bytes(script.as_bytes().into());
        let mut payload = vec![&body];
        payload.extend(inputs);
        self.round_trips += 1;
        self.streams += inputs
            .iter()
            .filter(|input| payload::on_disk(input))
            .count() as u32;
        let mut restarts = 0;
        let wait = match guarded {
            true => GUARDED_DEADLINE,
            false => deadline + READ_DEADLINE,
        };
        let shell = self.shell().await?;
        shell.listen(listener);
        let mut end = match shell.run(&text, &payload, wait).await {
            Ok(reply) => Ok(launch::parse(&reply.stdout)),
            Err(error) => Err(error),
        };
        let hopeless = Instant::now() + Guard::WINDOW + prove::MARGIN;
        loop {
            match end {
                Ok(LaunchEnd::Ended(output)) => return Ok(Some(output)),
                Ok(LaunchEnd::NeverBegan) => return Ok(None),
                Ok(LaunchEnd::NotStarted(reason)) => {
                    // The rest of the payload may still be in the stream: this shell is done with.
                    self.shell = None;
                    return Err(NodeError::Launch(reason));
                }
                Ok(LaunchEnd::Vanished(words)) => {
                    return Err(NodeError::Launch(format!(
                        "the script was started and is gone without a result; was the node restarted? {words}"
                    )));
                }
                Err(NodeError::Lost(_) | NodeError::Transport(_)) if restarts < RECONNECTS => {
                    restarts += 1;
                    tracing::debug!(at = %self.describe(), unit = launch.unit(), "attaches anew");
                    end = self.attach(launch).await;
                }
                Err(NodeError::Lost(_) | NodeError::Transport(_) | NodeError::Timeout { .. })
                    if guarded && Instant::now() < hopeless =>
                {
                    tokio::time::sleep(prove::PAUSE).await;
                    end = self.attach(launch).await;
                }
                Err(error) => {
                    self.shell = None;
                    return Err(error);
                }
            }
        }
    }

    /// Connects anew and asks what became of the script.
    async fn attach(&mut self, launch: &Launch) -> Result<LaunchEnd, NodeError> {
        self.reconnect().await?;
        self.round_trips += 1;
        let text = format!("{{\n{}\n}} </dev/null 2>/dev/null", launch.attach_text());
        let reply = self
            .shell()
            .await?
            .run(&text, &[], crate::change::Step::DEADLINE)
            .await?;
        Ok(launch::parse(&reply.stdout))
    }

    /// A new connection in place of a lost one, tried with growing pauses.
    pub async fn reconnect(&mut self) -> Result<(), NodeError> {
        self.shell = None;
        let mut pause = Duration::from_millis(250);
        let mut tries = 0;
        loop {
            match self.connector.connect().await {
                Ok(transport) => {
                    *lock(&self.transport) = transport;
                    return Ok(());
                }
                Err(error) => {
                    tries += 1;
                    if tries > RECONNECTS {
                        return Err(error.into());
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    /// Where it leads, for the log.
    fn describe(&self) -> String {
        self.way().describe()
    }

    fn way(&self) -> Arc<dyn Transport> {
        lock(&self.transport).clone()
    }

    /// What keeps the lease alive beside a long script.
    pub fn pulse(&self) -> Pulse {
        Pulse {
            transport: self.transport.clone(),
            privilege: self.privilege.clone(),
            base: self.base.clone(),
            run: self.run.clone(),
            shell: None,
        }
    }

    /// Ends the connection; a lease taken through it goes back.
    pub async fn close(&mut self) {
        self.part("").await;
    }

    /// The same, with what the node is to keep of this run: members of a json object, on one line.
    pub async fn part(&mut self, kept: &str) {
        if let Some(shell) = self.shell.take() {
            shell.bye(kept, self.scripts > 0).await;
        }
        let way = self.way();
        way.close().await;
    }
}

/// What a script of steps said, and the answers behind it.
fn read_end(
    output: &[u8],
    questions: &Missing,
    nonce: &str,
) -> Result<(ScriptEnd, Vec<(Question, Answer)>), NodeError> {
    let Some(end) = outcome::parse(output) else {
        return Err(NodeError::Launch(
            "the script ended without saying how; is there room in /run?".to_owned(),
        ));
    };
    let answers = match &end.answers {
        Some(bytes) if !questions.is_empty() => fact::parse(questions, nonce, bytes)?,
        _ => Vec::new(),
    };
    Ok((end, answers))
}

/// Root's lies in `/run`; anyone else's in a folder of their own, since `/run` is not theirs.
fn base_folder(root: bool, user: &str) -> String {
    if root {
        lease::ROOTS.to_owned()
    } else {
        format!("/tmp/hadeploy-{user}")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

#[cfg(test)]
mod tests;
