//! `ansible.cfg`, which is Ansible's own: what of it is taken lies below the command line and `hadeploy.yml`; of the rest `hadeploy validate`
//! says what to give instead.

mod taken;

use std::borrow::Cow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::taken::{folders, split, under};
use super::defaults::Defaults;
use super::environment::Environment;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The name of the file.
const FILE: &str = "ansible.cfg";

/// The variable that names another one.
const VARIABLE: &str = "ANSIBLE_CONFIG";

/// What a setting says when it asks for what is done here anyway.
const USUAL: &[(&str, &[&str])] = &[
    ("gathering", &["implicit", "smart"]),
    ("hash_behaviour", &["replace"]),
    ("strategy", &["linear"]),
    ("force_handlers", &["false"]),
    ("any_errors_fatal", &["false"]),
    ("error_on_undefined_vars", &["true"]),
    ("jinja2_native", &["true"]),
    ("become_method", &["sudo"]),
    ("become_user", &["root"]),
    ("become_ask_pass", &["false"]),
    ("stdout_callback", &["default"]),
];

/// Settings that decide what a run does and are not taken, by section, and what does the same here. All others concern only how Ansible works
/// or looks.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "defaults",
        "remote_port",
        "set `ansible_port` for the hosts",
    ),
    (
        "defaults",
        "vault_identity_list",
        "give `--vault-id` for each",
    ),
    (
        "defaults",
        "hash_behaviour",
        "variables are replaced, never merged: use `combine`",
    ),
    (
        "defaults",
        "gathering",
        "facts come with the first script: give `gather_facts` on the play",
    ),
    (
        "defaults",
        "force_handlers",
        "give `force_handlers` on the play",
    ),
    (
        "defaults",
        "any_errors_fatal",
        "give `any_errors_fatal` on the play",
    ),
    (
        "defaults",
        "error_on_undefined_vars",
        "what is not defined is always an error: use `default`",
    ),
    (
        "defaults",
        "jinja2_extensions",
        "extensions of Jinja are not loaded",
    ),
    (
        "defaults",
        "jinja2_native",
        "an expression alone always keeps its type",
    ),
    (
        "defaults",
        "strategy",
        "hosts go on together where the order can matter; remove the line",
    ),
    (
        "defaults",
        "log_path",
        "each run has a log: `log_dir` in hadeploy.yml",
    ),
    (
        "defaults",
        "library",
        "modules of your own are not run: use `script` or `command`",
    ),
    ("defaults", "action_plugins", "plugins are not loaded"),
    (
        "defaults",
        "filter_plugins",
        "plugins are not loaded: use the filters that there are",
    ),
    ("defaults", "lookup_plugins", "plugins are not loaded"),
    ("defaults", "test_plugins", "plugins are not loaded"),
    ("defaults", "vars_plugins", "plugins are not loaded"),
    (
        "defaults",
        "callback_plugins",
        "plugins are not loaded: read the events of `--output json`",
    ),
    (
        "defaults",
        "stdout_callback",
        "give `--output json` for programs",
    ),
    (
        "defaults",
        "callbacks_enabled",
        "plugins are not loaded: read the events of `--output json`",
    ),
    (
        "inventory",
        "enable_plugins",
        "plugins are not loaded: give an executable that prints JSON as `-i`",
    ),
    (
        "privilege_escalation",
        "become_user",
        "give `become_user` on the play",
    ),
    ("privilege_escalation", "become_method", "sudo is used"),
    ("privilege_escalation", "become_ask_pass", "give `-K`"),
    (
        "ssh_connection",
        "retries",
        "a lost connection is always made again",
    ),
];

/// The file that counts.
pub struct Cfg {
    source: Arc<Source>,
}

impl Cfg {
    /// The one that `ANSIBLE_CONFIG` names, else the one in the working folder, as in Ansible; else the one beside a playbook. In a folder that
    /// anybody may write to it could be anybody's, and is passed over, as in Ansible.
    pub fn find(env: &Environment, playbooks: &[String]) -> Option<Cfg> {
        let named = env.variables.0.get(VARIABLE).filter(|it| !it.is_empty());
        let named = named.map(|path| match Path::new(path).is_dir() {
            true => env.expand(Path::new(path)).join(FILE),
            false => env.expand(Path::new(path)),
        });
        let read = |name: &Path| {
            let text = std::fs::read_to_string(env.folder.join(name)).ok()?;
            Some(Cfg {
                source: Source::new(name.display().to_string(), text),
            })
        };
        if let Some(cfg) = named.and_then(|name| read(&name)) {
            return Some(cfg);
        }
        let beside = playbooks
            .iter()
            .filter_map(|playbook| Path::new(playbook).parent());
        let mut places = std::iter::once(PathBuf::new()).chain(beside.map(Path::to_owned));
        places.find_map(|place| {
            let folder = std::fs::metadata(env.folder.join(&place)).ok()?;
            match folder.permissions().mode() & 0o002 {
                0 => read(&place.join(FILE)),
                _ => None,
            }
        })
    }

