//! The scripts of a folder copy: unpacking, owners, moving into place, and the checks of many files at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::Digest;

use super::super::mode::argument;
use super::super::place::{is_certain, parent};
use super::tree::Planned;
use crate::change::{Content, Expect, TarEntry};
use crate::command::quote;
use crate::fact::Stat;

/// The stream of the files that are sent.
pub fn tar(sent: &[&Planned]) -> Content {
    let entries = sent.iter().map(|plan| TarEntry {
        name: plan.file.name.clone(),
        mode: plan.new.mode,
        file: Some((plan.file.path.clone(), plan.file.len)),
    });
    Content::Tar(Arc::new(entries.collect()))
}

pub fn unpack() -> String {
    "mkdir -m 0700 -- \"$t\" &&\ntar -xpf \"$IN1\" --no-same-owner -C \"$t\"".to_owned()
}

/// `printf '%s\0' NAME …`: a builtin, so that no number of names is too many.
fn names<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut text = "printf '%s\\0'".to_owned();
    for name in names {
        text.push(' ');
        text.push_str(&quote(&format!("{prefix}{name}")));
    }
    text
}

/// Owners, set before a file is in its place. The mode is set once more: a change of owner takes
/// setuid bits away.
pub fn owners(sent: &[&Planned]) -> Vec<String> {
    let mut groups: BTreeMap<(String, Option<u32>), Vec<&str>> = BTreeMap::new();
    for plan in sent {
        let principals = plan.resolved.principals(&plan.new);
        if !principals.is_empty() {
            let special = (plan.new.mode & 0o6000 != 0).then_some(plan.new.mode);
            groups
                .entry((principals, special))
                .or_default()
                .push(&plan.file.name);
        }
    }
    let mut lines = Vec::new();
    for ((principals, special), files) in groups {
        let list = names("./", files.into_iter());
        let mut commands = vec![format!("chown -h {} --", quote(&principals))];
        commands.extend(special.map(|mode| format!("chmod {} --", argument(mode))));
        for command in commands {
            lines.push(format!("( cd -- \"$t\" && {list} | xargs -0r {command} )"));
        }
    }
    lines
}

/// One `mv` a folder and argument list.
pub fn moves(base: &str, sent: &[&Planned]) -> Vec<String> {
    let mut folders: Vec<&str> = sent
        .iter()
        .map(|plan| parent(&plan.file.name).unwrap_or(""))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    folders
        .into_iter()
        .map(|folder| {
            let from = match folder {
                "" => String::new(),
                folder => format!("/{folder}"),
            };
            let to = quote(&format!("{base}{from}/"));
            format!(
                "find \"$t\"{} -mindepth 1 -maxdepth 1 -type f -print0 | xargs -0r mv -f -t {to} --",
                quote(&from)
            )
        })
        .collect()
}

/// Owner, group and mode of files whose content stays.
pub fn settings(base: &str, planned: &[Planned]) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for plan in planned.iter().filter(|plan| !plan.sent) {
        let Some(old) = plan.old.as_ref().filter(|_| plan.changes()) else {
            continue;
        };
        for command in plan.resolved.commands("", old) {
            groups.entry(command).or_default().push(&plan.file.name);
        }
    }
    // By name `chown` comes before `chmod`, as it must.
    let mut commands: Vec<_> = groups.into_iter().collect();
    commands.sort_by_key(|(command, _)| command.starts_with("chmod"));
    commands
        .into_iter()
        .map(|(command, files)| {
            let list = names(&format!("{base}/"), files.into_iter());
            format!("{list} | xargs -0r {}", command.trim_end())
        })
        .collect()
}

/// That the files have the contents with these digests; those without one must not be there.
pub fn contents<'a>(
    field: &str,
    base: &str,
    sent: &[&'a Planned],
    digest: impl Fn(&'a Planned) -> Option<&'a Arc<str>>,
) -> Expect {
    let mut hash = sha2::Sha256::new();
    for plan in sent {
        if let Some(digest) = digest(plan) {
            hash.update(format!("{digest}  {base}/{}\0", plan.file.name));
        }
    }
    equal(
        field,
        &format!(
            "{} | xargs -0r sha256sum -z -- 2>/dev/null",
            names(
                &format!("{base}/"),
                sent.iter().map(|plan| &*plan.file.name)
            )
        ),
        hash,
    )
}

/// That the files stand as planned: kind, mode, owner and group, in their order.
pub fn standings(base: &str, changed: &[&Planned]) -> Expect {
    let certain: Vec<&&Planned> = changed
        .iter()
        .filter(|plan| is_certain(&plan.new))
        .collect();
    // A number that is not known yet is compared by name.
    let user = certain.iter().all(|plan| plan.new.uid.is_some());
    let group = certain.iter().all(|plan| plan.new.gid.is_some());
    let id = |number: Option<u32>, numeric: bool, name: &str| match number {
        Some(number) if numeric => number.to_string(),
        _ => name.to_owned(),
    };
    let mut hash = sha2::Sha256::new();
    for plan in &certain {
        let Stat {
            mode,
            uid,
            gid,
            owner,
            group: name,
            ..
        } = &plan.new;
        let (owner, name) = (id(*uid, user, owner), id(*gid, group, name));
        hash.update(format!("{} {mode:o} {owner}:{name}\0", plan.new.kind));
    }
    let format = format!(
        "%y %m %{}:%{}\\0",
        if user { "U" } else { "u" },
        if group { "G" } else { "g" }
    );
    let list = names(
        &format!("{base}/"),
        certain.iter().map(|plan| &*plan.file.name),
    );
    let script = format!("{list} | find -files0-from - -maxdepth 0 -printf '{format}' 2>/dev/null");
    equal("owner and mode", &script, hash)
}

/// That what a script prints has this sum.
pub(in crate::resource) fn equal(field: &str, script: &str, hash: sha2::Sha256) -> Expect {
    let wanted: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Expect::Check {
        field: field.to_owned(),
        script: format!(
            "h=$({{ {script}; }} | sha256sum)\n[ \"${{h%% *}}\" = {wanted} ] || {{ echo 'some file differs'; false; }}"
        ),
    }
}
