//! Options that several subcommands share, spelled as Ansible spells them.

mod form;

pub use form::{Form, Junit};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::defaults::Defaults;
use super::environment::Environment;
use super::load::refuse;
use super::usage;
use crate::playbook::{self, TagChoice};
use crate::transport::ssh;
use crate::value::parse_duration;

/// Where the hosts are, and how to answer.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What to work on")]
pub struct BaseArgs {
    /// Read hosts and groups from FILE; may be repeated
    #[arg(short, long, value_name = "FILE", alias = "inventory-file")]
    pub inventory: Vec<String>,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub junit: Junit,
    /// Show more: -v also what is unchanged, -vvv what hadeploy itself does
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// How to answer, where nothing else is shared.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    #[command(flatten)]
    pub output: Output,
}

/// Where the options of vaults stand among those of a command.
const VAULTS: &str = "What opens vaults";

/// The passwords of vaults.
#[derive(Debug, Clone, Default, Args)]
pub struct VaultArgs {
    /// Take the password labelled LABEL from SOURCE: a file, an executable
    /// script that prints it, or `prompt`; may be repeated
    #[arg(long, value_name = "LABEL@SOURCE", help_heading = VAULTS)]
    pub vault_id: Vec<String>,
    /// Take a password from FILE, or from what it prints if it is executable;
    /// may be repeated
    #[arg(long, value_name = "FILE", alias = "vault-pass-file", help_heading = VAULTS)]
    pub vault_password_file: Vec<PathBuf>,
    /// Open what age encrypted with the private keys in FILE: age's own, or one of
    /// OpenSSH's; may be repeated
    #[cfg(feature = "age")]
    #[arg(long, value_name = "FILE", help_heading = VAULTS)]
    pub age_identity: Vec<PathBuf>,
    /// Ask for a password of vaults when one is met
    #[arg(short = 'J', long, alias = "ask-vault-password", help_heading = VAULTS)]
    pub ask_vault_pass: bool,
}

/// The forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Lines for people.
    Human,
    /// One event a line.
    Json,
}

/// Which playbooks, and what of them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What to work on")]
pub struct ProjectArgs {
    /// The playbook; several are taken in order
    #[arg(required = true, value_name = "PLAYBOOK", help_heading = None::<&str>)]
    pub playbooks: Vec<String>,
    #[command(flatten)]
    pub base: BaseArgs,
    /// Keep only hosts that PATTERN selects: `web`, `n1,n2`, `all:!db`
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Keep only tasks with one of these tags
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Leave out tasks with one of these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,
    /// Set variables: NAME=VALUE, JSON, or @FILE; may be repeated
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// Begin at the task of that name
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Show the hosts of each play, and stop
    #[arg(long)]
    pub list_hosts: bool,
    /// Show the tasks of each play, and stop
    #[arg(long)]
    pub list_tasks: bool,
    /// Show the tags of each play, and stop
    #[arg(long)]
    pub list_tags: bool,
    #[command(flatten)]
    pub refused: RefusedArgs,
}

impl BaseArgs {
    /// Whether people read standard output, and may be asked.
    pub fn is_for_people(&self) -> bool {
        self.output == Output::Human && !self.junit.0
    }
}

impl ProjectArgs {
    /// Nothing but where the hosts are.
    pub fn without_playbook(base: BaseArgs) -> ProjectArgs {
        ProjectArgs {
            playbooks: Vec::new(),
            base,
            limit: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            extra_vars: Vec::new(),
            start_at_task: None,
            list_hosts: false,
            list_tasks: false,
            list_tags: false,
            refused: RefusedArgs::default(),
        }
    }

    /// As the project wants them.
    pub fn options(&self) -> playbook::Options {
        playbook::Options {
            tags: TagChoice {
                only: self.tags.clone(),
                skip: self.skip_tags.clone(),
            },
            limit: self.limit.clone(),
            extra: self.extra_vars.clone(),
            start_at_task: self.start_at_task.clone(),
            ..playbook::Options::default()
        }
    }
}

/// How nodes are reached and worked on.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How to work on nodes")]
pub struct NodeArgs {
    /// Work on so many hosts at once [default: 50]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub forks: Option<u16>,
    /// Log in as USER where the inventory says nothing
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Act as root, by sudo
    #[arg(short = 'b', long = "become")]
    pub become_root: bool,
    /// Ask for the password of sudo
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,
    /// Take the password of sudo from the first line of FILE
    #[arg(long, value_name = "FILE", alias = "become-pass-file")]
    pub become_password_file: Option<PathBuf>,
    /// Log in with the key in FILE
    #[arg(long, value_name = "FILE", alias = "key-file")]
    pub private_key: Option<PathBuf>,
    /// Refuse unknown host keys (yes), learn them (accept-new), or take all (no)
    #[arg(long, value_enum, value_name = "CHECK", hide_possible_values = true)]
    pub host_key_checking: Option<HostKeys>,
    /// Show the differences of texts
    #[arg(short = 'D', long)]
    pub diff: bool,
}

