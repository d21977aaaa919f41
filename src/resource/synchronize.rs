//! `synchronize`: a folder of the controller, mirrored to the node: only what differs is sent, in one stream.

mod diff;
mod exclude;
mod options;
mod source;

use super::attributes::Attributes;
use super::body::Body;
use super::copy::{into_folder, permissions};
use super::mode::FileMode;
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use options::Options;
use source::Source;

/// Mirrors a folder of the controller to the node: only what differs is sent, in one stream. The slash at the end of `src` means what it means to rsync:
/// with it, only what is in the folder is mirrored. Files are put in place by renames once all of them are there.
///
/// # Differs from Ansible
/// - neither side needs rsync; of `rsync_opts` only some mean something, and those that cannot be followed are refused
/// - contents are compared by their SHA-256 and never by size and time, so that a fresh checkout changes nothing
/// - times are not carried over, nor are owners: what is sent belongs to the acting account
/// - `mode: pull` is refused: use `fetch`
/// - `dest_port`, `private_key`, `rsync_path`, `link_dest` and `dirs` are refused
///
/// # Returns
/// - `dest`: where to
/// - `src`, `stdout_lines`, `rc`: for a folder, where from, the names that change, and 0
///
/// # Examples
/// ```yaml
/// - name: the site, and nothing else
///   synchronize:
///     src: site/
///     dest: /srv/www/site
///     delete: true
///     rsync_opts: ["--exclude=.git"]
///
/// - name: its files belong to the web server
///   file: { path: /srv/www/site, owner: www-data, recurse: true }
/// ```
pub static SYNCHRONIZE: Kind = Kind {
    name: "synchronize",
    aliases: &["ansible.posix.synchronize"],
    summary: "mirrors a folder of the controller to the node, and deletes what is not in it when told",
    params: &[
        Param::new("src", ParamType::Source, "The folder or file of the controller, searched in `files` beside the playbook. With a slash at its end, only what is in the folder.").required(),
        Param::new("dest", ParamType::Path, "The folder of the node; it is made when it is missing.").required(),
        Param::new("mode", ParamType::Choice(&["push", "pull"]), "Only `push`.").default("push"),
        Param::new("archive", ParamType::Bool, "Whether `recursive`, `links` and `perms` are true unless they are given.").default("true"),
        Param::new("recursive", ParamType::Bool, "Only true for a folder; as `archive` when not given."),
        Param::new("links", ParamType::Bool, "Whether links are made as links, else they are left out; as `archive` when not given."),
        Param::new("copy_links", ParamType::Bool, "Whether what a link leads to is copied.").default("false"),
        Param::new("perms", ParamType::Bool, "Whether files and folders get the permissions of their sources; else only new ones do, as the umask allows. As `archive` when not given."),
        Param::new("delete", ParamType::Bool, "Whether what is not in the source is deleted in `dest`. What is excluded stays.").default("false"),
        Param::new("existing_only", ParamType::Bool, "Whether nothing new is made.").default("false"),
        Param::new("rsync_opts", ParamType::List, "`--exclude=PATTERN`, as often as needed, `--delete-excluded`, and options that say what is so anyway."),
        Param::new("checksum", ParamType::Bool, "Accepted; contents are always compared by their sums.").default("true"),
        Param::new("compress", ParamType::Bool, "Accepted.").default("true"),
        Param::new("delay_updates", ParamType::Bool, "Accepted; files are put in place at the end.").default("true"),
        Param::new("partial", ParamType::Bool, "Accepted; nothing is left of what did not come whole.").default("false"),
        Param::new("set_remote_user", ParamType::Bool, "Accepted; the connection of the play is used.").default("true"),
        Param::new("use_ssh_args", ParamType::Bool, "Accepted; the connection of the play is used.").default("false"),
        Param::new("ssh_connection_multiplexing", ParamType::Bool, "Accepted; the connection of the play is used.").default("false"),
        Param::new("verify_host", ParamType::Bool, "Accepted; host keys are always verified.").default("true"),
        Param::new("rsync_timeout", ParamType::Int, "Accepted; `timeout` on the task bounds it.").default("0"),
        Param::new("times", ParamType::Bool, "Only false: contents are compared, not times.").default("false"),
        Param::new("owner", ParamType::Bool, "Only false: accounts of the controller mean nothing on a node.").default("false"),
        Param::new("group", ParamType::Bool, "Only false, as `owner`.").default("false"),
    ],
    free_form: None,
    refused: &[
        ("dest_port", "the connection of the play is used; set `ansible_port` for the host"),
        ("private_key", "the connection of the play is used; set `ansible_ssh_private_key_file` for the host"),
        ("rsync_path", "rsync is not used; for other rights write `become`"),
        ("link_dest", "use `release`, which shares what did not change between its versions"),
        ("dirs", "make folders with `file` and `state: directory`"),
    ],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (name, help) in [
        ("times", "contents are compared by their sums; leave it out"),
        (
            "owner",
            "set owners with a `file` task with `recurse: true` behind this one",
        ),
        (
            "group",
            "set groups with a `file` task with `recurse: true` behind this one",
        ),
    ] {
        if args.bool(name, false) {
            let place = args.value_place(name);
            faults.push(Diagnostic::at(place, format!("`{name}` can only be false")).help(help));
        }
    }
    if args.literal("mode") == Some("pull") {
        faults.push(
            Diagnostic::at(args.value_place("mode"), "`mode` cannot be `pull`")
                .help("use `fetch` for files of the node, over a list that `find` makes"),
        );
    }
    for name in ["src", "dest"] {
        let remote = |text: &&str| text.starts_with("rsync://") || text.contains("::");
        if args.literal(name).filter(remote).is_some() {
            faults.push(
                Diagnostic::at(
                    args.value_place(name),
                    "there is no rsync here to talk to a daemon",
                )
                .help("use `command` with rsync on the node"),
            );
        }
    }
    if let Err(fault) = Options::read(args, |text| text.contains("{{")) {
        faults.push(fault);
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let src = args
        .get("src")
        .ok_or_else(|| Diagnostic::at(&args.span, "`synchronize` needs `src`"))?;
    let dest = args.str("dest").unwrap_or_default();
    let archive = args.bool("archive", true);
    let options = Options::read(args, |_| false)?;
    let path = controller.find(src, "files")?;
    if path.is_dir() && !args.bool("recursive", archive) {
        return Err(Diagnostic::at(
            &args.span,
            "a folder is only mirrored with all that lies below",
        )
        .help("write `recursive: true`, or copy its files with `copy`")
        .into());
    }
    let walk = source::Walk {
        at: src,
        links: args.bool("links", archive),
        copy_links: args.bool("copy_links", false) || options.copy_links,
        excludes: &options.excludes,
        controller,
    };
    let attributes = Attributes::of_nobody(controller);
    let perms = args.bool("perms", archive) && options.perms;
    let existing = args.bool("existing_only", false);
    if !path.is_dir() {
        let mode = match perms {
            true => Some(FileMode::Bits(permissions(&path, src)?)),
            false => None,
        };
        return Ok(Box::new(Single {
            name: source::name_of(&path),
            body: Body::of(controller.content_as_it_is(&path, src)?),
            existing,
            target: Target {
                dest: trimmed(dest).into(),
                folders: dest.ends_with('/').then(|| attributes.clone()),
                attributes: attributes.with_mode(mode),
                follow: false,
                force: true,
                backup: false,
                validate: None,
            },
        }));
    }
    Ok(Box::new(diff::Synchronize {
        dest: trimmed(dest).into(),
        perms,
        delete: args.bool("delete", false) || options.delete,
        delete_excluded: options.delete_excluded,
        existing,
        src: path.display().to_string(),
        source: Source::read(&path, &walk)?,
        excludes: options.excludes,
        attributes,
    }))
}

/// One file, and where it goes: into `dest` where a folder stands or is meant, else there.
struct Single {
    name: String,
    body: Body,
    existing: bool,
    target: Target,
}

impl Resource for Single {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let change = if self.target.folders.is_some() {
            let dest = format!("{}/{}", self.target.dest.trim_end_matches('/'), self.name);
            let target = Target {
                dest: dest.into(),
                ..self.target.clone()
            };
            target.diff(known, &self.body)?
        } else {
            into_folder(&self.target, &self.name, known, &self.body)?
        };
        if self.existing && change.action == Action::Create {
            return Ok(Change::none("nothing is there yet"));
        }
        Ok(change)
    }
}
