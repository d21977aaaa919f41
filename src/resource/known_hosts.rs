//! `known_hosts`: by which keys accounts of the node know SSH servers.

mod lines;

use sha2::{Digest, Sha256};

use self::lines::{Line, hashed};
use super::attributes::Attributes;
use super::body::Body;
use super::edit::{self, Found};
use super::mode::FileMode;
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};

/// Keeps the keys of an SSH server in a known_hosts file, also where its name is hashed there. A key of the same algorithm takes the place of the
/// old one. Nothing is needed on the node for it, not even SSH.
///
/// # Differs from Ansible
/// - `key` may have several lines, as `ssh-keyscan` prints them: one for each algorithm; all are kept
/// - the folder `.ssh` in the account's home is made when it is missing, with the mode 0700
///
/// # Returns
/// - `name`: the host
/// - `key`: the keys as they were given
/// - `path`: the file
/// - `hash_host`: whether a new line has the name hashed
/// - `state`: `present` or `absent`
///
/// # Examples
/// ```yaml
/// - name: all accounts know the git server
///   known_hosts:
///     path: /etc/ssh/ssh_known_hosts
///     name: git.example
///     key: >-
///       git.example ssh-ed25519
///       AAAAC3NzaC1lZDI1NTE5AAAAIPz5jQ6uNWvLcl0pQPBWlMGBTfKjIhoaoQPWo4Nu5gy0
/// - name: another port
///   known_hosts:
///     name: "[git.example]:2222"
///     key: "{{ lookup('file', 'git.pub') }}"
///     hash_host: true
/// - name: one is not known any more
///   known_hosts: { name: old.example, state: absent }
/// ```
pub static KNOWN_HOSTS: Kind = Kind {
    name: "known_hosts",
    aliases: &["ansible.builtin.known_hosts", "ansible.legacy.known_hosts"],
    summary: "keeps the keys of an SSH server in a known_hosts file",
    params: &[
        Param::new(
            "name",
            ParamType::Str,
            "The host, as `key` has it; with a port of its own, `[HOST]:PORT`.",
        )
        .required()
        .aliases(&["host"]),
        Param::new(
            "key",
            ParamType::Str,
            "Lines of the file, each `HOST ALGORITHM KEY`. With `absent`, all keys of the host go when none is given.",
        ),
        Param::new("path", ParamType::Path, "The file.").default(DEFAULT),
        Param::new(
            "hash_host",
            ParamType::Bool,
            "Whether the name of a new line is hashed.",
        )
        .default("false"),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether the keys are there.",
        )
        .default("present"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

const DEFAULT: &str = "~/.ssh/known_hosts";
const MACHINE: &str = "/etc/machine-id";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let state = args.literal("state");
    if !args.has("key") && state != Some("absent") && (state.is_some() || !args.has("state")) {
        faults.push(
            Diagnostic::at(&args.span, "`known_hosts` needs `key`")
                .help("only `state: absent` can do without it"),
        );
    }
    if let Some(name) = args.literal("name") {
        if name.is_empty() || name.contains(|c: char| c == ',' || c.is_whitespace()) {
            let place = args.value_place("name");
            faults.push(
                Diagnostic::at(place, format!("`{name}` is not the name of one host"))
                    .help("write a task, or a turn of a loop, for each name"),
            );
        } else if let Some(text) = args.literal("key") {
            faults.extend(keys(text, name, args).err());
        }
    }
    faults
}

/// The lines of `key`, or what is wrong with one.
fn keys<'a>(text: &'a str, name: &str, args: &Args) -> Result<Vec<&'a str>, Diagnostic> {
    let place = args.value_place("key");
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    for line in &lines {
        let start: String = line.chars().take(40).collect();
        let well_formed = Line::read(line).filter(Line::is_well_formed);
        let Some(key) = well_formed else {
            let fault = Diagnostic::at(place, format!("`{start}…` is no line of known_hosts"));
            let bare = format!("{name} {line}");
            let help = match Line::read(&bare).is_some_and(|line| line.is_well_formed()) {
                true => format!("the name of the host stands before the key: `{name} {start}…`"),
                false => {
                    "a line is `HOST ssh-ed25519 AAAA…`, as `ssh-keyscan` prints it".to_owned()
                }
            };
            return Err(fault.help(help));
        };
        if !key.is_of(&name.to_ascii_lowercase()) {
            let fault = Diagnostic::at(
                place,
                format!("this key is of `{}`, not of `{name}`", key.hosts),
            );
            return Err(fault.help("`name` is one of the names before the key"));
        }
    }
    if lines.is_empty() {
        return Err(Diagnostic::at(place, "there is no key in `key`")
            .help("leave it out with `state: absent`: then all keys of the host go"));
    }
    Ok(lines)
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let name = args.str("name").unwrap_or_default();
    let keys = match args.str("key") {
        Some(text) => keys(text, name, args)?,
        None => Vec::new(),
    };
    let present = args.str("state") != Some("absent");
    if present && keys.is_empty() {
        return Err(Diagnostic::at(&args.span, "`known_hosts` needs `key`").into());
    }
    let path = trimmed(args.str("path").unwrap_or(DEFAULT));
    let own = Attributes::of_nobody(controller);
    let folder = own.with_mode(Some(FileMode::Bits(0o700)));
    // The home of who acts, not of who logs in.
    let dest = match path.strip_prefix("~/") {
        Some(rest) => format!("~{}/{rest}", controller.user()),
        None => path.to_owned(),
    };
    Ok(Box::new(KnownHosts {
        target: Target {
            folders: (present && path == DEFAULT).then_some(folder),
            dest: dest.into(),
            attributes: own,
            follow: true,
            force: true,
            backup: false,
            validate: None,
        },
        host: name.to_ascii_lowercase(),
        keys: keys.into_iter().map(str::to_owned).collect(),
        present,
        hashes: args.bool("hash_host", false),
        result: serde_json::json!({
            "name": name, "key": args.str("key"), "path": path,
            "hash_host": args.bool("hash_host", false), "state": args.str("state").unwrap_or("present"),
        }),
    }))
}

