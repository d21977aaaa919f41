//! `template`: a file rendered on the controller.

use std::sync::Arc;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, FORCE, VALIDATE};
use super::mode::FileMode;
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, RenderOptions, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Renders a file on the controller and writes the result. It is written beside its target and renamed; files of daemons pass the daemon's own
/// checker first.
///
/// # Differs from Ansible
/// - names that nobody defines are errors before connecting
/// - `attributes` and `unsafe_writes` are refused
/// - only UTF-8 is written
///
/// # Returns
/// - `src`, `dest`: from where to where
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: the site
///   template:
///     src: site.conf.j2
///     dest: /etc/nginx/conf.d/site.conf
///     mode: "0644"
///   notify: reload nginx
/// ```
pub static TEMPLATE: Kind = Kind {
    name: "template",
    aliases: &["ansible.builtin.template", "ansible.legacy.template"],
    summary: "renders a template of the controller and writes it to a file of the node",
    params: &[
        Param::new(
            "src",
            ParamType::Source,
            "The template, searched in `templates` beside the playbook.",
        )
        .required(),
        Param::new(
            "dest",
            ParamType::Path,
            "Where it is written. A folder gets a file named as the template.",
        )
        .required(),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
        FORCE,
        VALIDATE,
        Param::new(
            "follow",
            ParamType::Bool,
            "Whether the file behind a link is written, rather than the link replaced.",
        )
        .default("false"),
        Param::new(
            "trim_blocks",
            ParamType::Bool,
            "Whether the newline behind a block is dropped.",
        )
        .default("true"),
        Param::new(
            "lstrip_blocks",
            ParamType::Bool,
            "Whether white space before a block is dropped.",
        )
        .default("false"),
        Param::new(
            "newline_sequence",
            ParamType::Choice(&["\n", "\r", "\r\n", "\\n", "\\r", "\\r\\n"]),
            "The line ends of the file.",
        )
        .default("\\n"),
        Param::new("block_start_string", ParamType::Str, "What begins a block.").default("{%"),
        Param::new("block_end_string", ParamType::Str, "What ends a block.").default("%}"),
        Param::new(
            "variable_start_string",
            ParamType::Str,
            "What begins a value.",
        )
        .default("{{"),
        Param::new("variable_end_string", ParamType::Str, "What ends a value.").default("}}"),
        Param::new(
            "comment_start_string",
            ParamType::Str,
            "What begins a comment.",
        )
        .default("{#"),
        Param::new("comment_end_string", ParamType::Str, "What ends a comment.").default("#}"),
        Param::new(
            "output_encoding",
            ParamType::Choice(&["utf-8", "utf8", "UTF-8"]),
            "The encoding of the file; only UTF-8.",
        )
        .default("utf-8"),
    ],
    free_form: None,
    refused: super::copy::REFUSED_OF_FILES,
    check: |_| Vec::new(),
    bind,
};

const MARKERS: [(&str, &str); 6] = [
    ("variable_start_string", "{{"),
    ("variable_end_string", "}}"),
    ("block_start_string", "{%"),
    ("block_end_string", "%}"),
    ("comment_start_string", "{#"),
    ("comment_end_string", "#}"),
];

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let src = args.get("src").ok_or_else(|| needs(args, "src"))?;
    let dest = args.str("dest").ok_or_else(|| needs(args, "dest"))?;
    let path = controller.find(src, "templates")?;
    if path.is_dir() {
        return Err(Diagnostic::at(&src.span, "the template is a folder")
            .help("`template` renders one file; loop over the files of a folder")
            .into());
    }
    let changed = MARKERS.iter().any(|(name, _)| args.has(name));
    let markers = changed.then(|| {
        Arc::new(MARKERS.map(|(name, default)| args.str(name).unwrap_or(default).to_owned()))
    });
    let options = RenderOptions {
        trim_blocks: args.bool("trim_blocks", true),
        lstrip_blocks: args.bool("lstrip_blocks", false),
        newline: match args.str("newline_sequence") {
            Some("\r" | "\\r") => "\r",
            Some("\r\n" | "\\r\\n") => "\r\n",
            _ => "\n",
        },
        markers,
    };
    let (mut attributes, preserve) = Attributes::bind_preserving(args, controller);
    if preserve {
        let bits = super::copy::permissions(&path, src)?;
        attributes = attributes.with_mode(Some(FileMode::Bits(bits)));
    }
    let text = controller.render_file(&path, src, &options)?;
    let name = src.as_str().unwrap_or_default();
    let name: Arc<str> = name.rsplit('/').next().unwrap_or(name).into();
    let base = trimmed(dest).trim_end_matches('/');
    Ok(Box::new(Template {
        body: Body::new(text.into_bytes()),
        target: Target {
            dest: match dest.ends_with('/') {
                true => format!("{base}/{name}").into(),
                false => dest.into(),
            },
            attributes,
            follow: args.bool("follow", false),
            force: args.bool("force", true),
            backup: args.bool("backup", false),
            validate: Validate::bind(args)?,
            folders: None,
        },
        name,
        src: path.display().to_string().into(),
    }))
}

fn needs(args: &Args, name: &str) -> Diagnostic {
    Diagnostic::at(&args.span, format!("`template` needs `{name}`"))
}

/// A rendered template and where it goes.
struct Template {
    body: Body,
    target: Target,
    /// The file's name inside a folder.
    name: Arc<str>,
    src: Arc<str>,
}

impl Resource for Template {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let change = super::copy::into_folder(&self.target, &self.name, known, &self.body)?;
        Ok(change.result("src", &*self.src))
    }
}
