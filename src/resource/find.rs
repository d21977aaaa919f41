//! `find`: what lies in folders, for `register`.

mod filter;

use regex::bytes::Regex;
use serde_json::{Map, Value as Json};

use super::mode::FileMode;
use super::pattern::compile_with;
use super::place::trimmed;
use super::stat::describe;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use filter::{Filter, Stamp, measure, shell_pattern};

/// Looks for files by name, age, size, mode and content.
///
/// # Differs from Ansible
/// - `limit` is refused: cut the list with `files[:N]`
/// - checksums are SHA-256 and must be asked for as such
/// - links to folders are not followed
///
/// # Returns
/// - `files`: a list of mappings as `stat` gives them, each with `path`
/// - `matched`, `examined`: how many
/// - `skipped_paths`: folders that could not be looked into
/// - `msg`: whether all could be
///
/// # Examples
/// ```yaml
/// - name: old dumps
///   find:
///     paths: /var/backups
///     patterns: "*.dump"
///     age: 30d
///   register: old
///
/// - name: are removed
///   file: { path: "{{ item.path }}", state: absent }
///   loop: "{{ old.files }}"
/// ```
pub static FIND: Kind = Kind {
    name: "find",
    aliases: &["ansible.builtin.find", "ansible.legacy.find"],
    summary: "looks for files by name, age, size, mode and content; `register` gets them as `files`",
    params: &[
        Param::new("paths", ParamType::List, "The folders.").required().aliases(&["path", "name"]),
        Param::new("patterns", ParamType::List, "Names; shell patterns, or with `use_regex` Python's regular expressions. One must match.").aliases(&["pattern"]),
        Param::new("excludes", ParamType::List, "The same; none may match.").aliases(&["exclude"]),
        Param::new("use_regex", ParamType::Bool, "Whether these are regular expressions, matched from the beginning of the name.").default("false"),
        Param::new("recurse", ParamType::Bool, "Whether folders below are looked into.").default("false"),
        Param::new("depth", ParamType::Int, "How many levels, with `recurse`."),
        Param::new("file_type", ParamType::Choice(&["any", "directory", "file", "link"]), "What is looked for.").default("file"),
        Param::new("hidden", ParamType::Bool, "Whether names that begin with a dot count.").default("false"),
        Param::new("age", ParamType::Str, "Old at least this long, such as `2d`; with `-` at most. Units are s, m, h, d, w."),
        Param::new("age_stamp", ParamType::Choice(&["atime", "ctime", "mtime"]), "Which time counts.").default("mtime"),
        Param::new("size", ParamType::Str, "Bytes at least, such as `10m`; with `-` at most. Units are b, k, m, g, t."),
        Param::new("mode", ParamType::Mode, "Permissions."),
        Param::new("exact_mode", ParamType::Bool, "Whether these are all; else one of them is enough.").default("true"),
        Param::new("contains", ParamType::Str, "A Python regular expression that must match from the beginning of a line. Files above 8 MiB cannot be looked into."),
        Param::new("read_whole_file", ParamType::Bool, "Whether `contains` may match anywhere in the text as a whole.").default("false"),
        Param::new("get_checksum", ParamType::Bool, "Whether `checksum` is read; it needs `checksum_algorithm: sha256`.").default("false"),
        Param::new("checksum_algorithm", ParamType::Choice(&["sha256"]), "Only SHA-256.").aliases(&["checksum", "checksum_algo"]),
        Param::new("follow", ParamType::Bool, "Only false: links to folders are not followed.").default("false"),
    ],
    free_form: None,
    refused: &[("limit", "cut the list with `files[:N]`")],
    check,
    bind,
};

const AGES: [(char, i64); 5] = [
    ('s', 1),
    ('m', 60),
    ('h', 3600),
    ('d', 86_400),
    ('w', 604_800),
];
const SIZES: [(char, i64); 5] = [
    ('b', 1),
    ('k', 1 << 10),
    ('m', 1 << 20),
    ('g', 1 << 30),
    ('t', 1 << 40),
];

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (name, units, example) in [("age", &AGES, "2d"), ("size", &SIZES, "10m")] {
        if args
            .literal(name)
            .is_some_and(|text| measure(text, units).is_none())
        {
            faults.push(
                Diagnostic::at(args.value_place(name), format!("this is no `{name}`")).help(
                    format!("write a whole number with its unit, such as `{example}`"),
                ),
            );
        }
    }
    if args.bool("get_checksum", false) && !args.has("checksum_algorithm") {
        faults.push(
            Diagnostic::at(
                args.place("get_checksum"),
                "`get_checksum` needs `checksum_algorithm`",
            )
            .help("write `checksum_algorithm: sha256`; Ansible's own default, SHA-1, is not read"),
        );
    }
    if args.bool("follow", false) {
        faults.push(
            Diagnostic::at(args.place("follow"), "`follow` can only be false")
                .help("name the folders behind the links in `paths`"),
        );
    }
    if let Some(text) = args.literal("contains") {
        faults.extend(compile_with("", text, args.value_place("contains")).err());
    }
    faults
}

