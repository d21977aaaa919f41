//! Runs a playbook on played hosts and keeps what was told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hadeploy::engine::{self, Origin, Questions, Rolling, Settings};
use hadeploy::event::{Event, Mode, Recap, Status, TaskResult};
use hadeploy::node::LeaseInfo;
use hadeploy::plan::{Promise, Record};
use hadeploy::playbook::{Options, Project, includes};
use hadeploy::secret::Masker;
use hadeploy::template::Templates;
use hadeploy::transport::ssh::config::{SshConfig, Who};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::played::{Host, Stage};

/// Played hosts and how they are run.
pub struct Bench {
    pub hosts: Vec<Arc<Host>>,
    /// Further names of hosts, each with what its line of the inventory says beside the host's own.
    pub twins: Vec<(String, Arc<Host>, String)>,
    pub forks: usize,
    pub lock_timeout: Duration,
    pub interrupt: CancellationToken,
    /// Where plans are kept.
    pub record: Option<Arc<Record>>,
    /// What applies have promised.
    pub promise: Option<Arc<Promise>>,
    /// What the command line says of a rolling update.
    pub rolling: Option<Rolling>,
    /// Where questions are answered.
    pub questions: Option<Arc<Questions>>,
    folder: tempfile::TempDir,
}

/// What a run told.
pub struct Told {
    pub events: Vec<Event>,
    pub recap: Recap,
}

impl Told {
    pub fn tasks(&self) -> impl Iterator<Item = &TaskResult> {
        self.events.iter().filter_map(|event| match event {
            Event::TaskFinished(result) => Some(&**result),
            _ => None,
        })
    }

    /// How a task ended on the only host.
    pub fn status(&self, task: &str) -> Option<Status> {
        self.tasks()
            .find(|result| &*result.task == task)
            .map(|result| result.status)
    }

    pub fn warnings(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Warning { message, .. } => Some(message.as_str()),
                _ => None,
            })
            .collect()
    }

    /// All that was told, for messages of tests.
    pub fn story(&self) -> String {
        let mut story = String::new();
        for event in &self.events {
            let line = match event {
                Event::TaskFinished(result) => format!(
                    "{} {}: {:?} {} {:?}",
                    result.host, result.task, result.status, result.msg, result.rc
                ),
                Event::HostUnreachable { host, error } => format!("{host}: {}", error.message),
                Event::Warning { host, message } => format!("{host:?}: {message}"),
                Event::Diagnostic(fault) => fault.one_line(),
                Event::Owed { host, handler, .. } => format!("{host} owes {handler}"),
                Event::RunFinished(recap) => format!("{} {:?}", recap.reason, recap.hosts),
                _ => continue,
            };
            story.push_str(&line);
            story.push('\n');
        }
        story
    }
}

impl Bench {
    pub fn new(hosts: &[&str]) -> Bench {
        Bench {
            hosts: hosts.iter().map(|name| Host::new(name)).collect(),
            twins: Vec::new(),
            forks: 50,
            lock_timeout: Duration::ZERO,
            interrupt: CancellationToken::new(),
            record: None,
            promise: None,
            rolling: None,
            questions: None,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn host(&self) -> &Arc<Host> {
        &self.hosts[0]
    }

    /// A file beside the playbook.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// Waits until the last run has given its leases back. It waits for that itself, but not for long: on a busy machine the next run would
    /// find them held, and ask once more.
    pub async fn rested(&self) {
        for host in &self.hosts {
            assert!(host.free().await);
        }
    }

    pub async fn apply(&self, plays: &str) -> Told {
        self.run(Mode::Apply, plays).await
    }

    pub async fn plan(&self, plays: &str) -> Told {
        self.run(Mode::Plan, plays).await
    }

    /// A run of the playbook `plays`, in which `{{ dir }}` is the host's folder.
    pub async fn run(&self, mode: Mode, plays: &str) -> Told {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let run_id = format!("run{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let recap = self.engine(mode, plays, &run_id, sender).await;
        let mut events = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            events.push(event);
        }
        Told { events, recap }
    }

    /// The run itself, for tests that give it up in the middle.
    pub fn engine(
        &self,
        mode: Mode,
        plays: &str,
        run_id: &str,
        events: mpsc::UnboundedSender<Event>,
    ) -> impl Future<Output = Recap> + Send + 'static {
        let (project, templates) = self.load(plays);
        let settings = Settings {
            mode,
            run_id: run_id.into(),
            forks: self.forks,
            lock_timeout: self.lock_timeout,
            diff: false,
            verbosity: 0,
            become_password: None,
            force_become: false,
            user: None,
            private_key: None,
            local_user: "nobody".to_owned(),
            ssh: Arc::new(SshConfig::new(
                Who {
                    user: "nobody".to_owned(),
                    ..Who::default()
                },
                None,
                None,
            )),
            agent: None,
            host_keys: Default::default(),
            lease: LeaseInfo {
                holder: "ann@a".to_owned(),
                command: "a test".to_owned(),
                since: "now".to_owned(),
            },
            origin: Origin::default(),
            log: None,
            rolling: self.rolling.clone(),
            goal: None,
            first: None,
            record: self.record.clone(),
            promise: self.promise.clone(),
            questions: self.questions.clone(),
        };
        engine::run(
            project,
            templates,
            Arc::new(Stage {
                hosts: self.hosts.clone(),
                twins: self
                    .twins
                    .iter()
                    .map(|(name, host, _)| (name.clone(), host.clone()))
                    .collect(),
            }),
            settings,
            Arc::new(Masker::new()),
            events,
            self.interrupt.clone(),
        )
    }

    fn load(&self, plays: &str) -> (Project, Arc<Templates>) {
        let mut inventory = "all:\n  hosts:\n".to_owned();
        let own = self.hosts.iter().map(|host| (&host.name, host, ""));
        let twins = self.twins.iter();
        let twins = twins.map(|(name, host, more)| (name, host, more.as_str()));
        for (name, host, more) in own.chain(twins) {
            inventory.push_str(&format!(
                "    {name}: {{ansible_user: {}, dir: {}{more}}}\n",
                host.login,
                host.path("").display().to_string().trim_end_matches('/')
            ));
        }
        let at = |name: &str, text: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path.to_str().expect("utf-8").to_owned()
        };
        let inventories = [at("inventory", &inventory)];
        let playbooks = [at("play.yml", plays)];
        let options = Options::default();
        let templates = Templates::with_includes(includes(&playbooks, &options.keyring));
        let (project, faults) = Project::load(&playbooks, &inventories, &options, &templates);
        let errors: Vec<String> = faults
            .iter()
            .filter(|fault| fault.is_error())
            .map(|fault| fault.one_line())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        (project, templates)
    }
}

/// Numbers from a seed, the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// Waits until a task has made its mark.
pub async fn begun(file: &Path) {
    for _ in 0..400 {
        if file.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} never came", file.display());
}
