//! `assemble`: a file made of the files of a folder.

use std::sync::Arc;

use regex::bytes::Regex;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, REFUSED_OF_FILES, VALIDATE};
use super::pattern::compile;
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Change, Content};
use crate::diagnostic::Diagnostic;
use crate::fact::path::TEXT_LIMIT;
use crate::fact::{Known, Missing, Question};

/// Makes one file of the files of a folder, of the node or of the controller. Parts are joined in the order of their names' bytes, each on a new line.
///
/// # Differs from Ansible
/// - a part may have up to 8 MiB on the node, and 1 MiB on the controller
/// - regular expressions are Python's, on an engine without look-around and references
/// - `attributes` and `unsafe_writes` are refused
///
/// # Returns
/// - `src`: the folder
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: parts that other tasks put onto the node
///   assemble:
///     src: /etc/app/conf.d
///     dest: /etc/app/app.conf
///     regexp: '\.conf$'
///
/// - name: parts beside the playbook
///   assemble:
///     src: app.conf.d
///     dest: /etc/app/app.conf
///     remote_src: false
///     delimiter: "### next ###"
/// ```
pub static ASSEMBLE: Kind = Kind {
    name: "assemble",
    aliases: &["ansible.builtin.assemble", "ansible.legacy.assemble"],
    summary: "joins the files of a folder of the node, or of the controller, to one file",
    params: &[
        Param::new("src", ParamType::Str, "The folder with the parts; files right in it, no folders below. An absolute path of the node, or with `remote_src: false` a folder searched in `files` beside the playbook.").required(),
        Param::new("dest", ParamType::Path, "The file that is made.").required(),
        Param::new("remote_src", ParamType::Bool, "Whether the folder is the node's.").default("true"),
        Param::new("delimiter", ParamType::Str, "What stands between the parts; `\\n` and the like are read as escapes."),
        Param::new("regexp", ParamType::Str, "A Python regular expression: only parts whose name it matches."),
        Param::new("ignore_hidden", ParamType::Bool, "Whether parts whose name begins with a dot are left out.").default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
        VALIDATE,
        Param::new("decrypt", ParamType::Bool, "Whether a part of the controller that is a vault is opened.").default("true"),
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check: |_| Vec::new(),
    bind,
};

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let needs = |name| Diagnostic::at(&args.span, format!("`assemble` needs `{name}`"));
    let src = args.get("src").ok_or_else(|| needs("src"))?;
    let dest = args.str("dest").ok_or_else(|| needs("dest"))?;
    let regexp = match args.str("regexp") {
        Some(text) => Some(compile(text, args.value_place("regexp"))?),
        None => None,
    };
    let join = Join {
        delimiter: args.str("delimiter").map(unescaped),
        regexp,
        hidden: !args.bool("ignore_hidden", false),
    };
    let target = Target {
        dest: trimmed(dest).into(),
        attributes: Attributes::bind(args, controller)?,
        follow: false,
        force: true,
        backup: args.bool("backup", false),
        validate: Validate::bind(args)?,
        folders: None,
    };
    if args.bool("remote_src", true) {
        let path = src.as_str().unwrap_or_default();
        if !path.starts_with(['/', '~']) {
            return Err(
                Diagnostic::at(&src.span, format!("the path `{path}` is relative"))
                    .help("write an absolute path of the node, or `remote_src: false` for a folder of the controller")
                    .into(),
            );
        }
        return Ok(Box::new(Assemble {
            src: trimmed(path).into(),
            join,
            target,
            here: None,
        }));
    }
    let folder = controller.find(src, "files")?;
    let fault = |message: String| Diagnostic::at(&src.span, message);
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| fault(format!("`{}` cannot be read: {error}", folder.display())))?;
    let mut parts = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| fault(error.to_string()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if !path.is_file() || !join.takes(&name) {
            continue;
        }
        let content = match args.bool("decrypt", true) {
            true => controller.content(&path, src)?,
            false => controller.content_as_it_is(&path, src)?,
        };
        let Content::Bytes(bytes) = content else {
            return Err(fault(format!("`{}` is larger than 1 MiB", path.display()))
                .help("copy large files with `copy`, and join them on the node")
                .into());
        };
        parts.push((name, bytes));
    }
    Ok(Box::new(Assemble {
        src: folder.display().to_string().into(),
        here: Some(join.all(parts)),
        join,
        target,
    }))
}

/// Which parts, and what stands between them.
struct Join {
    delimiter: Option<Vec<u8>>,
    regexp: Option<Regex>,
    /// Whether names that begin with a dot count.
    hidden: bool,
}

impl Join {
    fn takes(&self, name: &str) -> bool {
        let wanted = self.regexp.as_ref();
        wanted.is_none_or(|regexp| regexp.is_match(name.as_bytes()))
            && (self.hidden || !name.starts_with('.'))
    }

