//! `hadeploy.yml`: a project's defaults for options of the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, list};
use crate::source::Source;
use crate::value::{self, Kind, Map, Value};

/// The name of the file.
pub const FILE: &str = "hadeploy.yml";

/// What it may hold.
pub const KEYS: &[&str] = &[
    "inventory",
    "forks",
    "host_key_checking",
    "remote_user",
    "private_key_file",
    "vault_password_file",
    "age_identity_file",
    "age_recipients_file",
    "lock_timeout",
    "playbook",
    "deploy_playbook",
    "log_dir",
];

/// Defaults; what the command line says wins. Paths are relative to the folder of the file and joined with it here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `-i`, one or several; a list of hosts, with commas in it, stays as it is.
    pub inventory: Vec<PathBuf>,
    /// `--forks`, from 1 to 10,000.
    pub forks: Option<usize>,
    /// `--host-key-checking`.
    pub host_key_checking: Option<HostKeyChecking>,
    /// `-u`.
    pub remote_user: Option<String>,
    /// `--private-key`.
    pub private_key_file: Option<PathBuf>,
    /// `--vault-password-file`.
    pub vault_password_file: Option<PathBuf>,
    /// `--age-identity`.
    pub age_identity_file: Option<PathBuf>,
    /// `--recipients-file` of `hadeploy vault`.
    pub age_recipients_file: Option<PathBuf>,
    /// `--lock-timeout`.
    pub lock_timeout: Option<Duration>,
    /// The whole platform: where `hadeploy pg`, `redis` and `status` find the clusters.
    pub playbook: Option<PathBuf>,
    /// What `hadeploy deploy` and `hadeploy rollback` run.
    pub deploy_playbook: Option<PathBuf>,
    /// The folder of run logs.
    pub log_dir: Option<PathBuf>,
}

/// What is done about a host key that is not known. A changed key is always refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyChecking {
    /// Refuse it.
    Yes,
    /// Note it and go on.
    AcceptNew,
    /// Go on.
    No,
}

impl Settings {
    /// The settings of the nearest folder at or above `folder` that has a `hadeploy.yml`, and its path; defaults without one.
    pub fn nearest(folder: &Path) -> Result<(Settings, Option<PathBuf>), Vec<Diagnostic>> {
        let found = folder
            .ancestors()
            .map(|folder| folder.join(FILE))
            .find(|path| path.is_file());
        match found {
            Some(path) => Settings::read(&path).map(|settings| (settings, Some(path))),
            None => Ok((Settings::default(), None)),
        }
    }

    /// Reads one file.
    pub fn read(path: &Path) -> Result<Settings, Vec<Diagnostic>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![Diagnostic::error(format!(
                "cannot read `{}`: {error}",
                path.display()
            ))]
        })?;
        let value = value::parse_yaml_one(&Source::new(path.display().to_string(), text))?;
        let map = match &value.kind {
            Kind::Map(map) => map,
            Kind::Null => return Ok(Settings::default()),
            _ => {
                return Err(vec![Diagnostic::at(
                    &value.span,
                    format!("settings are a mapping, not {}", value.type_name()),
                )]);
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        Reader {
            folder,
            faults: Vec::new(),
        }
        .settings(map)
    }
}

