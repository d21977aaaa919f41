//! `copy`: a file of the controller, given text, or a file that is on the node.

mod remote;
pub(super) mod stream;
mod tree;
mod walk;

use std::path::Path;
use std::sync::Arc;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::mode::FileMode;
use super::place::{is_folder, trimmed};
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use crate::value::{Kind as ValueKind, Value};

pub use walk::{Walk, permissions};

/// Writes a file or folder of the controller, or given text. A file is written beside its target and renamed; files of daemons pass the
/// daemon's own checker first.
///
/// # Differs from Ansible
/// - `attributes` and `unsafe_writes` are refused
/// - the content is compared by SHA-256
/// - the backup is named by the old content: `NAME.HASH~`
///
/// # Returns
/// - `src`, `dest`: from where to where
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: a message of the day
///   copy:
///     content: "this node is managed by hadeploy\n"
///     dest: /etc/motd
///     mode: "0644"
///
/// - name: the files of the site
///   copy: { src: site/, dest: /srv/site/, owner: www-data, mode: preserve }
/// ```
pub static COPY: Kind = Kind {
    name: "copy",
    aliases: &["ansible.builtin.copy", "ansible.legacy.copy"],
    summary: "writes a file or folder of the controller, or given text, to the node",
    params: &[
        Param::new("src", ParamType::Source, "A file or folder, searched in `files` beside the playbook. With a slash at its end, only what is in the folder is copied. With `remote_src`, a path of the node."),
        Param::new("content", ParamType::Any, "The text to write instead of a file; a mapping or list is written as JSON."),
        Param::new("dest", ParamType::Path, "Where it is written. With a slash at its end, or where a folder stands, the file keeps its name.").required(),
        attributes::OWNER,
        attributes::GROUP,
        Param::new("mode", ParamType::Mode, "Permissions: `'0644'`, symbolic such as `u=rw,go=r`, or `preserve` for those of the source. Left alone when not given; a new file gets 0644."),
        Param::new("directory_mode", ParamType::Mode, "Permissions of folders that are made; 0755 when not given."),
        BACKUP,
        FORCE,
        VALIDATE,
        Param::new("follow", ParamType::Bool, "Whether the file behind a link at `dest` is written, rather than the link replaced.").default("false"),
        Param::new("local_follow", ParamType::Bool, "Whether links in the source are followed; only true.").default("true"),
        Param::new("remote_src", ParamType::Bool, "Whether `src` is a file of the node.").default("false"),
        Param::new("checksum", ParamType::Str, "SHA-1 that the source must have."),
        Param::new("decrypt", ParamType::Bool, "Whether a source that is a vault is opened, or copied as it is.").default("true"),
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

/// `backup`, for kinds that write a file.
pub const BACKUP: Param = Param::new("backup", ParamType::Bool, "Whether the old file is kept beside the new one, as `NAME.HASH~`, where HASH begins its SHA-256.").default("false");
/// `force`.
pub const FORCE: Param = Param::new(
    "force",
    ParamType::Bool,
    "Whether a file with another content is overwritten.",
)
.default("true");
/// `validate`.
pub const VALIDATE: Param = Param::new(
    "validate",
    ParamType::Str,
    "A command that the new content must pass before it replaces the old; `%s` is the file to check. Without it, /etc/fstab and files of sshd, sudo, systemd, cron, sysctl, PostgreSQL, redis, HAProxy, rsyslog, fail2ban, nginx and apt must pass the daemon's own checker.",
);

/// What Ansible's writers of files have and these have not.
pub const REFUSED_OF_FILES: &[(&str, &str)] = &[
    ("attributes", attributes::NO_CHATTR),
    ("attr", attributes::NO_CHATTR),
    ("unsafe_writes", attributes::NO_UNSAFE),
    ("seuser", attributes::NO_SELINUX),
    ("serole", attributes::NO_SELINUX),
    ("setype", attributes::NO_SELINUX),
    ("selevel", attributes::NO_SELINUX),
];

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["src", "content"]);
    faults.extend(args.one_of_required(&["src", "content"]));
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let dest = args
        .str("dest")
        .ok_or_else(|| Diagnostic::at(&args.span, "`copy` needs `dest`"))?;
    let (attributes, preserve) = Attributes::bind_preserving(args, controller);
    let folder_mode = args.get("directory_mode").and_then(FileMode::read);
    let target = Target {
        dest: trimmed(dest).into(),
        folders: dest
            .ends_with('/')
            .then(|| attributes.with_mode(folder_mode.clone())),
        attributes,
        follow: args.bool("follow", false),
        force: args.bool("force", true),
        backup: args.bool("backup", false),
        validate: Validate::bind(args)?,
    };
    if !args.bool("local_follow", true) {
        return Err(Diagnostic::at(args.value_place("local_follow"), "`local_follow` can only be true")
            .help("links of the source are followed; make links on the node with a `file` task with `state: link`")
            .into());
    }
    if let Some(content) = args.get("content") {
        return given(args, content, target);
    }
    let src = args
        .get("src")
        .ok_or_else(|| Diagnostic::at(&args.span, "`copy` needs `src`"))?;
    if args.bool("remote_src", false) {
        return remote::bind(src, dest, target, preserve);
    }
    let path = controller.find(src, "files")?;
    if path.is_dir() {
        let opens = args.bool("decrypt", true);
        return tree::bind(
            src,
            &path,
            target,
            (folder_mode, preserve, opens),
            controller,
        );
    }
    single(args, src, &path, target, preserve, controller)
}

