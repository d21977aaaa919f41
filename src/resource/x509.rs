//! Keys, signing requests and certificates, made on the node by its `openssl`.

pub mod certificate;
pub mod csr;
pub mod key;

use std::sync::Arc;

use super::attributes::{Attributes, homeless};
use super::folders::no_folder;
use super::mode::FileMode;
use super::place::{is_folder, parent, state, temporary, trimmed};
use super::write::set;
use super::{Args, Controller, Param, ParamType};
use crate::change::{Action, Change, Content, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Pem, Question};

/// `path`.
const PATH: Param = Param::new("path", ParamType::Path, "Where it is written.").required();
/// `backup`.
const BACKUP: Param = Param::new(
    "backup",
    ParamType::Bool,
    "Whether the old file is kept beside the new one, as `NAME.HASH~`.",
)
.default("false");

/// A file that `openssl` makes.
struct Made {
    path: Arc<str>,
    attributes: Attributes,
    backup: bool,
}

impl Made {
    /// Reads `path`, `backup`, owner, group and mode.
    fn bind(args: &Args, controller: &dyn Controller, mode: u32) -> Result<Made, Diagnostic> {
        let path = args
            .str("path")
            .ok_or_else(|| Diagnostic::at(&args.span, "`path` is needed"))?;
        let mut attributes = Attributes::bind(args, controller)?;
        if attributes.mode.is_none() {
            attributes = attributes.with_mode(Some(FileMode::Bits(mode)));
        }
        Ok(Made {
            path: trimmed(path).into(),
            attributes,
            backup: args.bool("backup", false),
        })
    }

    /// What must be known of the file itself, and of the files it is made from.
    fn questions(&self, sources: &[&Arc<str>]) -> Vec<Question> {
        let mut questions = vec![
            Question::Path(self.path.clone()),
            Question::Digest(self.path.clone()),
        ];
        for path in sources.iter().copied().chain([&self.path]) {
            questions.push(Question::Path(path.clone()));
            questions.push(Question::Pem(path.clone()));
        }
        questions.extend(parent(&self.path).map(|folder| Question::Path(folder.into())));
        questions.extend(self.attributes.questions());
        questions
    }

    /// The change: `fields` say what is wrong with what is there; when there is none, only owner and mode may differ.
    fn change(
        &self,
        known: &Known,
        fields: Vec<Field>,
        make: &str,
        input: Option<String>,
    ) -> Result<Change, Missing> {
        let info = known.path(&self.path)?.clone();
        if let Some(change) = homeless(&info) {
            return Ok(change);
        }
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let old = info.stat.as_ref();
        if let Some(stat) = old.filter(|stat| stat.kind != 'f') {
            let found = state(Some(stat));
            return Ok(
                Change::blocked(format!("`{}` is a {found}, not a file", self.path))
                    .help("remove it first"),
            );
        }
        if let (Some(old), true) = (old, fields.is_empty()) {
            let fields = resolved.differences(old);
            if fields.is_empty() {
                return Ok(Change::none("it is as wanted"));
            }
            let mut change = Change::new(Action::Update);
            change.fields = fields;
            return Ok(change.step(set(&resolved, &info.abs, &self.path, old)));
        }
        if !known.pem(&self.path)?.openssl {
            return Ok(Change::blocked("the node has no program `openssl`")
                .help("install the package `openssl` with an `apt` task before this one"));
        }
        let folder = parent(&self.path).unwrap_or("/");
        let above = known.path(folder)?;
        if !is_folder(above) {
            return Ok(no_folder(folder));
        }
        let new = resolved.fresh('f', above.stat.as_ref());
        let path = quote(&info.abs);
        let mut script = temporary(&info.abs);
        script.push_str("umask 077\nsaid=$( {\n");
        script.push_str(make);
        script.push_str("\n} 2>&1 ) || { printf '%s\\n' \"$said\" >&2; exit 1; }\n");
        let principals = resolved.principals(&new);
        if !principals.is_empty() {
            script.push_str(&format!("chown {} -- \"$t\" &&\n", quote(&principals)));
        }
        script.push_str(&format!(
            "chmod {} -- \"$t\" &&\nsync -- \"$t\" &&\n",
            super::mode::argument(new.mode)
        ));
        let digest = known.digest(&self.path)?.filter(|_| self.backup);
        if let Some(digest) = digest {
            let kept = quote(&format!("{}.{}~", info.abs, &digest[..12]));
            script.push_str(&format!("cp -pT -- {path} {kept} &&\n"));
        }
        script.push_str(&format!("mv -fT -- \"$t\" {path} &&\ntrap - EXIT"));
        let mut change = Change::new(match old {
            Some(_) => Action::Update,
            None => Action::Create,
        });
        change.fields = fields;
        let mut step = Step::new(format!("write {}", self.path), script)
            .touch(Touch::Path(self.path.to_string()))
            .before(super::place::was(
                &info.abs,
                old,
                known.digest(&self.path)?.map(|digest| &**digest),
            ))
            .verify(super::place::standing(&info.abs, &new, None));
        if let Some(text) = input {
            step = step.input(Content::Bytes(text.into_bytes().into()));
        }
        Ok(change.step(step))
    }
}

/// What `openssl` made of a source, or the obstacle that it is not there.
fn source<'a>(
    known: &'a Known,
    path: &str,
    kind: &str,
) -> Result<Result<&'a Pem, Change>, Missing> {
    let pem = known.pem(path)?;
    let words = match kind {
        "key" => "private key",
        "csr" => "signing request",
        _ => "certificate",
    };
    if !pem.openssl {
        return Ok(Err(Change::blocked("the node has no program `openssl`")
            .help(
                "install the package `openssl` with an `apt` task before this one",
            )));
    }
    if &*pem.kind != kind || pem.public_key().is_none() {
        return Ok(Err(Change::blocked(match known.path(path)?.stat {
            None => format!("there is no {words} `{path}`"),
            Some(_) => format!("`{path}` is no {words} that `openssl` can read"),
        })
        .help("make it with a task before this one")));
    }
    Ok(Ok(pem))
}

/// A check behind a step, as a shell fragment.
fn check(field: &str, script: String) -> Expect {
    Expect::Check {
        field: field.to_owned(),
        script,
    }
}
