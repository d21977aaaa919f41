//! `stat`: what stands at a path, for `register`.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::attributes::homeless;
use super::mode::octal;
use super::place::trimmed;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, PathInfo, Question, Stat};

/// Reads what stands at a path, for `register`.
///
/// # Differs from Ansible
/// - there is a checksum only with `checksum_algorithm: sha256`
/// - mime types, attributes and SELinux are not read
///
/// # Returns
/// - `stat`: a mapping with `exists`, and where something is there `isreg`, `isdir`, `islnk`, `size`, `mode`, `uid`, `gid`, `pw_name`,
///   `gr_name`, `mtime` and so on
///
/// # Examples
/// ```yaml
/// - name: is there a swap file?
///   stat: { path: /swapfile }
///   register: swap
///
/// - name: say so
///   debug: { msg: there is }
///   when: swap.stat.exists
/// ```
pub static STAT: Kind = Kind {
    name: "stat",
    aliases: &["ansible.builtin.stat", "ansible.legacy.stat"],
    summary: "reads what stands at a path; `register` gets it as `stat`",
    params: &[
        Param::new("path", ParamType::Path, "The path.")
            .required()
            .aliases(&["dest", "name"]),
        Param::new(
            "follow",
            ParamType::Bool,
            "Whether what stands behind a link is read.",
        )
        .default("false"),
        Param::new(
            "get_checksum",
            ParamType::Bool,
            "Whether `stat.checksum` is read; it needs `checksum_algorithm: sha256`.",
        )
        .default("true"),
        Param::new(
            "checksum_algorithm",
            ParamType::Str,
            "`sha256`. Without it there is no `stat.checksum`.",
        )
        .aliases(&["checksum", "checksum_algo"]),
        Param::new(
            "get_mime",
            ParamType::Bool,
            "Only false: nodes need no `file` program.",
        )
        .default("false")
        .aliases(&["mime", "mime_type", "mime-type"]),
        Param::new(
            "get_attributes",
            ParamType::Bool,
            "Only false: `lsattr` is not run.",
        )
        .default("false")
        .aliases(&["attr", "attributes"]),
        Param::new(
            "get_selinux_context",
            ParamType::Bool,
            "Only false: Debian nodes run without SELinux.",
        )
        .default("false"),
    ],
    free_form: None,
    refused: &[("get_md5", "write `checksum_algorithm: sha256`")],
    check: |_| Vec::new(),
    bind,
};

/// The path that is read.
struct Read {
    path: Arc<str>,
    follow: bool,
    checksum: bool,
    root: bool,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = args
        .str("path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`stat` needs `path`"))?;
    for name in ["get_mime", "get_attributes", "get_selinux_context"] {
        if args.bool(name, false) {
            return Err(Diagnostic::at(
                args.value_place(name),
                format!("`{name}` can only be false"),
            )
            .help("use a `command` task with `file -i` or `lsattr`")
            .into());
        }
    }
    let algorithm = args.str("checksum_algorithm");
    if let Some(other) = algorithm.filter(|name| *name != "sha256") {
        let place = args.value_place("checksum_algorithm");
        return Err(
            Diagnostic::at(place, format!("hadeploy's `stat` has no `{other}`"))
                .help(format!(
                    "write `sha256`, or use a `command` task with `{other}sum`"
                ))
                .into(),
        );
    }
    Ok(Box::new(Read {
        path: trimmed(path).into(),
        follow: args.bool("follow", false),
        checksum: args.bool("get_checksum", true) && algorithm.is_some(),
        root: controller.user() == "root",
    }))
}

impl Resource for Read {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let path = Question::Path(self.path.clone());
        let digest = Question::Digest(self.path.clone());
        known.need([path].into_iter().chain(self.checksum.then_some(digest)))?;
        let info = known.path(&self.path)?;
        let missing = || {
            let mut stat = Map::new();
            stat.insert("exists".to_owned(), false.into());
            Ok(Change::none("nothing is there").result("stat", stat))
        };
        let Some(link) = info.stat.as_ref().filter(|_| homeless(info).is_none()) else {
            return missing();
        };
        let followed = if self.follow && link.kind == 'l' {
            known.path(&info.real)?
        } else {
            info
        };
        let Some(stat) = &followed.stat else {
            return missing();
        };
        let mut map = self.map(info, stat);
        if self.checksum
            && stat.kind == 'f'
            && let Some(digest) = known.digest(&self.path)?
        {
            map.insert("checksum".to_owned(), digest.to_string().into());
        }
        Ok(Change::none("read").result("stat", map))
    }
}

impl Read {
    /// Ansible's keys. Of a file that an earlier task of this run writes, times and inode are not known; they are left out.
    fn map(&self, info: &PathInfo, stat: &Stat) -> Map<String, Json> {
        let mut map = Map::new();
        map.insert("exists".to_owned(), true.into());
        map.insert("path".to_owned(), (*info.abs).into());
        describe(&mut map, stat);
        let mut put = |key: &str, value: Json| map.insert(key.to_owned(), value);
        if self.root {
            put("readable", true.into());
            put("writeable", true.into());
            put(
                "executable",
                (stat.kind == 'd' || stat.mode & 0o111 != 0).into(),
            );
        }
        if let Some(target) = &stat.link {
            put("lnk_target", (**target).into());
            put("lnk_source", (*info.real).into());
        }
        map
    }
}

/// What Ansible says of anything that stands somewhere.
pub fn describe(map: &mut Map<String, Json>, stat: &Stat) {
    let mut put = |key: &str, value: Json| map.insert(key.to_owned(), value);
    put("mode", octal(stat.mode).into());
    for (key, kind) in [
        ("isdir", 'd'),
        ("isreg", 'f'),
        ("islnk", 'l'),
        ("ischr", 'c'),
        ("isblk", 'b'),
        ("isfifo", 'p'),
        ("issock", 's'),
    ] {
        put(key, (stat.kind == kind).into());
    }
    put("size", stat.size.into());
    for (key, number) in [("uid", stat.uid), ("gid", stat.gid)] {
        if let Some(number) = number {
            put(key, number.into());
        }
    }
    if stat.inode != 0 {
        put("inode", stat.inode.into());
        put("dev", stat.device.into());
        put("nlink", stat.links.into());
        put("atime", stat.atime.into());
        put("mtime", stat.mtime.into());
        put("ctime", stat.ctime.into());
    }
    put("pw_name", (*stat.owner).into());
    put("gr_name", (*stat.group).into());
    for (key, bit) in [
        ("rusr", 0o400),
        ("wusr", 0o200),
        ("xusr", 0o100),
        ("rgrp", 0o040),
        ("wgrp", 0o020),
        ("xgrp", 0o010),
        ("roth", 0o004),
        ("woth", 0o002),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        put(key, (stat.mode & bit != 0).into());
    }
}
