//! The environment of the process: read once, here, and handed down.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::pipeline::Pipeline;
use crate::secret::{PASSWORD_VARIABLE, Secret};

/// What the environment says, and which of the standard streams are terminals.
#[derive(Debug, Clone)]
pub struct Environment {
    /// When it was read: the beginning of the command.
    pub started: Instant,
    /// The words of the command line, without the program.
    pub words: Vec<String>,
    /// The working folder.
    pub folder: PathBuf,
    /// The home folder of who runs this.
    pub home: Option<PathBuf>,
    /// The name of who runs this.
    pub user: String,
    /// Their number on this machine.
    pub uid: u32,
    /// The name of this machine.
    pub machine: String,
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// The page of the pipeline that this is part of, as GitHub, GitLab or Jenkins say it.
    pub pipeline: Option<String>,
    /// The pipeline that shows what is told for it.
    pub ci: Option<Pipeline>,
    /// Whether no human waits for the answer: `CI=true`.
    pub unattended: bool,
    /// Whether colours are not wanted: `NO_COLOR`, or a terminal that has none.
    pub colourless: bool,
    /// `XDG_STATE_HOME`, when it is an absolute path.
    pub state_home: Option<PathBuf>,
    /// `COLUMNS`, else the width of the terminal.
    pub columns: Option<usize>,
    /// `HADEPLOY_VAULT_PASSWORD`: the password of vaults itself.
    pub vault_password: Option<Secret>,
    /// `ANSIBLE_VAULT_PASSWORD_FILE`.
    pub vault_password_file: Option<PathBuf>,
    /// `HADEPLOY_AGE_IDENTITY`: a file of private keys.
    #[cfg(feature = "age")]
    pub age_identity: Option<PathBuf>,
    /// `VISUAL`, else `EDITOR`, as words.
    pub editor: Option<String>,
    /// `XDG_RUNTIME_DIR`, which only its user reads and which is on no disk.
    pub runtime: Option<PathBuf>,
    /// `HADEPLOY_LOG`, else `RUST_LOG`.
    pub log_filter: Option<String>,
    /// All of it, for the lookup `env` and for `${NAME}` in ssh configurations.
    pub variables: Variables,
    /// Whether standard input is a terminal.
    pub asks: bool,
    /// Whether standard output is a terminal.
    pub shows: bool,
    /// Whether standard error is a terminal.
    pub tells: bool,
}

/// The variables of the environment, but for the password of vaults. Their values may be secret, so they are not shown.
#[derive(Clone)]
pub struct Variables(pub HashMap<String, String>);

impl Variables {
    fn read() -> Variables {
        let all = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Variables(all.filter(|(name, _)| name != PASSWORD_VARIABLE).collect())
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
}

impl Environment {
    /// Reads it.
    pub fn read() -> Environment {
        let home = path("HOME");
        Environment {
            started: Instant::now(),
            words: env::args_os()
                .skip(1)
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            folder: env::current_dir().unwrap_or_default(),
            user: text("USER")
                .or_else(|| text("LOGNAME"))
                .or_else(account)
                .unwrap_or_else(|| "root".to_owned()),
            uid: uid().unwrap_or(0),
            machine: fs::read_to_string("/proc/sys/kernel/hostname")
                .map(|name| name.trim().to_owned())
                .unwrap_or_else(|_| "localhost".to_owned()),
            agent: path("SSH_AUTH_SOCK"),
            pipeline: pipeline(text),
            unattended: text("CI").is_some_and(|ci| matches!(ci.as_str(), "true" | "1")),
            colourless: text("NO_COLOR").is_some() || text("TERM").as_deref() == Some("dumb"),
            state_home: path("XDG_STATE_HOME").filter(|path| path.is_absolute()),
            ci: Pipeline::of(text),
            columns: text("COLUMNS")
                .and_then(|columns| columns.parse().ok())
                .or_else(terminal_width)
                .filter(|columns| *columns >= 20),
            vault_password: text(PASSWORD_VARIABLE).map(Secret::new),
            vault_password_file: path("ANSIBLE_VAULT_PASSWORD_FILE"),
            #[cfg(feature = "age")]
            age_identity: path("HADEPLOY_AGE_IDENTITY"),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            runtime: path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()),
            variables: Variables::read(),
            log_filter: text("HADEPLOY_LOG").or_else(|| text("RUST_LOG")),
            asks: std::io::stdin().is_terminal(),
            shows: std::io::stdout().is_terminal(),
            tells: std::io::stderr().is_terminal(),
            home,
        }
    }

    /// `path` with a leading `~/` as the home folder.
    pub fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }

    /// Where the logs of runs go unless a setting says otherwise; none without a home.
    pub fn runs(&self) -> Option<PathBuf> {
        let state = match (&self.state_home, &self.home) {
            (Some(state), _) => state.clone(),
            (None, Some(home)) => home.join(".local/state"),
            (None, None) => return None,
        };
        Some(state.join("hadeploy/runs"))
    }
}

/// Where people can look at the pipeline, by what `text` says of the environment.
fn pipeline(text: impl Fn(&str) -> Option<String>) -> Option<String> {
    let github = || {
        let server = text("GITHUB_SERVER_URL")?;
        let (repository, run) = (text("GITHUB_REPOSITORY")?, text("GITHUB_RUN_ID")?);
        Some(format!("{server}/{repository}/actions/runs/{run}"))
    };
    github()
        .or_else(|| text("CI_JOB_URL"))
        .or_else(|| text("CI_PIPELINE_URL"))
        .or_else(|| text("BUILD_URL"))
}

/// A variable that is set to something.
fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The width of the terminal that standard output, else standard error, is.
fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size()?;
    Some(usize::from(width.0))
}

fn uid() -> Option<u32> {
    Some(fs::metadata("/proc/self").ok()?.uid())
}

/// The account that owns this process, for services and cron, which set no `USER`.
fn account() -> Option<String> {
    let uid = uid()?.to_string();
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(home: Option<&str>, state: Option<&str>) -> Environment {
        Environment {
            home: home.map(PathBuf::from),
            state_home: state.map(PathBuf::from),
            ..Environment::read()
        }
    }

    #[test]
    fn runs_are_below_the_state_folder() {
        let runs = |home, state| with(home, state).runs();
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(runs(Some("/h"), Some("/s")), path("/s/hadeploy/runs"));
        assert_eq!(
            runs(Some("/h"), None),
            path("/h/.local/state/hadeploy/runs")
        );
        assert_eq!(runs(None, None), None);
    }

    #[test]
    fn a_pipeline_has_a_page() {
        let with = |vars: &'static [(&str, &str)]| {
            pipeline(|name| {
                let found = vars.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        const GITHUB: &[(&str, &str)] = &[
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "ann/site"),
            ("GITHUB_RUN_ID", "17"),
        ];
        let page = with(GITHUB);
        assert_eq!(
            page.as_deref(),
            Some("https://github.com/ann/site/actions/runs/17")
        );
        assert_eq!(with(&[("GITHUB_RUN_ID", "17")]), None);
        assert_eq!(
            with(&[("CI_JOB_URL", "https://git/j/1")]).as_deref(),
            Some("https://git/j/1")
        );
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn only_a_leading_tilde_is_home() {
        let env = with(Some("/h"), None);
        assert_eq!(env.expand(Path::new("~/k")), Path::new("/h/k"));
        assert_eq!(env.expand(Path::new("a/~/k")), Path::new("a/~/k"));
        assert_eq!(env.expand(Path::new("~bob/k")), Path::new("~bob/k"));
    }
}
