//! `fetch`: a file of the node, kept on the controller.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attributes::homeless;
use super::body::{Body, sha256};
use super::place::{state, trimmed};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, LocalFile, Step};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::event::Mode;
use crate::fact::{Known, Missing, PathInfo, Question};

/// The largest file that is fetched. It is held in memory once.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Writes a file of the node to the controller, compared by its SHA-256.
///
/// # Differs from Ansible
/// - files above 64 MiB are refused
/// - an apply writes on the controller, a plan does not
///
/// # Returns
/// - `dest`: the file of the controller
/// - `file`: that of the node
/// - `checksum`, `remote_checksum`: SHA-1 of both
///
/// # Examples
/// ```yaml
/// - name: the certificate of the authority
///   fetch:
///     src: /etc/ssl/certs/ca.crt
///     dest: fetched/
///     flat: true
/// ```
pub static FETCH: Kind = Kind {
    name: "fetch",
    aliases: &["ansible.builtin.fetch", "ansible.legacy.fetch"],
    summary: "writes a file of the node, up to 64 MiB, to the controller",
    params: &[
        Param::new("src", ParamType::Path, "The file of the node.").required(),
        Param::new(
            "dest",
            ParamType::Str,
            "The folder of the controller that gets it as `HOST/PATH`; relative to the playbook's folder. With `flat`, the file, or with a slash at its end the folder.",
        )
        .required(),
        Param::new("flat", ParamType::Bool, "Whether `dest` is the file itself.").default("false"),
        Param::new(
            "fail_on_missing",
            ParamType::Bool,
            "Whether it is a failure that the file is not there.",
        )
        .default("true"),
        Param::new(
            "validate_checksum",
            ParamType::Bool,
            "Only true: what came is always compared with its SHA-256.",
        )
        .default("true"),
    ],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind,
};

/// A file of the node and its place here.
struct Fetch {
    src: Arc<str>,
    path: PathBuf,
    /// What is there now.
    here: Option<Body>,
    must_be: bool,
    plan: bool,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let src = trimmed(args.str("src").unwrap_or_default());
    let dest = args.str("dest").unwrap_or_default();
    let name = src.rsplit('/').next().unwrap_or_default();
    if src.split('/').any(|part| part == "..") || name.is_empty() {
        let fault = Diagnostic::at(args.value_place("src"), format!("`{src}` names no file"));
        return Err(fault.help("write its path without `..`").into());
    }
    let place = args.value_place("dest");
    if dest.starts_with('~') {
        return Err(Diagnostic::at(place, "`~` is not known on the controller")
            .help("write the whole path, or one relative to the playbook's folder")
            .into());
    }
    if !args.bool("validate_checksum", true) {
        let place = args.value_place("validate_checksum");
        return Err(Diagnostic::at(place, "`validate_checksum` can only be true").into());
    }
    let path = match args.bool("flat", false) {
        true if dest.ends_with('/') => controller.destination(dest).join(name),
        true => controller.destination(dest),
        false if src.starts_with('~') => {
            let fault = Diagnostic::at(
                args.value_place("src"),
                format!("where `{src}` is, only the node knows"),
            );
            return Err(fault
                .help("write the whole path, or give `flat: true`")
                .into());
        }
        false => controller
            .destination(dest)
            .join(controller.host())
            .join(src.trim_start_matches('/')),
    };
    if path.is_dir() {
        let fault = Diagnostic::at(place, format!("`{}` is a folder", path.display()));
        return Err(fault
            .help("end `dest` with a slash to write into it")
            .into());
    }
    Ok(Box::new(Fetch {
        src: src.into(),
        here: here(&path),
        path,
        must_be: args.bool("fail_on_missing", true),
        plan: controller.mode() == Mode::Plan,
    }))
}

/// What the controller has. What cannot be read differs; writing it then says why.
fn here(path: &Path) -> Option<Body> {
    let length = std::fs::metadata(path).ok()?.len();
    let bytes = (length <= LIMIT).then(|| std::fs::read(path).ok())?;
    bytes.map(Body::new)
}

impl Resource for Fetch {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([
            Question::Path(self.src.clone()),
            Question::Digest(self.src.clone()),
        ])?;
        let info = known.path(&self.src)?.clone();
        if let Some(change) = homeless(&info) {
            return Ok(change);
        }
        let Some(digest) = known.digest(&self.src)?.cloned() else {
            return Ok(self.absent(&info));
        };
        if let Some(body) = self.here.as_ref().filter(|body| body.sha256 == digest) {
            return Ok(self.told(Change::none("the controller has it as it is"), body));
        }
        let change = Change::new(match self.here {
            Some(_) => Action::Update,
            None => Action::Create,
        })
        .field(Field::Text {
            field: "content".to_owned(),
            before_sha256: self.here.as_ref().map(|body| body.sha256.to_string()),
            after_sha256: Some(digest.to_string()),
            before: None,
            after: None,
        });
        let step = Step::new(format!("fetch {}", self.src), ":").before(Expect::Path {
            path: info.real.to_string(),
            kind: Some('f'),
            mode: None,
            owner: None,
            group: None,
            sha256: Some(digest.to_string()),
            target: None,
        });
        let path = self.path.display().to_string();
        let change = change.step(step).result("dest", path);
        if self.plan {
            return Ok(change);
        }
        let real = Question::Path(info.real.clone());
        let content = format!("fetch {}\ncat -- {}", self.src, quote(&info.real));
        known.need([real, Question::Probe(content.as_str().into())])?;
        let size = known
            .path(&info.real)?
            .stat
            .as_ref()
            .map_or(0, |stat| stat.size);
        if size > LIMIT {
            return Ok(Change::failed(format!(
                "`{}` has {} MiB; `fetch` takes files of up to 64 MiB",
                self.src,
                size >> 20
            ))
            .help("fetch larger files with `rsync` or `scp`"));
        }
        let bytes = known.probe(&content)?.clone();
        if sha256(&bytes) != digest {
            return Ok(Change::blocked(format!(
                "`{}` changed while it was read, or cannot be read by the login account",
                self.src
            ))
            .help("apply again; let nothing write to it meanwhile"));
        }
        let mut change = self.told(change, &Body::new(bytes.clone()));
        change.local = Some(LocalFile {
            path: self.path.clone(),
            bytes,
        });
        Ok(change)
    }
}

impl Fetch {
    fn absent(&self, info: &PathInfo) -> Change {
        if info.stat.is_some() {
            let found = state(info.stat.as_ref());
            return Change::failed(format!("`{}` is a {found}, not a file", self.src))
                .help("`fetch` takes one file; make a `tar` of a folder first");
        }
        if self.must_be {
            return Change::blocked(format!("no file `{}` is on the node", self.src))
                .help("write `fail_on_missing: false` where it may be missing");
        }
        Change::none("the file is not there, and need not be").result("file", &*self.src)
    }

    fn told(&self, change: Change, body: &Body) -> Change {
        let sum = body.sha1();
        let change = change
            .result("file", &*self.src)
            .result("dest", self.path.display().to_string())
            .result("checksum", sum.clone());
        change.result("remote_checksum", sum)
    }
}
