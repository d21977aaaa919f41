//! `get_url`: a file fetched by the node, checked beside the target, then put in its place.

pub mod script;

use std::sync::Arc;

use serde_json::Map;

use super::attributes::{self, Attributes, Resolved, homeless};
use super::copy::{BACKUP, REFUSED_OF_FILES};
use super::http::{self, Request};
use super::place::{is_folder, parent, state, trimmed, was, with_stat};
use super::write::set;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource, folders};
use crate::change::{ActOutput, Action, Change, Field, Interpreted, Reading, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, PathInfo, Question, Stat};

/// Has the node fetch a file by HTTP or HTTPS, checks it beside its target, and puts it in place.
///
/// # Differs from Ansible
/// - `checksum` is SHA-256
/// - a file that is there is not asked for again, unless `force` or another `checksum` says so, as in Ansible
///
/// # Needs
/// - the package `curl`; without it, what apt can fetch
///
/// # Returns
/// - `url`, `dest`: from where to where
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: a tool
///   get_url:
///     url: https://downloads.example/tool-1.2
///     dest: /usr/local/bin/tool
///     checksum: sha256:https://downloads.example/SHA256SUMS
///     mode: "0755"
/// ```
pub static GET_URL: Kind = Kind {
    name: "get_url",
    aliases: &["ansible.builtin.get_url", "ansible.legacy.get_url"],
    summary: "has the node fetch a file by HTTP or HTTPS: by curl, or without it by apt's helper",
    params: &[
        Param::new("url", ParamType::Str, "Where from.").required(),
        Param::new(
            "dest",
            ParamType::Path,
            "The file. With a slash at its end, or where a folder stands, the file is named as in the address.",
        )
        .required(),
        Param::new(
            "checksum",
            ParamType::Str,
            "`sha256:` and the sum, or the address of a file of sums. A file that has it is not asked for.",
        ),
        Param::new(
            "force",
            ParamType::Bool,
            "Whether a file that is there is fetched again, and replaced where it differs.",
        )
        .default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
        Param::new("tmp_dest", ParamType::Path, "The folder it is fetched to; else that of `dest`."),
        http::HEADERS,
        http::TIMEOUT.default("10"),
        http::VALIDATE_CERTS,
        Param::new("url_username", ParamType::Str, "The user to log in as.").aliases(&["username"]),
        Param::new("url_password", ParamType::Str, "The user's password.").aliases(&["password"]),
        http::BASIC,
        http::AGENT,
    ],
    free_form: None,
    refused: REFUSED,
    check: |_| Vec::new(),
    bind,
};

const REFUSED: &[(&str, &str)] = &[
    ("client_cert", "use `command` with curl and `creates`"),
    ("client_key", "use `command` with curl and `creates`"),
    ("ciphers", "use `command` with curl and `creates`"),
    (
        "decompress",
        "answers are asked for uncompressed; leave it out",
    ),
    (
        "use_proxy",
        "set or empty `http_proxy` and `https_proxy` in `environment`",
    ),
    ("use_gssapi", "use `command` with curl and `creates`"),
    ("use_netrc", "give user and password; no netrc is read"),
    (
        "unredirected_headers",
        "headers are sent to the address only; leave it out",
    ),
    REFUSED_OF_FILES[0],
    REFUSED_OF_FILES[1],
    REFUSED_OF_FILES[2],
    REFUSED_OF_FILES[3],
    REFUSED_OF_FILES[4],
    REFUSED_OF_FILES[5],
    REFUSED_OF_FILES[6],
];

/// What the file must have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sum {
    /// This SHA-256.
    Known(Arc<str>),
    /// The SHA-256 that a file at this address says.
    At,
}

