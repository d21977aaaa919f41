//! `rsync_opts`: the options of rsync that mean something here.

use super::exclude::Exclude;
use crate::diagnostic::Diagnostic;
use crate::resource::Args;

/// What the options say.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is left out.
    pub excludes: Vec<Exclude>,
    pub delete: bool,
    /// Whether what is left out is deleted as well.
    pub delete_excluded: bool,
    pub copy_links: bool,
    /// False where permissions are to be left alone.
    pub perms: bool,
}

/// Options that say what is so anyway, or only how rsync talks.
const SO_ANYWAY: &[&str] = &[
    "",
    "-a",
    "--archive",
    "-c",
    "--checksum",
    "-h",
    "--human-readable",
    "--no-motd",
    "-O",
    "--omit-dir-times",
    "-q",
    "--quiet",
    "-r",
    "--recursive",
    "-v",
    "--verbose",
    "-z",
    "--compress",
    "--delay-updates",
    "--stats",
    "--progress",
    "--no-times",
    "--no-t",
    "--no-owner",
    "--no-o",
    "--no-group",
    "--no-g",
    "-l",
    "--links",
    "-p",
    "--perms",
    "--partial",
    "--no-compress",
    "-i",
    "--itemize-changes",
    "-F",
];

impl Options {
    /// Reads them; those that are still templates are passed over.
    pub fn read(args: &Args, is_open: impl Fn(&str) -> bool) -> Result<Options, Diagnostic> {
        let place = args.value_place("rsync_opts");
        let mut options = Options {
            excludes: Vec::new(),
            delete: false,
            delete_excluded: false,
            copy_links: false,
            perms: true,
        };
        let words = args.list("rsync_opts");
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if is_open(word) {
                continue;
            }
            let (name, value) = match word.split_once(['=', ' ']) {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            match name {
                "--exclude" => {
                    let pattern = value.or_else(|| words.next()).unwrap_or_default();
                    let pattern = pattern.trim().trim_matches(['\'', '"']);
                    if is_open(pattern) {
                        continue;
                    }
                    let exclude = Exclude::read(pattern).map_err(|why| {
                        Diagnostic::at(place, format!("`{pattern}` is no pattern: {why}"))
                    })?;
                    options.excludes.push(exclude);
                }
                "--delete" | "--delete-after" | "--delete-before" | "--delete-during"
                | "--delete-delay" => options.delete = true,
                "--delete-excluded" => (options.delete, options.delete_excluded) = (true, true),
                "--copy-links" | "-L" => options.copy_links = true,
                "--no-perms" | "--no-p" => options.perms = false,
                _ if SO_ANYWAY.contains(&name) => {}
                "--chmod" | "--chown" | "--usermap" | "--groupmap" => {
                    return Err(Diagnostic::at(place, format!("rsync's `{name}` is not known here"))
                        .help("set owner and mode with a `file` task with `recurse: true` behind this one"));
                }
                _ => {
                    return Err(Diagnostic::at(place, format!("rsync's `{name}` is not known here"))
                        .help("rsync is not used: `--exclude=PATTERN`, `--delete`, `--delete-excluded`, `--copy-links` and `--no-perms` are understood"));
                }
            }
        }
        Ok(options)
    }
}