/// Keys of a host that are to be known, or not.
struct KnownHosts {
    target: Target,
    host: String,
    keys: Vec<String>,
    present: bool,
    hashes: bool,
    result: serde_json::Value,
}

impl Resource for KnownHosts {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = edit::questions(&self.target);
        if self.hashes && self.present {
            questions.push(Question::Path(MACHINE.into()));
            questions.push(Question::Text(MACHINE.into()));
        }
        known.need(questions)?;
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(String::from_utf8_lossy(&old).into_owned()),
            Found::Not(change) => return Ok(*change),
            Found::Absent => None,
        };
        let text = old.as_deref().unwrap_or_default();
        let new = match self.present {
            true => self.with(text, known)?,
            false => self.without(text),
        };
        let mut change = match new == text {
            true => Change::none(""),
            false => self.target.diff(known, &Body::new(new.into_bytes()))?,
        };
        if change.obstacle.is_some() {
            return Ok(change);
        }
        change.reason = match (change.action, self.present) {
            (Action::None, true) => format!("the keys of {} are there", self.host),
            (Action::None, false) => format!("the keys of {} are not there", self.host),
            _ => String::new(),
        };
        change.result = self.result.as_object().cloned().unwrap_or_default();
        Ok(change)
    }
}

impl KnownHosts {
    /// Each key takes the place of the first of its algorithm, or comes to the end.
    fn with(&self, text: &str, known: &Known) -> Result<String, Missing> {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        for key in &self.keys {
            let Some(wanted) = Line::read(key) else {
                continue;
            };
            let of_host = |line: &String| {
                Line::read(line)
                    .filter(|found| found.is_of(&self.host))
                    // A pattern is of many hosts, so its key is not replaced.
                    .map(|found| {
                        (
                            found.says_same(&wanted),
                            !found.is_pattern() && found.rivals(&wanted),
                        )
                    })
            };
            if lines.iter().filter_map(of_host).any(|(same, _)| same) {
                continue;
            }
            let line = format!("{}\n", self.line(key, &wanted, text, known)?);
            let old = lines
                .iter()
                .position(|line| of_host(line).is_some_and(|(_, rival)| rival));
            match old {
                // An old line may be of other names too: they keep their key.
                Some(at) => match self.others(&lines[at]) {
                    Some(rest) => {
                        lines[at] = rest;
                        lines.insert(at + 1, line);
                    }
                    None => lines[at] = line,
                },
                None => {
                    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
                        last.push('\n');
                    }
                    lines.push(line);
                }
            }
        }
        Ok(lines.concat())
    }

    /// The lines that stay, and what is left of those with other names too.
    fn without(&self, text: &str) -> String {
        let keys: Vec<Line> = self.keys.iter().filter_map(|key| Line::read(key)).collect();
        let goes = |line: &str| {
            Line::read(line).is_some_and(|found| {
                found.is_of(&self.host)
                    && !found.is_pattern()
                    && (keys.is_empty() || keys.iter().any(|key| key.says_same(&found)))
            })
        };
        text.split_inclusive('\n')
            .filter_map(|line| match goes(line) {
                true => self.others(line),
                false => Some(line.to_owned()),
            })
            .collect()
    }

    /// The line without the name of this host; none when no other name is in it.
    fn others(&self, line: &str) -> Option<String> {
        // A hashed name is one name.
        let found = Line::read(line).filter(|found| !found.hosts.starts_with('|'))?;
        let start = found.start(line);
        let names: Vec<&str> = found.hosts.split(',').collect();
        let rest: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !name.eq_ignore_ascii_case(&self.host))
            .collect();
        // Its address is given with it: it is the same host.
        let given = self.keys.iter().filter_map(|key| Line::read(key));
        let mut given =
            given.flat_map(|key| key.hosts.split(',').map(str::to_owned).collect::<Vec<_>>());
        let stays = !rest.is_empty() && !given.any(|name| rest.contains(&name.as_str()));
        let end = start + found.hosts.len();
        stays.then(|| format!("{}{}{}", &line[..start], rest.join(","), &line[end..]))
    }

    fn line(&self, key: &str, wanted: &Line, text: &str, known: &Known) -> Result<String, Missing> {
        if !self.hashes || wanted.hosts.starts_with("|1|") {
            return Ok(key.to_owned());
        }
        // What the node drew by chance, so that a plan that is made again comes to the same.
        let chance = known.text(MACHINE)?.cloned();
        let digest = Sha256::new()
            .chain_update(chance.as_deref().unwrap_or_default())
            .chain_update([0])
            .chain_update(key)
            .chain_update([0])
            .chain_update(text)
            .finalize();
        let mut salt = [0; 20];
        salt.copy_from_slice(&digest[..20]);
        let start = wanted.start(key);
        let end = start + wanted.hosts.len();
        let name = hashed(&salt, &self.host);
        Ok(format!("{}{name}{}", &key[..start], &key[end..]))
    }
}
