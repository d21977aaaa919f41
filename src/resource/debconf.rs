//! `debconf`: answers to the questions that packages ask when they are installed.

mod ask;

use std::sync::Arc;

use super::body::sha256;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Content, Expect, Field, Step, Touch};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};
use crate::secret::MASK;
use crate::value::{Kind as ValueKind, Value};
use ask::Found;

/// Answers a question that a package asks when it is installed, so the task belongs before the one that installs it. Without `question`, it reads the
/// answers of the package.
///
/// # Differs from Ansible
/// - `debconf-utils` is not needed
/// - with `vtype: seen` the flag is compared
/// - a password is compared on the node by its sum; it neither leaves the node nor shows
///
/// # Returns
/// - `current`: the answers by their questions, as they are behind the task
/// - `previous`: the answer that was there before, by its question, when it changed
///
/// # Examples
/// ```yaml
/// - name: mail goes to another host
///   debconf:
///     name: postfix
///     question: postfix/main_mailer_type
///     vtype: select
///     value: Satellite system
///
/// - name: the password of the directory
///   debconf:
///     name: slapd
///     question: slapd/password1
///     vtype: password
///     value: "{{ vault_ldap_password }}"
///
/// - name: what tzdata was told
///   debconf: { name: tzdata }
///   register: answers
/// ```
pub static DEBCONF: Kind = Kind {
    name: "debconf",
    aliases: &["ansible.builtin.debconf", "ansible.legacy.debconf"],
    summary: "answers a question of a package before it is installed, or reads the answers of one",
    params: &[
        Param::new("name", ParamType::Str, "The package.").required().aliases(&["pkg"]),
        Param::new("question", ParamType::Str, "The question, such as `tzdata/Areas`. Without it, the answers are only read.").aliases(&["selection", "setting"]),
        Param::new("vtype", ParamType::Choice(&["boolean", "error", "multiselect", "note", "password", "seen", "select", "string", "text", "title"]), "The type of the question; `seen` sets only whether it counts as asked."),
        Param::new("value", ParamType::Any, "The answer; a list for `multiselect`.").aliases(&["answer"]),
        Param::new("unseen", ParamType::Bool, "Whether the question counts as not asked yet, so that the package asks it all the same.").default("false"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| bind(args),
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let given = ["question", "vtype", "value"].map(|name| (name, args.has(name)));
    let any = given.iter().find(|(_, there)| *there);
    let absent = given.iter().find(|(_, there)| !*there);
    let mut faults = Vec::new();
    if let (Some((first, _)), Some((name, _))) = (any, absent) {
        faults.push(
            Diagnostic::at(args.place(first), format!("`debconf` needs `{name}` too"))
                .help("`question`, `vtype` and `value` belong together; without any of them the answers are only read"),
        );
    }
    for name in ["name", "question"] {
        let bad = |text: &&str| text.is_empty() || text.contains(char::is_whitespace);
        if args.literal(name).filter(bad).is_some() {
            faults.push(Diagnostic::at(
                args.value_place(name),
                format!("`{name}` must be one word"),
            ));
        }
    }
    faults
}

fn bind(args: &Args) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let package = args.str("name").unwrap_or_default().to_owned();
    let Some(name) = args.str("question") else {
        return Ok(Box::new(Answers {
            question: ask::all(&package).into(),
        }));
    };
    let vtype = args.str("vtype").unwrap_or_default();
    let value = args.get("value").map(|value| text(value, vtype));
    let value = value.unwrap_or_default();
    if value.contains(['\n', '\r']) {
        let place = args.value_place("value");
        return Err(Diagnostic::at(place, "an answer has one line")
            .help("debconf reads one line for each; write `\\n` where the question says so")
            .into());
    }
    if vtype == "seen" && !["true", "false"].contains(&value.as_str()) {
        let place = args.value_place("value");
        return Err(Diagnostic::at(place, "of `seen`, the value is true or false").into());
    }
    Ok(Box::new(Debconf {
        probe: ask::one(&package, name, vtype == "password").into(),
        package,
        name: name.to_owned(),
        vtype: vtype.to_owned(),
        value,
        unseen: args.bool("unseen", false),
    }))
}

/// A value as debconf writes it.
fn text(value: &Value, vtype: &str) -> String {
    match &value.kind {
        ValueKind::Bool(flag) => flag.to_string(),
        ValueKind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item, vtype)).collect();
            items.join(", ")
        }
        ValueKind::Str(text) if matches!(vtype, "boolean" | "seen") => text.to_lowercase(),
        ValueKind::Str(text) => text.to_string(),
        _ => value.to_json().to_string(),
    }
}

