//! What all hosts of a run share, and what each host has come to know and set.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use indexmap::IndexMap;
use minijinja::Value as Native;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::ask::Questions;
use super::audit::Origin;
use super::files::Files;
use super::gate::LeaseGate;
use super::machines::{Machine, Machines};
use super::reach::Reach;
use super::rolling::Rolling;
use super::way_in;
use crate::cluster::Goal;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Impact, Mode, Status, Tally, TaskResult};
use crate::fact::Known;
use crate::inventory::{Connection, Host};
use crate::node::{LeaseInfo, Node, OwedEntry, Pulse};
use crate::plan;
use crate::playbook::{Project, Role};
use crate::secret::{Masker, Secret};
use crate::template::Templates;
use crate::transport::ssh::HostKeyRule;
use crate::transport::ssh::config::SshConfig;
use crate::value::Map;

/// What the command line and hadeploy.yml say about a run. Nothing here is read from the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Plan or apply.
    pub mode: Mode,
    /// Names the run on nodes and in logs.
    pub run_id: Arc<str>,
    /// Hosts worked on at once.
    pub forks: usize,
    /// How long another run's lease is waited for.
    pub lock_timeout: Duration,
    /// Whether diffs of contents are wanted.
    pub diff: bool,
    /// `-v` so many times.
    pub verbosity: u8,
    /// `-K` or `--become-password-file`.
    pub become_password: Option<Secret>,
    /// `-b`: every task acts as root unless it says otherwise.
    pub force_become: bool,
    /// `-u`.
    pub user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// Who runs this; the login name when nothing else says one.
    pub local_user: String,
    /// What the ssh configuration of who runs this says of hosts.
    pub ssh: Arc<SshConfig>,
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// What to do with unknown host keys beside what the ssh configuration says; that is `yes` where nothing says more.
    pub host_keys: HostKeyRule,
    /// What a second run is told.
    pub lease: LeaseInfo,
    /// What the nodes keep of where it comes from.
    pub origin: Origin,
    /// Where the log of the run is written.
    pub log: Option<String>,
    /// Node after node, each taken out of the balancer meanwhile.
    pub rolling: Option<Rolling>,
    /// What the operator wants of the clusters beside their wanted state.
    pub goal: Option<Goal>,
    /// What is wanted of the clusters before the plays begin.
    pub first: Option<Goal>,
    /// In a plan: where it is collected for a file.
    pub record: Option<Arc<plan::Record>>,
    /// In an apply: the plan that was made of it, and nothing else is done.
    pub promise: Option<Arc<plan::Promise>>,
    /// Who answers a `pause` with a question; nobody without it.
    pub questions: Option<Arc<Questions>>,
}

/// A run: the project, how it is run, and its hosts.
pub struct Run {
    /// Playbooks and inventory.
    pub project: Arc<Project>,
    /// Compiled templates.
    pub templates: Arc<Templates>,
    /// How it is run.
    pub settings: Settings,
    /// The ways to its hosts.
    pub reach: Arc<dyn Reach>,
    /// Hides secrets in what is said.
    pub masker: Arc<Masker>,
    /// Files of the controller.
    pub files: Files,
    /// One permit for each host worked on at once.
    pub forks: Arc<Semaphore>,
    /// Nobody writes before all leases are held.
    pub gate: LeaseGate,
    /// Told to stop by the user.
    pub interrupt: CancellationToken,
    /// Nothing new is started: by `interrupt`, or because the run itself must not go on.
    pub stop: CancellationToken,
    /// Whether anything was written to any node.
    pub touched: AtomicBool,
    /// What its changes do to services and nodes.
    pub impact: Mutex<Impact>,
    /// Whether its connections are another run's, which ends them.
    pub borrows: bool,
    /// Whether it was said that an apply restarts what serves.
    pub restarted: AtomicBool,
    /// Where a cluster knew the host that is to be forgotten: the others may not know it by its name.
    pub known_at: Mutex<Option<String>>,
    /// The machines that its hosts are.
    pub machines: Machines,
    /// Every host of the run.
    pub hosts: IndexMap<Arc<str>, Arc<HostState>>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) passwords: tokio::sync::Mutex<HashSet<String>>,
    pub(super) password_refused: AtomicBool,
    pub(super) pulses: Mutex<Vec<(Arc<str>, Pulse)>>,
}

