//! `ansible.cfg`, which is Ansible's own: of what a project sets there only `collections_path` is read here; of the rest `hadeploy validate`
//! says what to give instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// The name of the file.
const FILE: &str = "ansible.cfg";

/// Settings that decide what a run does, by section, and what does the same here. All others concern only how Ansible works or looks.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "defaults",
        "inventory",
        "give `-i`, or `inventory` in hadeploy.yml",
    ),
    (
        "defaults",
        "roles_path",
        "put roles, or links to them, into `roles/` beside the playbook",
    ),
    (
        "defaults",
        "remote_user",
        "give `-u`, or `remote_user` in hadeploy.yml or on the play",
    ),
    (
        "defaults",
        "remote_port",
        "set `ansible_port` for the hosts",
    ),
    (
        "defaults",
        "private_key_file",
        "give `--private-key`, or `private_key_file` in hadeploy.yml",
    ),
    (
        "defaults",
        "vault_password_file",
        "give `--vault-password-file`, or `vault_password_file` in hadeploy.yml",
    ),
    (
        "defaults",
        "vault_identity_list",
        "give `--vault-id` for each",
    ),
    (
        "defaults",
        "host_key_checking",
        "give `--host-key-checking`, or `host_key_checking` in hadeploy.yml",
    ),
    (
        "defaults",
        "forks",
        "give `--forks`, or `forks` in hadeploy.yml",
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
        "timeout",
        "give ConnectTimeout in `ansible_ssh_common_args`",
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
        "become",
        "give `-b`, or `become: true` on the play",
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
        "ssh_args",
        "set `ansible_ssh_common_args` for the hosts",
    ),
    (
        "ssh_connection",
        "ssh_common_args",
        "set `ansible_ssh_common_args` for the hosts",
    ),
    (
        "ssh_connection",
        "ssh_extra_args",
        "set `ansible_ssh_extra_args` for the hosts",
    ),
    (
        "ssh_connection",
        "retries",
        "a lost connection is always made again",
    ),
];

/// A warning for each setting that decides what a run does, in the file that Ansible would read in the working folder, else in the one
/// beside a playbook.
pub fn notes(folder: &Path, playbooks: &[String]) -> Vec<Diagnostic> {
    find(folder, playbooks).map_or(Vec::new(), |source| of(&source))
}

/// What that file says of `collections_path`, and the folder that relative parts of it start in.
pub fn collections_path(folder: &Path, playbooks: &[String]) -> Option<(String, PathBuf)> {
    let source = find(folder, playbooks)?;
    let rows = rows(&source);
    let row = rows
        .iter()
        .rfind(|row| row.section == "defaults" && row.key == "collections_path")?;
    let beside = Path::new(source.name()).parent().map(Path::to_owned);
    Some((row.value.to_owned(), beside.unwrap_or_default()))
}

fn find(folder: &Path, playbooks: &[String]) -> Option<Arc<Source>> {
    let beside = playbooks
        .iter()
        .filter_map(|playbook| Path::new(playbook).parent());
    let mut places = std::iter::once(PathBuf::new()).chain(beside.map(Path::to_owned));
    places.find_map(|place| {
        let name = place.join(FILE);
        let text = std::fs::read_to_string(folder.join(&name)).ok()?;
        Some(Source::new(name.display().to_string(), text))
    })
}

/// A setting as it stands in the file.
struct Row<'a> {
    section: &'a str,
    key: &'a str,
    value: &'a str,
    /// Where its line begins.
    start: usize,
}

fn of(source: &Arc<Source>) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    for Row {
        section,
        key,
        start,
        ..
    } in rows(source)
    {
        let known = SETTINGS.iter().find(|row| row.0 == section && row.1 == key);
        if let (Some((_, _, instead)), Ok(start)) = (known, u32::try_from(start)) {
            let span = Span::new(source, start, start + key.len() as u32);
            let message = format!("`{key}` of ansible.cfg is not read here");
            notes.push(Diagnostic::warning(&span, message).help(*instead));
        }
    }
    notes
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
    use super::{Source, of};

    #[test]
    fn only_what_decides_something_is_named() {
        let text = "inventory = no section\n[defaults]\n# forks = 5\nforks: 5\nnocows = 1\nroles_path = a\n  :b = c\n[galaxy]\nforks = 1\n";
        let notes = of(&Source::new("ansible.cfg", text));
        let at = |line: usize| {
            notes
                .iter()
                .filter(|note| note.one_line().contains(&format!(":{line}:")))
                .count()
        };
        assert_eq!((notes.len(), at(4), at(6)), (2, 1, 1));
    }
}