    /// A warning for each setting that decides what a run does and is not taken.
    pub fn notes(&self) -> Vec<Diagnostic> {
        let mut notes = Vec::new();
        for row in rows(&self.source) {
            let known = SETTINGS
                .iter()
                .find(|known| known.0 == row.section && known.1 == row.key);
            let Some((_, _, instead)) = known.filter(|_| !row.is_usual()) else {
                continue;
            };
            let message = format!("`{}` of ansible.cfg is not read here", row.key);
            notes.push(Diagnostic::warning(&self.span(&row), message).help(*instead));
        }
        notes
    }

    /// The folder that it lies in, from the working folder.
    fn folder(&self) -> PathBuf {
        let folder = Path::new(self.source.name()).parent();
        folder.map(Path::to_owned).unwrap_or_default()
    }

    /// A setting that is taken; the last one counts.
    fn row(&self, section: &str, key: &str) -> Option<Row<'_>> {
        debug_assert!(taken::TAKEN.contains(&(section, key)), "{key}");
        let rows = rows(&self.source);
        let row = rows
            .into_iter()
            .rfind(|row| row.section == section && row.key == key);
        row.filter(|row| !row.value.is_empty())
    }

    /// The place of a setting's name.
    fn span(&self, row: &Row<'_>) -> Span {
        let start = u32::try_from(row.start).unwrap_or_default();
        Span::new(&self.source, start, start + row.key.len() as u32)
    }
}

/// What is said of the file in a folder: what is wrong with it, and what of it is not taken.
pub fn read_in(folder: &Path) -> Vec<Diagnostic> {
    let mut env = Environment::read();
    env.variables.0.remove(VARIABLE);
    env.folder = folder.to_owned();
    let Some(cfg) = Cfg::find(&env, &[]) else {
        return Vec::new();
    };
    let mut said = cfg.notes();
    said.extend(
        under(&cfg, &mut Defaults::default(), &env)
            .err()
            .into_iter()
            .flatten(),
    );
    said
}

/// A setting as it stands in the file.
struct Row<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
    /// Where its line begins.
    start: usize,
}

impl Row<'_> {
    /// Whether it asks for what is done here anyway.
    fn is_usual(&self) -> bool {
        let said = match taken::boolean(self.value) {
            Some(true) => Cow::Borrowed("true"),
            Some(false) => Cow::Borrowed("false"),
            None => Cow::Owned(self.value.to_ascii_lowercase()),
        };
        let usual = USUAL.iter().find(|usual| usual.0 == self.key);
        usual.is_some_and(|(_, values)| values.contains(&said.as_ref()))
    }
}

fn rows(source: &Source) -> Vec<Row<'_>> {
    let mut section = "";
    let mut rows = Vec::new();
    let mut at = 0;
    for line in source.text().split_inclusive('\n') {
        let start = at;
        at += line.len();
        let words = line.trim();
        if let Some(name) = words
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.trim();
        }
        // A line that begins with white space goes on with the value above it.
        let Some((key, value)) = line
            .split_once(['=', ':'])
            .filter(|_| !line.starts_with([' ', '\t', '#', ';', '[']))
        else {
            continue;
        };
        // As in Ansible, a semicolon behind white space begins a comment.
        let value = value.split(" ;").next().unwrap_or(value);
        rows.push(Row {
            section,
            key: key.trim(),
            value: value.trim(),
            start,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{Cfg, SETTINGS, Source, taken::TAKEN};

    #[test]
    fn only_what_decides_something_and_is_not_taken_is_named() {
        let text = "library = no section\n[defaults]\n# library = 5\nlibrary: 5\nnocows = 1\nfilter_plugins = a\n  :b = c\n[galaxy]\nlibrary = 1\n\
            [defaults]\ngathering = smart\nforks = 3\njinja2_native = Yes\n[privilege_escalation]\nbecome_user = www\n";
        let cfg = Cfg {
            source: Source::new("ansible.cfg", text),
        };
        let notes = cfg.notes();
        let at = |line: usize| {
            notes
                .iter()
                .filter(|note| note.one_line().contains(&format!(":{line}:")))
                .count()
        };
        assert_eq!((notes.len(), at(4), at(6), at(15)), (3, 1, 1, 1));
    }

    #[test]
    fn nothing_is_both_taken_and_not_read() {
        let both = |row: &&(&str, &str, &str)| TAKEN.contains(&(row.0, row.1));
        assert_eq!(SETTINGS.iter().find(both), None);
    }
}
