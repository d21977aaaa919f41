//! `hostname`: the node's name, in /etc/hostname and in the running kernel.

use std::sync::Arc;

use super::attributes::Attributes;
use super::body::Body;
use super::edit::{self, Found};
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};

/// Names the node in /etc/hostname and in the running kernel. /etc/hosts is left alone.
///
/// # Differs from Ansible
/// - `use` is accepted and means nothing
///
/// # Returns
/// - `name`: the name
/// - `ansible_facts`: the facts that hold it
///
/// # Examples
/// ```yaml
/// - name: its name
///   hostname: { name: "{{ inventory_hostname }}" }
/// ```
pub static HOSTNAME: Kind = Kind {
    name: "hostname",
    aliases: &["ansible.builtin.hostname", "ansible.legacy.hostname"],
    summary: "names the node; /etc/hosts is left alone",
    params: &[
        Param::new(
            "name",
            ParamType::Str,
            "The name; 64 letters, digits, `-` and dots at most.",
        )
        .required(),
        Param::new(
            "use",
            ParamType::Choice(&["auto", "debian", "systemd"]),
            "Accepted; nodes are Debian with systemd.",
        )
        .default("auto"),
    ],
    free_form: None,
    refused: &[],
    check: |args| {
        args.literal("name")
            .and_then(|name| fault(name, args))
            .into_iter()
            .collect()
    },
    bind,
};

const FILE: &str = "/etc/hostname";
const LIVE: &str = "/proc/sys/kernel/hostname";

/// What is wrong with a name.
fn fault(name: &str, args: &Args) -> Option<Diagnostic> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let label = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label.chars().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let good = name.len() <= 64 && name.split('.').all(label);
    (!good).then(|| {
        Diagnostic::at(args.value_place("name"), format!("`{name}` cannot be the name of a host"))
            .help("a name is parts of letters, digits and `-`, with dots between them, 64 characters at most")
    })
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let name = args.str("name").unwrap_or_default();
    if let Some(fault) = fault(name, args) {
        return Err(fault.into());
    }
    Ok(Box::new(Hostname {
        target: Target {
            dest: FILE.into(),
            attributes: Attributes::of_nobody(controller),
            follow: true,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        },
        name: name.to_owned(),
    }))
}

/// The name a node is to have.
struct Hostname {
    target: Target,
    name: String,
}

impl Resource for Hostname {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = edit::questions(&self.target);
        questions.extend([Question::Path(LIVE.into()), Question::Text(LIVE.into())]);
        known.need(questions)?;
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => String::from_utf8_lossy(&old).into_owned(),
            Found::Not(change) => return Ok(*change),
            Found::Absent => String::new(),
        };
        let kept = old
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        let mut change = if kept == Some(self.name.as_str()) {
            Change::none("")
        } else {
            let body = Body::new(format!("{}\n", self.name).into_bytes());
            self.target.diff(known, &body)?
        };
        if change.obstacle.is_some() {
            return Ok(change);
        }
        let live = known
            .text(LIVE)?
            .map(|text| String::from_utf8_lossy(text).trim().to_owned());
        let live = live.unwrap_or_default();
        if live != self.name {
            change = change
                .field(Field::value("name", live, self.name.as_str()))
                .step(self.step(known)?);
        }
        if change.action == Action::None {
            change.action = if change.steps.is_empty() {
                Action::None
            } else {
                Action::Update
            };
            change.reason = if change.steps.is_empty() {
                "the node has the name".to_owned()
            } else {
                String::new()
            };
        }
        let (short, domain) = self.name.split_once('.').unwrap_or((&self.name, ""));
        let facts = serde_json::json!({
            "ansible_hostname": short, "ansible_nodename": self.name, "ansible_fqdn": self.name, "ansible_domain": domain,
        });
        change.result.clear();
        Ok(change
            .result("name", self.name.as_str())
            .result("ansible_facts", facts))
    }
}

impl Hostname {
    /// The kernel is told by `hostname`, an essential package; systemd sees it there.
    fn step(&self, known: &Known) -> Result<Step, Missing> {
        let name = quote(&self.name);
        let text: Arc<[u8]> = format!("{}\n", self.name).into_bytes().into();
        Ok(Step::new(
            format!("name the node {}", self.name),
            format!("hostname {name}"),
        )
        .touch(Touch::Path(LIVE.to_owned()))
        .predict(
            Question::Path(LIVE.into()),
            Answer::Path(known.path(LIVE)?.clone()),
        )
        .predict(Question::Text(LIVE.into()), Answer::Text(Some(text)))
        .verify(Expect::Check {
            field: "name".to_owned(),
            script: format!(
                "found=$(uname -n)\n[ \"$found\" = {name} ] || {{ printf %s \"$found\"; exit 1; }}"
            ),
        }))
    }
}