/// All answers of a package, read.
struct Answers {
    question: Arc<str>,
}

impl Resource for Answers {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(self.question.clone())])?;
        let current = ask::answers(&String::from_utf8_lossy(known.probe(&self.question)?));
        Ok(Change::none("read").result("current", current))
    }
}

/// The answer to one question.
struct Debconf {
    package: String,
    name: String,
    vtype: String,
    value: String,
    unseen: bool,
    probe: Arc<str>,
}

impl Resource for Debconf {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(self.probe.clone())])?;
        let found = Found::read(known.probe(&self.probe)?);
        if found.no_debconf {
            return Ok(Change::blocked("there is no debconf on the node")
                .help("install the package `debconf` with `apt` before this task"));
        }
        let secret = self.vtype == "password";
        let hidden = |text: &str| match secret && !text.is_empty() {
            true => MASK.to_owned(),
            false => text.to_owned(),
        };
        let before = match self.vtype.as_str() {
            "seen" => found.seen.to_string(),
            _ => hidden(&found.value),
        };
        let pair = |value: String| serde_json::json!({ &self.name: value });
        let done = |change: Change| change.result("current", pair(hidden(&self.value)));
        if found.owned && self.is(&found) {
            return Ok(done(Change::none("the answer is as wanted")));
        }
        let change = Change::new(match found.exists {
            true => Action::Update,
            false => Action::Create,
        });
        // The answer may be as wanted, and the question another package's alone.
        let field = match self.is(&found) {
            true => Field::value("package", "", &self.package),
            false => Field::value(&self.name, &before, hidden(&self.value)),
        };
        Ok(done(
            change
                .field(field)
                .step(self.step(&found))
                .result("previous", pair(before)),
        ))
    }
}

impl Debconf {
    fn is(&self, found: &Found) -> bool {
        match self.vtype.as_str() {
            "seen" => found.seen.to_string() == self.value,
            // Of a password only the sum is there.
            "password" => found.value == *sha256(self.value.as_bytes()),
            "boolean" => found.value.to_lowercase() == self.value,
            "multiselect" => {
                let parts = |text: &str| {
                    let mut parts: Vec<String> =
                        text.split(',').map(|part| part.trim().to_owned()).collect();
                    parts.sort_unstable();
                    parts
                };
                parts(&found.value) == parts(&self.value)
            }
            _ => found.value == self.value,
        }
    }

    /// The answer goes through a file: as an argument it would show in the process list.
    fn step(&self, found: &Found) -> Step {
        let line = [&*self.package, &self.name, &self.vtype, &self.value].join(" ") + "\n";
        let unseen = if self.unseen { " -u" } else { "" };
        let mut after = Found {
            exists: true,
            owned: true,
            ..found.clone()
        };
        match self.vtype.as_str() {
            "seen" => after.seen = self.value == "true",
            "password" => after.value = sha256(self.value.as_bytes()).to_string(),
            _ => after.value.clone_from(&self.value),
        }
        if self.vtype != "seen" {
            after.seen = !self.unseen;
        }
        Step::new(
            format!("answer {}", self.name),
            format!("DEBIAN_FRONTEND=noninteractive debconf-set-selections{unseen} \"$IN1\""),
        )
        .input(Content::Bytes(line.into_bytes().into()))
        .touch(Touch::Debconf(self.name.clone()))
        .predict(
            Question::Probe(self.probe.clone()),
            Answer::Probe(after.written().into_bytes().into()),
        )
        .verify(Expect::Check {
            field: self.name.clone(),
            script: ask::verify(&self.probe, &after, self.vtype == "seen"),
        })
    }
}