/// A file and where it comes from.
struct GetUrl {
    request: Request,
    sums: Option<Request>,
    sum: Option<Sum>,
    dest: Arc<str>,
    /// Whether `dest` is a folder by its slash.
    inside: bool,
    force: bool,
    backup: bool,
    tmp: Option<String>,
    attributes: Attributes,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let request = Request::bind(args, "url_username", "url_password", 10)?;
    let fault = |message: String| Diagnostic::at(args.value_place("checksum"), message);
    let (mut sum, mut sums) = (None, None);
    if let Some(text) = args
        .str("checksum")
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let (algorithm, value) = text.split_once(':').unwrap_or(("", text));
        if algorithm != "sha256" {
            return Err(
                fault(format!("`{algorithm}` is not the sum that is taken here"))
                    .help("write `sha256:` and the SHA-256")
                    .into(),
            );
        }
        let hex: String = value.chars().filter(char::is_ascii_hexdigit).collect();
        if value.contains("://") {
            let mut of_sums = request.clone();
            of_sums.url = http::Url::parse(value).map_err(fault)?;
            sum = Some(Sum::At);
            sums = Some(of_sums);
        } else if hex.len() == 64 && hex.len() == value.len() {
            sum = Some(Sum::Known(hex.to_ascii_lowercase().into()));
        } else {
            return Err(fault(format!("`{value}` is neither a SHA-256 nor an address")).into());
        }
    }
    let dest = args.str("dest").unwrap_or_default();
    if dest.ends_with('/') && request.url.name().is_none() {
        return Err(
            Diagnostic::at(args.value_place("url"), "the address names no file")
                .help("write the name of the file at the end of `dest`")
                .into(),
        );
    }
    Ok(Box::new(GetUrl {
        inside: dest.ends_with('/'),
        dest: trimmed(dest).into(),
        sum,
        sums,
        request,
        force: args.bool("force", false),
        backup: args.bool("backup", false),
        tmp: args.str("tmp_dest").map(|path| trimmed(path).to_owned()),
        attributes: Attributes::bind(args, controller)?,
    }))
}

impl Resource for GetUrl {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let name = self.request.url.name().unwrap_or_default();
        let inside: Arc<str> = format!("{}/{name}", self.dest.trim_end_matches('/')).into();
        let curl = "/usr/bin/curl";
        let mut questions = vec![
            Question::Path(self.dest.clone()),
            Question::Path(curl.into()),
        ];
        let first = if self.inside { &inside } else { &self.dest };
        questions.extend(self.questions(first));
        known.need(questions)?;
        let dest = match is_folder(known.path(&self.dest)?) && !name.is_empty() {
            true => inside,
            false => first.clone(),
        };
        known.need(self.questions(&dest))?;
        let info = known.path(&dest)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        if let Some(stat) = info
            .stat
            .as_ref()
            .filter(|stat| stat.target_kind != 'f' && stat.kind != 'l')
        {
            let found = state(Some(stat));
            return Ok(Change::blocked(format!(
                "`{dest}` is a {found}, not a file"
            )));
        }
        match parent(&dest) {
            Some(folder) if !is_folder(known.path(folder)?) => {
                return Ok(folders::no_folder(folder));
            }
            _ => {}
        }
        let digest = known.digest(&dest)?;
        let fits = match (&self.sum, digest) {
            (Some(Sum::Known(sum)), Some(digest)) => sum == digest,
            (Some(Sum::At), _) => false,
            (None, Some(_)) => !self.force,
            (_, None) => false,
        };
        if fits && let Some(stat) = info.stat.as_ref() {
            return Ok(self.attributes(&dest, info, stat, &resolved));
        }
        let has_curl = known.path(curl)?.stat.is_some();
        if !has_curl && self.request.url.tls && !self.request.is_plain() {
            return Ok(Change::blocked(
                "headers, passwords and unchecked certificates need curl, which the node has not",
            )
            .help("install the package `curl` with an `apt` task before this one"));
        }
        Ok(self.fetch(&dest, info, digest, &resolved))
    }
}

impl GetUrl {
    fn questions(&self, dest: &Arc<str>) -> Vec<Question> {
        let mut questions = vec![Question::Path(dest.clone()), Question::Digest(dest.clone())];
        questions.extend(parent(dest).map(|folder| Question::Path(folder.into())));
        questions.extend(self.attributes.questions());
        questions
    }