/// The words of `--host-key-checking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HostKeys {
    /// Refuse them
    Yes,
    /// Learn them
    AcceptNew,
    /// Take them, and learn nothing
    No,
}

impl From<HostKeys> for ssh::HostKeyChecking {
    fn from(keys: HostKeys) -> ssh::HostKeyChecking {
        match keys {
            HostKeys::Yes => ssh::HostKeyChecking::Yes,
            HostKeys::AcceptNew => ssh::HostKeyChecking::AcceptNew,
            HostKeys::No => ssh::HostKeyChecking::No,
        }
    }
}

/// `--lock-timeout`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "How to work on nodes")]
pub struct LockArgs {
    /// Wait so long for another run's lease: 90s, 5m [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub lock_timeout: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text);
    time.ok_or_else(|| "not a duration such as `90s`, `5m` or `1d`".to_owned())
}

/// What subcommands share that bring their playbook along, such as those of clusters and releases.
#[derive(Debug, Args)]
pub struct CommonArgs {
    #[command(flatten)]
    pub base: BaseArgs,
    /// The playbook that describes the platform [default: `playbook` of hadeploy.yml, or playbooks/site.yml]
    #[arg(long, value_name = "FILE", help_heading = "What to work on")]
    pub playbook: Option<String>,
    /// Set variables: NAME=VALUE, JSON, or @FILE; may be repeated
    #[arg(short, long, value_name = "VARS", help_heading = "What to work on")]
    pub extra_vars: Vec<String>,
    #[command(flatten)]
    pub nodes: NodeArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Do not ask whether to go on; what the playbook asks (vars_prompt, pause) it asks all the same
    #[arg(long, help_heading = "How to work on nodes")]
    pub yes: bool,
}

/// A playbook that need not be named on the command line.
pub struct UsualPlaybook {
    /// The key of `hadeploy.yml` that names it.
    pub key: &'static str,
    /// What that key says.
    pub named: fn(Defaults) -> Option<String>,
    /// Where it stands unless that says otherwise.
    pub path: &'static str,
}

impl UsualPlaybook {
    /// The one of the whole platform.
    pub const SITE: UsualPlaybook = UsualPlaybook {
        key: "playbook",
        named: |defaults| defaults.playbook,
        path: "playbooks/site.yml",
    };
}

impl CommonArgs {
    /// The project: the playbook of the command line, else the usual one.
    ///
    /// # Errors
    /// The exit status, when there is no such playbook; it is said.
    pub fn project(&self, usual: &UsualPlaybook, env: &Environment) -> Result<ProjectArgs, u8> {
        let playbook = match &self.playbook {
            Some(playbook) => playbook.clone(),
            None => {
                let defaults =
                    Defaults::read(env).map_err(|faults| refuse(&faults, &self.base, env))?;
                (usual.named)(defaults).unwrap_or_else(|| usual.path.to_owned())
            }
        };
        if self.playbook.is_none() && !Path::new(&playbook).exists() {
            return Err(usage(
                &format!("there is no playbook `{playbook}`"),
                &format!(
                    "name one with `--playbook`, or as `{}` in hadeploy.yml",
                    usual.key
                ),
            ));
        }
        Ok(ProjectArgs {
            playbooks: vec![playbook],
            extra_vars: self.extra_vars.clone(),
            ..ProjectArgs::without_playbook(self.base.clone())
        })
    }
}

/// What people who know Ansible may type: refused by name, each with what to do instead.
#[derive(Debug, Clone, Default, Args)]
pub struct RefusedArgs {
    #[arg(short = 'C', long, hide = true)]
    check: bool,
    #[arg(long, hide = true)]
    syntax_check: bool,
    #[arg(short = 'k', long, hide = true)]
    ask_pass: bool,
}

impl RefusedArgs {
    /// What is refused, and the help; none when nothing of it was given.
    pub fn first(&self) -> Option<(String, &'static str)> {
        let table = [
            (
                self.check,
                "`-C` is no option here",
                "`hadeploy plan` shows what an apply would change, and cannot write",
            ),
            (
                self.syntax_check,
                "`--syntax-check` is no option here",
                "`hadeploy validate` checks all files without connecting",
            ),
            (
                self.ask_pass,
                "`-k` is no option here",
                "hadeploy logs in with keys: `--private-key`, or an ssh-agent",
            ),
        ];
        let (_, message, help) = table.iter().find(|(given, ..)| *given)?;
        Some(((*message).to_owned(), help))
    }
}