/// Text that stands in the playbook.
fn given(args: &Args, content: &Value, target: Target) -> Bound {
    if target.folders.is_some() {
        return Err(Diagnostic::at(
            args.value_place("dest"),
            "`dest` is a folder, and `content` has no name",
        )
        .help("write the name of the file behind the folder")
        .into());
    }
    let body = Body::new(text(content).into_bytes());
    verify_checksum(args, &body)?;
    Ok(Box::new(Copy {
        body,
        target,
        name: None,
        src: None,
    }))
}

/// One file of the controller.
fn single(
    args: &Args,
    src: &Value,
    path: &Path,
    mut target: Target,
    preserve: bool,
    controller: &dyn Controller,
) -> Bound {
    if preserve {
        let bits = permissions(path, src)?;
        target.attributes = target.attributes.with_mode(Some(FileMode::Bits(bits)));
    }
    let body = Body::of(match args.bool("decrypt", true) {
        true => controller.content(path, src)?,
        false => controller.content_as_it_is(path, src)?,
    });
    verify_checksum(args, &body)?;
    let name = path.file_name().map(|name| name.to_string_lossy());
    let name: Arc<str> = name.unwrap_or_default().into();
    let inside = target.folders.is_some();
    if inside {
        target.dest = format!("{}/{name}", target.dest.trim_end_matches('/')).into();
    }
    Ok(Box::new(Copy {
        body,
        target,
        name: (!inside).then_some(name),
        src: Some(path.display().to_string().into()),
    }))
}

/// A value as the file's text: text as it is, a mapping or list as JSON, as Ansible writes it.
fn text(value: &Value) -> String {
    match &value.kind {
        ValueKind::Str(text) => text.to_string(),
        ValueKind::Bool(true) => "True".to_owned(),
        ValueKind::Bool(false) => "False".to_owned(),
        ValueKind::Map(_) | ValueKind::List(_) => python_json(&value.to_json()),
        _ => value.to_json().to_string(),
    }
}

/// JSON with the spaces that Python's `json.dumps` puts behind commas and colons.
pub fn python_json(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        serde_json::Value::Object(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!(
                        "{}: {}",
                        serde_json::Value::from(key.as_str()),
                        python_json(value)
                    )
                })
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn verify_checksum(args: &Args, body: &Body) -> Result<(), Diagnostic> {
    let Some(wanted) = args.str("checksum") else {
        return Ok(());
    };
    let place = args.value_place("checksum");
    match body.sha1() {
        Some(found) if found == wanted => Ok(()),
        Some(found) => Err(Diagnostic::at(place, "the source has another checksum")
            .help(format!("its SHA-1 is `{found}`"))),
        None => Err(
            Diagnostic::at(place, "`checksum` is only taken for files of up to 1 MiB")
                .help("leave it out: what is written is compared by its SHA-256"),
        ),
    }
}

/// The change that writes `body` to the target, or into it, named `name`, where it is a folder.
pub fn into_folder(
    target: &Target,
    name: &str,
    known: &Known,
    body: &Body,
) -> Result<Change, Missing> {
    let dest = format!("{}/{name}", trimmed(&target.dest).trim_end_matches('/'));
    let inside = Target {
        dest: dest.into(),
        ..target.clone()
    };
    // Behind a link there is one more question, which must not come in a third wave.
    let early = inside.questions().into_iter().filter(|_| target.follow);
    known.need(target.questions().into_iter().chain(early))?;
    if !is_folder(known.path(&target.dest)?) {
        return target.diff(known, body);
    }
    let mut questions = inside.questions();
    if known.wants_diff && body.is_shown() {
        questions.push(Question::Text(inside.dest.clone()));
    }
    known.need(questions)?;
    inside.diff(known, body)
}

/// One file or text, and where it goes.
struct Copy {
    body: Body,
    target: Target,
    /// The file's name inside a folder; none where `dest` must be the file.
    name: Option<Arc<str>>,
    src: Option<Arc<str>>,
}

impl Resource for Copy {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let change = match &self.name {
            Some(name) => into_folder(&self.target, name, known, &self.body)?,
            None => self.target.diff(known, &self.body)?,
        };
        Ok(match &self.src {
            Some(src) => change.result("src", &**src),
            None => change,
        })
    }
}