    /// The file is as wanted; its owner or mode may not be.
    fn attributes(&self, dest: &str, info: &PathInfo, stat: &Stat, resolved: &Resolved) -> Change {
        let fields = resolved.differences(stat);
        let told = |change: Change, stat: &Stat| {
            with_stat(change, stat, "file")
                .result("dest", &*info.abs)
                .result("url", self.request.url.text.as_str())
        };
        // A link has no owner and mode that matter.
        if fields.is_empty() || stat.kind == 'l' {
            return told(Change::none("it is there"), stat);
        }
        let mut change = Change::new(Action::Update);
        change.fields = fields;
        let step = set(resolved, &info.abs, dest, stat);
        let new = resolved.altered(stat);
        let known = PathInfo {
            stat: Some(new.clone()),
            ..info.clone()
        };
        let step = step.predict(
            Question::Path(dest.into()),
            crate::fact::Answer::Path(known),
        );
        told(change.step(step), &new)
    }

    fn fetch(
        &self,
        dest: &str,
        info: &PathInfo,
        digest: Option<&Arc<str>>,
        resolved: &Resolved,
    ) -> Change {
        let new = match info.stat.as_ref().filter(|stat| stat.kind == 'f') {
            Some(old) => resolved.altered(old),
            None => resolved.fresh('f', None),
        };
        // What is compared only when it has come may turn out to be the same.
        let foreseen = digest.is_none() || matches!(self.sum, Some(Sum::Known(_)));
        let same = match info.stat.as_ref().filter(|stat| stat.kind == 'f') {
            Some(old) => resolved.commands(&quote(&info.abs), old).join(" && "),
            None => String::new(),
        };
        let options = resolved.install_options(&new);
        let script = self.script(&info.abs, digest.is_some(), &options, &same);
        let mut step = Step::new(
            format!("fetch {}", http::shown(&self.request.url.text)),
            script,
        )
        .touch(Touch::Path(dest.to_owned()));
        if self.backup {
            step = step.touch(Touch::Path(parent(&info.abs).unwrap_or("/").to_owned()));
        }
        let regular = info.stat.as_ref().is_some_and(|stat| stat.kind == 'f');
        let old = digest.filter(|_| regular).map(|digest| &**digest);
        step = step.before(was(&info.abs, info.stat.as_ref(), old));
        step.act = true;
        let mut change = Change::new(match digest {
            Some(_) => Action::Update,
            None => Action::Create,
        });
        if foreseen {
            change = change.field(Field::Text {
                field: "content".to_owned(),
                before_sha256: digest.map(|digest| digest.to_string()),
                after_sha256: match &self.sum {
                    Some(Sum::Known(sum)) => Some(sum.to_string()),
                    _ => None,
                },
                before: None,
                after: None,
            });
        }
        let reading = match foreseen {
            true => Reading::new(read).foreseen(),
            false => Reading::new(read),
        };
        change
            .step(step)
            .reading(reading)
            .result("url", self.request.url.text.as_str())
            .result("dest", &*info.abs)
    }
}

/// What the script printed; none when it was ended before it could.
fn read(output: &ActOutput) -> Option<Interpreted> {
    let text = String::from_utf8_lossy(output.stdout);
    let mut result = Map::new();
    let mut read = Interpreted::default();
    for line in text.lines() {
        let (key, value) = line.split_once(' ')?;
        match key {
            "changed" => read.changed = value == "1",
            "error" => read.message = value.to_owned(),
            "size" | "elapsed" | "status_code" => {
                let number: i64 = value.parse().ok()?;
                result.insert(key.to_owned(), number.into());
            }
            _ => {
                result.insert(key.to_owned(), value.into());
            }
        }
    }
    if output.rc != 0 && read.message.is_empty() {
        return None;
    }
    read.result = result;
    Some(read)
}
