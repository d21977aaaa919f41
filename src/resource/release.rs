//! `release`: releases of an application side by side, each in a folder that is never altered, with links to the current one and the one
//! before it.

mod diff;
mod script;
mod source;

use std::sync::Arc;

use super::attributes::{self, Attributes};
use super::place::trimmed;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::diagnostic::Diagnostic;
pub use script::settle;
use source::Source;

/// Keeps releases of an application side by side, each in a folder that is never altered, with links to the current one and the one before it.
///
/// # Returns
/// - `release`: the current one
/// - `previous`: the one that was current before this task, if it was another
/// - `path`: its folder
///
/// # Examples
/// ```yaml
/// - name: the application
///   release:
///     path: /srv/app
///     release: "{{ version }}"
///     src: app-{{ version }}.tar.gz
///     shared: [uploads/, .env]
///     owner: app
/// ```
pub static RELEASE: Kind = Kind {
    name: "release",
    aliases: &[],
    summary: "unpacks a release of an application into a folder of its own, and switches the link to the current one",
    params: &[
        Param::new("path", ParamType::Path, "The application's folder. Releases lie in `releases/ID` below it, what they share in `shared`.").required(),
        Param::new("release", ParamType::Str, "The id of the release: letters, digits and `._-`.").required(),
        Param::new("src", ParamType::Source, "A folder or tarball of the controller, searched in `files` beside the playbook; with `remote_src`, a tarball of the node. Not needed for a release that is unpacked already. Links in a folder are followed; a tarball keeps them."),
        Param::new("remote_src", ParamType::Bool, "Whether `src` is a tarball of the node.").default("false"),
        Param::new("checksum", ParamType::Str, "SHA-256 of the tarball; needed with `remote_src`."),
        Param::new("strip_components", ParamType::Int, "How many leading folders of the names in a tarball are dropped.").default("0"),
        Param::new("current", ParamType::Bool, "Whether the link is switched to this release. With false it is only unpacked.").default("true"),
        Param::new("link", ParamType::Str, "The name of the link. `previous` (`LINK-previous` for another `link`) leads to the release to go back to: the one that was current before this one came, also after a way back.").default("current"),
        Param::new("keep", ParamType::Int, "How many releases stay, the current one among them. Releases that a process still runs in or that a link in `path` leads to always stay.").default("3"),
        Param::new("shared", ParamType::List, "Paths in the release that are links to what bears the same name in `shared`. One with a slash at its end is a folder that is made there."),
        attributes::OWNER,
        attributes::GROUP,
    ],
    free_form: None,
    refused: &[
        ("state", "old releases go by themselves; see `keep`"),
        ("mode", "files keep the modes they have in the source"),
        ("force", "a release is never altered; give a new id"),
    ],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for name in ["remote_src", "checksum", "strip_components"] {
        if args.has(name) && !args.has("src") {
            faults.push(Diagnostic::at(
                args.place(name),
                format!("`{name}` needs `src`"),
            ));
        }
    }
    if args.bool("remote_src", false) && args.has("src") && !args.has("checksum") {
        faults.push(
            Diagnostic::at(args.place("remote_src"), "`remote_src` needs `checksum`")
                .help("the SHA-256 of the tarball, as `sha256sum` prints it"),
        );
    }
    faults
}

/// A release as wanted.
struct Release {
    path: Arc<str>,
    id: Arc<str>,
    source: Option<Source>,
    current: bool,
    link: Arc<str>,
    keep: u64,
    shared: Vec<Shared>,
    attributes: Attributes,
}

/// What releases share.
struct Shared {
    /// Relative.
    name: String,
    /// Whether it is a folder that is made.
    folder: bool,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let needs = |name| Diagnostic::at(&args.span, format!("`release` needs `{name}`"));
    let path = args.str("path").ok_or_else(|| needs("path"))?;
    let id = name(
        args,
        "release",
        args.str("release").ok_or_else(|| needs("release"))?,
    )?;
    let link = name(args, "link", args.str("link").unwrap_or("current"))?;
    if ["previous", "releases", "shared"].contains(&&*link) {
        return Err(Diagnostic::at(
            args.value_place("link"),
            format!("the link cannot be called `{link}`"),
        )
        .into());
    }
    let keep = args.int("keep").unwrap_or(3);
    let keep = u64::try_from(keep).ok().filter(|keep| *keep > 0);
    let keep =
        keep.ok_or_else(|| Diagnostic::at(args.value_place("keep"), "`keep` must be at least 1"))?;
    let mut shared = Vec::new();
    for written in args.list("shared") {
        let name = written.trim_end_matches('/');
        let whole = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !name.split('/').all(whole) || name.contains('\n') {
            return Err(Diagnostic::at(
                args.value_place("shared"),
                format!("`{written}` is no path in a release"),
            )
            .help("write it relative to the release's folder, such as `log/` or `config/keys.json`")
            .into());
        }
        shared.push(Shared {
            name: name.to_owned(),
            folder: name != written,
        });
    }
    Ok(Box::new(Release {
        path: trimmed(path).into(),
        id,
        source: source::bind(args, controller)?,
        current: args.bool("current", true),
        link,
        keep,
        shared,
        attributes: Attributes::bind_owner(args, controller),
    }))
}

/// A name that is one part of a path and needs no care anywhere.
fn name(args: &Args, param: &str, text: &str) -> Result<Arc<str>, Diagnostic> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty()
        || text.len() > 128
        || text.starts_with(['.', '-'])
        || !text.chars().all(plain)
    {
        return Err(Diagnostic::at(
            args.value_place(param),
            format!("`{param}` cannot be `{text}`"),
        )
        .help("use letters, digits and `._-`, a letter or digit first"));
    }
    Ok(text.into())
}
