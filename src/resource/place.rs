//! Paths of a node and what stands there: guards and read-back, words for people, results for `register`.

use super::mode::octal;
use crate::change::{Change, Expect};
use crate::command::quote;
use crate::fact::{PathInfo, Stat};

/// What must stand at `path`, with all that `stat` says of kind, mode and owner; empty names do not matter.
pub fn standing(path: &str, stat: &Stat, sha256: Option<&str>) -> Expect {
    let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Expect::Path {
        path: path.to_owned(),
        kind: Some(stat.kind),
        mode: (stat.kind != 'l').then_some(stat.mode),
        owner: name(&stat.owner),
        group: name(&stat.group),
        sha256: sha256.map(str::to_owned),
        target: stat.link.as_ref().map(|link| link.to_string()),
    }
}

/// What was there: its kind, and its content where that mattered.
pub fn was(path: &str, stat: Option<&Stat>, sha256: Option<&str>) -> Expect {
    Expect::Path {
        path: path.to_owned(),
        kind: Some(stat.map_or('-', |stat| stat.kind)),
        mode: None,
        owner: None,
        group: None,
        sha256: sha256.map(str::to_owned),
        target: stat.and_then(|stat| stat.link.as_ref().map(|link| link.to_string())),
    }
}

/// Whether a prediction can be made: owner and group are known.
pub fn is_certain(stat: &Stat) -> bool {
    !stat.owner.is_empty() && !stat.group.is_empty()
}

/// Adds what `register` gets of a path: mode, owner, group, uid, gid, size, state.
pub fn with_stat(mut change: Change, stat: &Stat, state: &str) -> Change {
    change = change.result("state", state).result("size", stat.size);
    if stat.kind != 'l' {
        change = change.result("mode", octal(stat.mode));
    }
    if is_certain(stat) {
        change = change
            .result("owner", &*stat.owner)
            .result("group", &*stat.group);
    }
    if let (Some(uid), Some(gid)) = (stat.uid, stat.gid) {
        change = change.result("uid", uid).result("gid", gid);
    }
    change
}

/// Ansible's word for what stands at a path.
pub fn state(stat: Option<&Stat>) -> &'static str {
    match stat.map(|stat| stat.kind) {
        None => "absent",
        Some('f') => "file",
        Some('d') => "directory",
        Some('l') => "link",
        Some('p') => "fifo",
        Some('s') => "socket",
        Some('b') => "block device",
        Some('c') => "character device",
        Some(_) => "unknown",
    }
}

/// The folder a path stands in, by its text alone; none for `/` and for a bare `~user`.
pub fn parent(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    match path.rfind('/')? {
        0 if path.len() > 1 => Some("/"),
        0 => None,
        at => Some(path[..at].trim_end_matches('/')),
    }
}

/// A path without its trailing slashes: behind one, a link would be followed.
pub fn trimmed(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

/// Whether a folder stands there, links followed.
pub fn is_folder(info: &PathInfo) -> bool {
    info.stat
        .as_ref()
        .is_some_and(|stat| stat.target_kind == 'd')
}

/// Names `$t`, a file beside `path` that is removed when the step fails or is ended.
pub fn temporary(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    // A name has 255 bytes at most; `$TAG` needs some of them.
    let mut end = name.len().min(160);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let start = quote(&format!("{folder}/.{}.hadeploy-", &name[..end]));
    format!("t={start}\"$TAG\"\ntrap 'rm -rf -- \"$t\"' EXIT\ntrap 'exit 143' HUP INT TERM\n")
}
