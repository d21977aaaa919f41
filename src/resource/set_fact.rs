//! `set_fact`: variables of the host, for the rest of the run.

use super::{Args, Kind, Param, ParamType, Resource};
use crate::change::{Change, FACT};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Sets variables of the host, for the rest of the run.
///
/// # Differs from Ansible
/// - with `cacheable` the variables are among `ansible_facts` too, but nothing is kept for another run: there is no cache of facts
///
/// # Returns
/// - `ansible_facts`: the variables
///
/// # Examples
/// ```yaml
/// - name: the first of the group
///   set_fact:
///     leader: "{{ groups['all'] | first }}"
/// ```
pub static SET_FACT: Kind = Kind {
    name: "set_fact",
    aliases: &["ansible.builtin.set_fact"],
    summary: "sets variables of the host for the rest of the run",
    params: &[
        Param::new(
            Param::OPEN,
            ParamType::Any,
            "Each name is a variable, with its value; a name may be a template.",
        ),
        Param::new(
            "cacheable",
            ParamType::Bool,
            "Whether the variables are facts too, without a leading `ansible_`.",
        ),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| {
        let facts = args
            .open()
            .map(|(name, entry)| (name.to_owned(), entry.value.to_json()))
            .collect();
        Ok(Box::new(SetFact {
            facts,
            cacheable: args.bool("cacheable", false),
        }))
    },
};

/// The name of a variable among `ansible_facts`.
pub(super) fn fact_name(name: &str) -> &str {
    name.strip_prefix("ansible_").unwrap_or(name)
}

struct SetFact {
    facts: serde_json::Map<String, serde_json::Value>,
    cacheable: bool,
}

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults: Vec<Diagnostic> = args
        .open()
        .filter(|(name, _)| !is_name(name) && !name.contains("{{"))
        .map(|(name, entry)| {
            Diagnostic::at(
                &entry.key,
                format!("`{name}` cannot be the name of a variable"),
            )
            .help("a name is letters, digits and `_`, and does not begin with a digit")
        })
        .collect();
    if args.open().next().is_none() {
        faults.push(
            Diagnostic::at(&args.span, "`set_fact` sets nothing").help("give it `name: value`"),
        );
    }
    faults
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Resource for SetFact {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        let names: Vec<&str> = self.facts.keys().map(String::as_str).collect();
        let mut change = Change::none(format!("set {}", names.join(", "))).result(
            "ansible_facts",
            serde_json::Value::Object(self.facts.clone()),
        );
        change.facts = self.facts.clone();
        if self.cacheable {
            for (name, value) in &self.facts {
                let fact = format!("{FACT}{}", fact_name(name));
                change.facts.insert(fact, value.clone());
            }
        }
        Ok(change)
    }
}