/// What a run is made of; the rest begins empty.
pub struct Made {
    /// Playbooks and inventory.
    pub project: Arc<Project>,
    /// Compiled templates.
    pub templates: Arc<Templates>,
    /// How it is run.
    pub settings: Settings,
    /// The ways to its hosts.
    pub reach: Arc<dyn Reach>,
    /// Hides secrets in what is said.
    pub masker: Arc<Masker>,
    /// Who is told what happens.
    pub events: mpsc::UnboundedSender<Event>,
    /// Told to stop by the user.
    pub interrupt: CancellationToken,
}

impl Run {
    /// A run on `hosts`, of which nothing has begun.
    pub fn new(made: Made, hosts: IndexMap<Arc<str>, Arc<HostState>>) -> Run {
        Run {
            gate: LeaseGate::new(hosts.len()),
            forks: Arc::new(Semaphore::new(made.settings.forks.max(1))),
            stop: made.interrupt.child_token(),
            interrupt: made.interrupt,
            project: made.project,
            templates: made.templates,
            settings: made.settings,
            reach: made.reach,
            masker: made.masker,
            files: Files::default(),
            touched: AtomicBool::new(false),
            impact: Mutex::default(),
            borrows: false,
            restarted: AtomicBool::new(false),
            known_at: Mutex::default(),
            machines: Machines::default(),
            hosts,
            events: made.events,
            passwords: tokio::sync::Mutex::default(),
            password_refused: AtomicBool::new(false),
            pulses: Mutex::default(),
        }
    }

    /// Says that a run begins.
    pub fn started(&self) {
        self.say(Event::RunStarted {
            mode: self.settings.mode,
            run_id: self.settings.run_id.clone(),
            playbook: self.project.playbooks.join(" "),
            hosts: self.hosts.keys().cloned().collect(),
            log: self.settings.log.clone(),
        });
    }

    /// Says that a run without a playbook begins, and what is wrong with its hosts; whether it must not go on.
    pub fn begin(&self, faults: Vec<Diagnostic>) -> bool {
        self.started();
        self.told(faults)
    }

    /// Tells faults; whether one of them is an error.
    pub fn told(&self, faults: Vec<Diagnostic>) -> bool {
        let fatal = faults.iter().any(Diagnostic::is_error);
        for fault in faults {
            self.say(Event::Diagnostic(Box::new(fault)));
        }
        fatal
    }

    /// Says that something happened; secrets are masked here, in one place.
    pub fn say(&self, event: Event) {
        let _ = self.events.send(super::mask::event(event, &self.masker));
    }

    /// Counts a result and says it.
    pub fn finish(&self, result: TaskResult) {
        if let Some(host) = self.hosts.get(&result.host) {
            host.tally().count(&result);
            if result.status == Status::Failed && !result.ignored {
                host.because(format!("{}: {}", result.task, result.msg));
            }
        }
        lock(&self.impact).note(&result);
        self.remember(&result);
        self.say(Event::TaskFinished(Box::new(result)));
    }

    /// What was changed is kept on the node that it was changed on.
    fn remember(&self, result: &TaskResult) {
        if result.status != Status::Changed || !self.settings.mode.may_change() {
            return;
        }
        match &result.delegate {
            None => {
                if let Some(host) = self.hosts.get(&result.host) {
                    lock(&host.changed).push(result.task.clone());
                }
            }
            Some(delegates) => {
                for host in delegates
                    .split(", ")
                    .filter_map(|name| self.hosts.get(name))
                {
                    let words = format!("{} (for {})", result.task, result.host);
                    lock(&host.changed).push(words.into());
                }
            }
        }
    }

    /// sudo refused a password: no further host is to count it as an attack.
    pub fn wrong_password(&self) {
        self.password_refused.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// Whether that host may be silent: it is to be forgotten.
    pub fn spares(&self, host: &HostState) -> bool {
        let lost = match &self.settings.goal {
            Some(Goal::Forget(lost)) => lost,
            _ => return false,
        };
        *host.name == *lost.name && host.out() == Out::Unreachable
    }

    /// Remembers that something was written.
    pub fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }
}

/// How a host is out of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Out {
    /// It is not.
    Alive,
    /// A task failed.
    Failed,
    /// It could not be reached, or was lost.
    Unreachable,
    /// The run was told to stop.
    Interrupted,
}