    fn all(&self, mut parts: Vec<(String, Arc<[u8]>)>) -> Body {
        parts.sort();
        let mut all: Vec<u8> = Vec::new();
        for (number, (_, part)) in parts.iter().enumerate() {
            if number > 0 {
                let before = &parts[number - 1].1;
                if !before.ends_with(b"\n") {
                    all.push(b'\n');
                }
                if let Some(delimiter) = self.delimiter.as_deref().filter(|it| !it.is_empty()) {
                    all.extend(delimiter);
                    if !delimiter.ends_with(b"\n") {
                        all.push(b'\n');
                    }
                }
            }
            all.extend(part.iter());
        }
        Body::new(all)
    }
}

/// `\n`, `\t`, `\x41` and the like as Python reads them in bytes.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            bytes.push(b'\\');
            break;
        };
        let hex = rest
            .get(1..3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let simple = match c {
            'n' => Some(b'\n'),
            't' => Some(b'\t'),
            'r' => Some(b'\r'),
            '0' => Some(0),
            '\\' => Some(b'\\'),
            '\'' | '"' => Some(c as u8),
            _ => None,
        };
        rest = match (c, simple, hex) {
            (_, Some(byte), _) => {
                bytes.push(byte);
                &rest[1..]
            }
            ('x', None, Some(byte)) => {
                bytes.push(byte);
                &rest[3..]
            }
            _ => {
                bytes.push(b'\\');
                rest
            }
        };
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// A file that is to be all of a folder's.
struct Assemble {
    src: Arc<str>,
    join: Join,
    target: Target,
    /// What it will be, when the parts are the controller's.
    here: Option<Body>,
}

impl Resource for Assemble {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = self.target.questions();
        if known.wants_diff {
            questions.push(Question::Text(self.target.dest.clone()));
        }
        let listing = format!("1 {}", self.src);
        if self.here.is_none() {
            questions.push(Question::Listing(listing.as_str().into()));
        }
        known.need(questions)?;
        let body = match &self.here {
            Some(body) => body.clone(),
            None => match self.parts(known, &listing)? {
                Ok(parts) => self.join.all(parts),
                Err(change) => return Ok(*change),
            },
        };
        let change = self.target.diff(known, &body)?;
        let change = match body.sha1() {
            Some(sum) => change.result("checksum", sum),
            None => change,
        };
        Ok(change.result("src", &*self.src))
    }
}

type Parts = Vec<(String, Arc<[u8]>)>;

impl Assemble {
    fn parts(&self, known: &Known, listing: &str) -> Result<Result<Parts, Box<Change>>, Missing> {
        let Some(listing) = known.listing(listing)? else {
            let change = Change::blocked(format!("`{}` is no folder of the node", self.src));
            return Ok(Err(Box::new(change.help(
                "make it and its files before this task, or write `remote_src: false` for a folder of the controller",
            ))));
        };
        let wanted = |entry: &&crate::fact::TreeEntry| {
            entry.stat.target_kind == 'f' && self.join.takes(&entry.name)
        };
        let names: Vec<Arc<str>> = listing
            .entries
            .iter()
            .filter(wanted)
            .map(|entry| entry.name.clone())
            .collect();
        let path = |name: &str| -> Arc<str> {
            format!("{}/{name}", listing.folder.trim_end_matches('/')).into()
        };
        // Only with its path's answer is it known later where a text comes from.
        known.need(
            names
                .iter()
                .flat_map(|name| [Question::Path(path(name)), Question::Text(path(name))]),
        )?;
        let mut parts = Vec::with_capacity(names.len());
        for name in names {
            let Some(text) = known.text(&path(&name))? else {
                let limit = TEXT_LIMIT / 1024 / 1024;
                let change = Change::failed(format!(
                    "`{}` is larger than {limit} MiB, or cannot be read",
                    path(&name)
                ));
                return Ok(Err(Box::new(change)));
            };
            parts.push((name.to_string(), text.clone()));
        }
        Ok(Ok(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(delimiter: Option<&str>, parts: &[(&str, &str)]) -> String {
        let join = Join {
            delimiter: delimiter.map(unescaped),
            regexp: None,
            hidden: true,
        };
        let parts = parts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Arc::from(text.as_bytes())))
            .collect();
        let body = join.all(parts);
        String::from_utf8(body.bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn parts_are_joined_as_ansible_joins_them() {
        let parts = [("b", "two"), ("a", "one\n"), ("c", "three")];
        assert_eq!(all(None, &parts), "one\ntwo\nthree");
        assert_eq!(all(Some("--"), &parts), "one\n--\ntwo\n--\nthree");
        assert_eq!(all(Some("#\\x41\\n"), &parts), "one\n#A\ntwo\n#A\nthree");
        assert_eq!(all(Some("\\d"), &parts[..2]), "one\n\\d\ntwo");
        assert_eq!(all(None, &[]), "");
    }
}
