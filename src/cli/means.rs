//! What a run is given: the ways to hosts, what hides secrets, and how it is run.

use std::sync::Arc;

use jiff::Timestamp;

use super::defaults::Defaults;
use super::environment::Environment;
use super::load::Loaded;
use super::run::Work;
use super::{command_line, prompt};
use crate::engine::{Network, Origin, Settings};
use crate::node::LeaseInfo;
use crate::playbook::Project;
use crate::secret::{Masker, Secret};
use crate::transport::ssh::config::{SshConfig, Who};
use crate::transport::ssh::{HostKeyRule, SshClient};

/// Hosts worked on at once unless something else is said.
const FORKS: usize = 50;

/// What the plan before an apply and the apply itself share: connections ask for passphrases once.
pub struct Means {
    /// The ways to hosts.
    pub reach: Arc<Network>,
    /// Hides secrets.
    pub masker: Arc<Masker>,
    /// The password of sudo.
    pub password: Option<Secret>,
}

impl Means {
    /// With the password of sudo, which is shown nowhere, like what was in vaults.
    pub fn new(password: Option<Secret>, project: &Project, env: &Environment) -> Means {
        let masker = Arc::new(project.keyring.masker().clone());
        if let Some(password) = &password {
            masker.add(password);
        }
        Means {
            reach: Arc::new(Network::new(SshClient::new(prompt::passphrases(env)))),
            masker,
            password,
        }
    }
}

/// Who a second run is told of: the account and machine, and the page of the pipeline where this is part of one.
fn holder(env: &Environment) -> String {
    let who = format!("{}@{}", env.user, env.machine);
    match &env.pipeline {
        Some(page) => format!("{who} ({page})"),
        None => who,
    }
}

/// The ssh configuration of who runs this.
fn ssh_config(defaults: &Defaults, env: &Environment) -> SshConfig {
    let who = Who {
        user: env.user.clone(),
        uid: env.uid,
        home: env.home.clone(),
        machine: env.machine.clone(),
        variables: env.variables.0.clone(),
    };
    let user_file = env.home.as_ref().map(|home| home.join(".ssh/config"));
    SshConfig::new(who, user_file, Some("/etc/ssh/ssh_config".into()))
        .with_usual(defaults.ssh_arguments.clone())
}

/// How a run of that name is run. It has no log yet.
pub fn settings(
    work: &Work,
    loaded: &Loaded,
    means: &Means,
    id: String,
    env: &Environment,
) -> Settings {
    let now = Timestamp::now();
    let (nodes, defaults) = (&work.nodes, &loaded.defaults);
    let key = nodes.private_key.as_ref().map(|path| env.expand(path));
    let host_keys = nodes.host_key_checking.map(Into::into);
    Settings {
        mode: work.mode,
        run_id: id.into(),
        forks: nodes
            .forks
            .map(usize::from)
            .or(defaults.forks)
            .unwrap_or(FORKS),
        lock_timeout: work
            .lock_timeout
            .or(defaults.lock_timeout)
            .unwrap_or_default(),
        diff: nodes.diff,
        verbosity: work.project.base.verbose,
        become_password: means.password.clone(),
        force_become: nodes.become_root || defaults.become_root,
        user: nodes.user.clone().or(defaults.remote_user.clone()),
        private_key: key.or(defaults.private_key.clone()),
        local_user: env.user.clone(),
        ssh: Arc::new(ssh_config(defaults, env)),
        agent: env.agent.clone(),
        host_keys: HostKeyRule {
            always: host_keys,
            usual: defaults.host_key_checking,
            only_look: false,
        },
        lease: LeaseInfo {
            holder: holder(env),
            command: command_line::shown(&env.words),
            since: format!("{now:.0}"),
        },
        origin: Origin::default(),
        log: None,
        rolling: work.rolling.clone(),
        goal: work.clusters.as_ref().map(|(_, goal)| goal.clone()),
        first: work.first.clone(),
        record: None,
        promise: None,
        questions: None,
    }
}