struct Reader<'a> {
    folder: &'a Path,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn settings(mut self, map: &Map) -> Result<Settings, Vec<Diagnostic>> {
        let mut settings = Settings::default();
        for (key, entry) in map {
            let value = &entry.value;
            match key.as_ref() {
                "inventory" => {
                    let items = match value.as_list() {
                        Some(items) => items,
                        None => std::slice::from_ref(value),
                    };
                    let listed = |it: &Value| {
                        it.as_str()
                            .filter(|text| text.contains(','))
                            .map(PathBuf::from)
                    };
                    settings.inventory = items
                        .iter()
                        // A list of hosts lies in no folder.
                        .filter_map(|it| listed(it).or_else(|| self.path(key, it)))
                        .collect();
                }
                "forks" => settings.forks = self.forks(value),
                "host_key_checking" => settings.host_key_checking = self.host_keys(value),
                "remote_user" => settings.remote_user = self.text(key, value),
                "private_key_file" => settings.private_key_file = self.path(key, value),
                "vault_password_file" => settings.vault_password_file = self.path(key, value),
                "age_identity_file" => settings.age_identity_file = self.path(key, value),
                "age_recipients_file" => settings.age_recipients_file = self.path(key, value),
                "lock_timeout" => settings.lock_timeout = self.duration(key, value),
                "playbook" => settings.playbook = self.path(key, value),
                "deploy_playbook" => settings.deploy_playbook = self.path(key, value),
                "log_dir" => settings.log_dir = self.path(key, value),
                other => self.faults.push(
                    Diagnostic::at(&entry.key, format!("unknown setting `{other}`"))
                        .nearest(other, KEYS.iter().copied())
                        .help(format!("there are {}", list(KEYS.iter().copied()))),
                ),
            }
        }
        if self.faults.is_empty() {
            Ok(settings)
        } else {
            Err(self.faults)
        }
    }

    fn wrong(&mut self, key: &str, wanted: &str, value: &Value) {
        self.faults.push(Diagnostic::at(
            &value.span,
            format!("`{key}` must be {wanted}, not {}", value.type_name()),
        ));
    }

    fn text(&mut self, key: &str, value: &Value) -> Option<String> {
        match value.as_str().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong(key, "text", value);
                None
            }
        }
    }

    /// `~/…` stays as it is: whoever knows the environment resolves it.
    fn path(&mut self, key: &str, value: &Value) -> Option<PathBuf> {
        let text = self.text(key, value)?;
        if text.starts_with("~/") {
            return Some(PathBuf::from(text));
        }
        Some(self.folder.join(text))
    }

    fn forks(&mut self, value: &Value) -> Option<usize> {
        match value.kind {
            Kind::Int(number @ 1..=10_000) => usize::try_from(number).ok(),
            _ => {
                self.wrong("forks", "a whole number from 1 to 10000", value);
                None
            }
        }
    }

    fn host_keys(&mut self, value: &Value) -> Option<HostKeyChecking> {
        match (&value.kind, value.as_str()) {
            (Kind::Bool(true), _) | (_, Some("yes")) => Some(HostKeyChecking::Yes),
            (Kind::Bool(false), _) | (_, Some("no")) => Some(HostKeyChecking::No),
            (_, Some("accept-new")) => Some(HostKeyChecking::AcceptNew),
            (_, word) => {
                self.faults.push(
                    Diagnostic::at(
                        &value.span,
                        "`host_key_checking` must be `yes`, `accept-new` or `no`",
                    )
                    .nearest(word.unwrap_or(""), ["yes", "accept-new", "no"]),
                );
                None
            }
        }
    }

    /// Seconds, or text such as `90s`, `5m` and `1d`.
    fn duration(&mut self, key: &str, value: &Value) -> Option<Duration> {
        let duration = value.duration();
        if duration.is_none() {
            self.wrong(key, "a duration such as `90s`, `5m` or `1d`", value);
        }
        duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, text).expect("a file");
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).expect("folders");
        Settings::nearest(&below)
            .map(|(mut settings, found)| {
                assert_eq!(found.as_deref(), Some(path.as_path()));
                for path in &mut settings.inventory {
                    *path = path
                        .strip_prefix(folder.path())
                        .expect("beside the file")
                        .to_owned();
                }
                settings
            })
            .map_err(|faults| {
                faults
                    .iter()
                    .map(|fault| format!("{} {:?}", fault.message, fault.label))
                    .collect()
            })
    }

    #[test]
    fn settings_are_typed_and_found_from_below() {
        let settings = read(
            "inventory: [hosts.yml, more.yml]\nforks: 5\nhost_key_checking: accept-new\nlock_timeout: 5m\nremote_user: admin\n",
        )
        .expect("good settings");
        assert_eq!(
            settings.inventory,
            [Path::new("hosts.yml"), Path::new("more.yml")]
        );
        assert_eq!(settings.forks, Some(5));
        assert_eq!(settings.host_key_checking, Some(HostKeyChecking::AcceptNew));
        assert_eq!(settings.lock_timeout, Some(Duration::from_secs(300)));
        assert_eq!(read("").expect("an empty file"), Settings::default());
    }

    #[test]
    fn wrong_settings_are_said() {
        for (text, words) in [
            (
                "inventry: x\n",
                "unknown setting `inventry` Some(\"did you mean `inventory`?\")",
            ),
            ("forks: 0\n", "`forks` must be a whole number"),
            (
                "host_key_checking: maybe\n",
                "must be `yes`, `accept-new` or `no`",
            ),
            ("lock_timeout: soon\n", "`lock_timeout` must be a duration"),
            ("- x\n", "settings are a mapping, not a list"),
            ("log_dir: [x]\n", "`log_dir` must be text, not a list"),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