fn bind(args: &Args, _controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let mut paths = Vec::new();
    for path in args.list("paths") {
        if !path.starts_with('/') && !path.starts_with('~') {
            return Err(Diagnostic::at(
                args.value_place("paths"),
                format!("the path `{path}` is relative"),
            )
            .help("write absolute paths of the node, or such that begin with `~`")
            .into());
        }
        paths.push(trimmed(path).to_owned());
    }
    let patterns = |name| -> Result<Vec<Regex>, Diagnostic> {
        let place = args.value_place(name);
        let texts = args.list(name).into_iter();
        let compiled = texts.map(|text| match args.bool("use_regex", false) {
            true => compile_with("", &format!(r"\A(?:{text})"), place),
            false => Regex::new(&shell_pattern(text))
                .map_err(|_| Diagnostic::at(place, format!("`{text}` is no shell pattern"))),
        });
        compiled.collect()
    };
    let mut wanted = patterns("patterns")?;
    if wanted.is_empty() {
        wanted.extend(Regex::new("").ok());
    }
    let depth = args
        .int("depth")
        .filter(|depth| *depth > 0)
        .and_then(|depth| usize::try_from(depth).ok());
    let recurse = args.bool("recurse", false);
    let whole = args.bool("read_whole_file", false);
    let contains = match args.str("contains") {
        Some(text) if whole => Some(compile_with("", text, args.value_place("contains"))?),
        Some(text) => Some(compile_with(
            "",
            &format!(r"\A(?:{text})"),
            args.value_place("contains"),
        )?),
        None => None,
    };
    let kind = match args.str("file_type") {
        Some("any") => None,
        Some("directory") => Some('d'),
        Some("link") => Some('l'),
        _ => Some('f'),
    };
    Ok(Box::new(Find {
        paths,
        // As Ansible does, one level more is examined than taken.
        levels: match (recurse, depth) {
            (false, _) => 1,
            (true, Some(depth)) => depth + 1,
            (true, None) => 0,
        },
        filter: Filter {
            patterns: wanted,
            excludes: patterns("excludes")?,
            kind,
            age: args.str("age").and_then(|text| measure(text, &AGES)),
            stamp: match args.str("age_stamp") {
                Some("atime") => Stamp::Read,
                Some("ctime") => Stamp::Changed,
                _ => Stamp::Written,
            },
            size: args.str("size").and_then(|text| measure(text, &SIZES)),
            hidden: args.bool("hidden", false),
            mode: args
                .get("mode")
                .and_then(FileMode::read)
                .map(|mode| (mode, args.bool("exact_mode", true))),
            depth,
        },
        contains: contains.filter(|_| kind == Some('f')),
        whole,
        checksum: args.bool("get_checksum", false),
    }))
}

/// What is looked for, and where.
struct Find {
    paths: Vec<String>,
    levels: usize,
    filter: Filter,
    contains: Option<Regex>,
    whole: bool,
    checksum: bool,
}

impl Resource for Find {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let keys: Vec<String> = self
            .paths
            .iter()
            .map(|path| format!("{} {path}", self.levels))
            .collect();
        known.need(
            keys.iter()
                .map(|key| Question::Listing(key.as_str().into())),
        )?;
        let mut examined = 0;
        let mut skipped = Map::new();
        let mut found = Vec::new();
        for (path, key) in self.paths.iter().zip(&keys) {
            let Some(listing) = known.listing(key)? else {
                skipped.insert(path.clone(), format!("'{path}' is not a directory").into());
                continue;
            };
            examined += listing.entries.len();
            let mut here: Vec<_> = listing
                .entries
                .iter()
                .filter(|entry| self.filter.takes(entry, listing.now))
                .collect();
            here.sort_by(|one, other| one.name.cmp(&other.name));
            let folder = listing.folder.trim_end_matches('/');
            found.extend(
                here.into_iter()
                    .map(|entry| (format!("{folder}/{}", entry.name), &entry.stat)),
            );
        }
        let files = || {
            found
                .iter()
                .filter(|(_, stat)| stat.kind == 'f')
                .map(|(path, _)| path.as_str())
        };
        let mut open: Vec<Question> = Vec::new();
        if self.contains.is_some() {
            open.extend(files().map(|path| Question::Text(path.into())));
        }
        if self.checksum {
            open.extend(files().map(|path| Question::Digest(path.into())));
        }
        known.need(open)?;
        let mut list = Vec::new();
        for (path, stat) in &found {
            if let Some(pattern) = &self.contains {
                let text = known.text(path)?;
                if text.is_none() && stat.size > crate::fact::path::TEXT_LIMIT {
                    return Ok(Change::failed(format!("`{path}` is too large to be looked into"))
                        .help("leave it out by `size` or `excludes`, or use a `command` task with `grep`"));
                }
                if !text.is_some_and(|text| self.holds(pattern, text)) {
                    continue;
                }
            }
            let mut map = Map::new();
            map.insert("path".to_owned(), path.as_str().into());
            describe(&mut map, stat);
            if self.checksum
                && stat.kind == 'f'
                && let Some(digest) = known.digest(path)?
            {
                map.insert("checksum".to_owned(), (**digest).into());
            }
            list.push(Json::from(map));
        }
        let msg = match skipped.is_empty() {
            true => "All paths examined",
            false => "Not all paths examined, check warnings for details",
        };
        Ok(Change::none(format!("{} found", list.len()))
            .result("matched", list.len())
            .result("files", list)
            .result("examined", examined)
            .result("skipped_paths", skipped)
            .result("msg", msg))
    }
}

impl Find {
    fn holds(&self, pattern: &Regex, text: &[u8]) -> bool {
        if self.whole {
            return pattern.is_match(text);
        }
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        lines.any(|line| pattern.is_match(line.strip_suffix(b"\n").unwrap_or(line)))
    }
}