/// One host of a run.
pub struct HostState {
    /// Its name.
    pub name: Arc<str>,
    /// What the inventory says of it.
    pub host: Host,
    /// How it is reached.
    pub connection: Connection,
    /// The login user.
    pub login: String,
    /// Whether the shell on it runs as root.
    pub root: bool,
    /// The connection, once made.
    pub node: tokio::sync::Mutex<Option<Node>>,
    /// What is known of the node between plays.
    pub known: Mutex<Known>,
    vars: Mutex<RunVars>,
    tally: Mutex<Tally>,
    out: Mutex<Out>,
    entered: AtomicBool,
    /// Whether it said, when it was connected, that it takes visitors.
    pub serves: AtomicBool,
    failed: AtomicBool,
    /// Another host acted here: what its own run knows of it may be old.
    pub stale: AtomicBool,
    /// It could not be reached for its facts, and its play goes on without them.
    pub factless: AtomicBool,
    /// Something passed over that it could not be reached.
    pub missed: AtomicBool,
    why: Mutex<String>,
    /// In a plan: the task that may alter anything here; what comes behind it may find other things.
    pub behind: Mutex<Option<Arc<str>>>,
    /// A port that sshd was kept on beside its new one.
    pub kept: Mutex<Option<way_in::Kept>>,
    /// Handlers that earlier runs owe here.
    pub owed: Mutex<Vec<OwedEntry>>,
    /// The tasks that changed something here, for the node's log.
    pub changed: Mutex<Vec<Arc<str>>>,
    /// Notes to take away at the end: their handlers needed nothing.
    pub paid: Mutex<Vec<String>>,
    /// Notes of handlers that are due.
    pub due: Mutex<HashSet<String>>,
    /// The machine it is, once it is connected.
    pub machine: OnceLock<Arc<Machine>>,
}

/// Variables a run sets on a host.
#[derive(Default)]
pub struct RunVars {
    /// `ansible_facts`, once gathered.
    pub facts: Option<Native>,
    /// Registered results and `set_fact`.
    pub set: HashMap<Arc<str>, Native>,
    /// What `include_vars` read, later ones stronger; weaker than `set`.
    pub read: Vec<Arc<Map>>,
    /// Roles that a play included and whose variables all its tasks see, with the number of that play.
    pub shown: Vec<(usize, Arc<Role>)>,
}

impl HostState {
    /// A host nothing is known of yet.
    pub fn new(
        host: Host,
        connection: Connection,
        login: String,
        root: bool,
        diff: bool,
    ) -> HostState {
        HostState {
            name: host.name.as_str().into(),
            host,
            connection,
            login,
            root,
            node: tokio::sync::Mutex::new(None),
            known: Mutex::new(Known::new(diff)),
            vars: Mutex::default(),
            tally: Mutex::default(),
            out: Mutex::new(Out::Alive),
            entered: AtomicBool::new(false),
            serves: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stale: AtomicBool::new(false),
            factless: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            why: Mutex::default(),
            behind: Mutex::default(),
            kept: Mutex::default(),
            owed: Mutex::default(),
            changed: Mutex::default(),
            paid: Mutex::default(),
            due: Mutex::default(),
            machine: OnceLock::new(),
        }
    }

    /// The same host for a run beside this one: not connected, with the variables set so far.
    pub fn again(&self) -> HostState {
        let (host, connection) = (self.host.clone(), self.connection.clone());
        let again = HostState::new(host, connection, self.login.clone(), self.root, false);
        let vars = self.vars();
        *lock(&again.vars) = RunVars {
            facts: vars.facts.clone(),
            set: vars.set.clone(),
            read: vars.read.clone(),
            shown: vars.shown.clone(),
        };
        *lock(&again.owed) = lock(&self.owed).clone();
        drop(vars);
        again
    }

    /// Remembers why it is out, or will be.
    pub fn because(&self, why: String) {
        *lock(&self.why) = why;
    }

    /// Why it is out; the last failure.
    pub fn why_out(&self) -> String {
        lock(&self.why).clone()
    }

    /// The variables set on it.
    pub fn vars(&self) -> MutexGuard<'_, RunVars> {
        lock(&self.vars)
    }

    /// Its counts.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// Whether it is out.
    pub fn out(&self) -> Out {
        *lock(&self.out)
    }

    /// Takes it out; the first reason stays.
    pub fn take_out(&self, why: Out) {
        let mut out = lock(&self.out);
        if *out == Out::Alive {
            *out = why;
        }
    }

    /// Remembers that a task failed for good; only forced handlers may still run.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether a task failed for good, or it could not be reached.
    pub fn is_bad(&self) -> bool {
        self.failed.load(Ordering::Acquire) || matches!(self.out(), Out::Failed | Out::Unreachable)
    }

    /// Remembers that it came to its tasks.
    pub fn enter(&self) {
        self.entered.store(true, Ordering::Relaxed);
    }

    /// Whether it came to its tasks.
    pub fn entered(&self) -> bool {
        self.entered.load(Ordering::Relaxed)
    }
}

/// A lock whose holder panicked still guards whole data: everything here is replaced at once.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}
