//! Tasks for other systems: roles that are written for many carry tasks whose condition no Debian node meets. They are skipped whatever
//! stands in them. What [`super::idle`] tells of is put aside in the same way.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::fields::is_literal;
use super::parse::Reader;
use super::task::Outer;
use super::{Task, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::value::{Entry, Kind, Map, Value};

/// What the facts are on every node.
const NODES: &[(&str, &str)] = &[
    ("os_family", "Debian"),
    ("distribution", "Debian"),
    ("pkg_mgr", "apt"),
    ("service_mgr", "systemd"),
];

/// Whether no node meets a `when`: one of its conditions compares a fact with the names of other systems only, or asks for SELinux.
pub(super) fn never_holds(when: &Value) -> bool {
    match &when.kind {
        Kind::List(items) => items.iter().any(never_holds),
        // An alternative beside it may hold after all.
        Kind::Str(text) => !text.contains(" or ") && text.split(" and ").any(is_of_others),
        _ => false,
    }
}

/// Whether no node meets some conditions that must all hold.
pub(super) fn of_others(when: &[Value]) -> bool {
    when.iter().any(never_holds)
}

fn is_of_others(condition: &str) -> bool {
    static GUARDED: LazyLock<Regex> = LazyLock::new(|| {
        let fact =
            r#"ansible_(?:facts(?:\.|\[['"]))?selinux(?:['"]\])?(?:\.status|\[['"]status['"]\])"#;
        let default = r#"\|\s*(?:default|d)\(\s*['"](?:disabled)?['"]"#;
        Regex::new(&format!(
            r#"^\s*\(?\s*\(?\s*{fact}\s*(?:{default}\s*(?:,\s*(?i:true)\s*)?\)\s*)?\)?\s*==\s*['"]enabled['"]\s*\)?\s*$"#
        ))
        .expect("the expression is constant")
    });
    if GUARDED.is_match(condition) {
        return true;
    }
    static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
        let fact = r#"ansible_(?:facts(?:\.|\[['"]))?(os_family|distribution|pkg_mgr|service_mgr)(?:['"]\])?"#;
        let word = r#"['"][^'"]*['"]"#;
        let pattern = format!(
            r#"^\s*\(?\s*{fact}\s*(?:==\s*({word})|in\s*\[\s*({word}(?:\s*,\s*{word})*)\s*,?\s*\])\s*\)?\s*$"#
        );
        Regex::new(&pattern).expect("the expression is constant")
    });
    let Some(found) = COMPARED.captures(condition) else {
        return false;
    };
    let Some(ours) = NODES.iter().find(|(fact, _)| *fact == &found[1]) else {
        return false;
    };
    let words = found.get(2).or(found.get(3)).map_or("", |it| it.as_str());
    let quotes: &[char] = &['\'', '"', ' '];
    words
        .split(',')
        .all(|word| word.trim_matches(quotes) != ours.1)
}

/// A value whose templates ask for nothing but facts that are the same on every node, with these written out.
pub(super) fn on_every_node(value: &Value) -> Option<Value> {
    static FACT: LazyLock<Regex> = LazyLock::new(|| {
        let fact = r#"ansible_(?:facts(?:\.|\[\s*['"]))?(os_family|distribution|pkg_mgr|service_mgr)(?:['"]\s*\])?"#;
        Regex::new(&format!(
            r#"\{{\{{-?\s*{fact}\s*(\|\s*lower(?:\(\))?\s*)?-?\}}\}}"#
        ))
        .expect("the expression is constant")
    });
    let text = value.as_str()?;
    let written = FACT.replace_all(text, |found: &Captures| {
        let node = NODES.iter().find(|(fact, _)| *fact == &found[1]);
        let word = node.map_or("", |(_, word)| *word);
        match found.get(2) {
            Some(_) => word.to_lowercase(),
            None => word.to_owned(),
        }
    });
    let value = Value::str(&written, &value.span);
    (written != text && is_literal(&value)).then_some(value)
}

impl Reader {
    /// Whether all that was found wrong since is of what is not here.
    pub(super) fn is_absent(&self, faults: usize) -> bool {
        let mut wrong = self.faults[faults..].iter().filter(|it| it.is_error());
        wrong.all(|fault| fault.absent)
    }

    /// Puts a task that cannot be done, and is skipped where its condition is false, in the place of what was read since `faults` and `from`.
    pub(super) fn never(
        &mut self,
        (faults, from): (usize, usize),
        value: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        tasks: &mut Vec<Task>,
    ) {
        let mut wrong: Vec<Diagnostic> = self.faults[faults..].to_vec();
        wrong.retain(Diagnostic::is_error);
        if wrong.is_empty() {
            return;
        }
        self.faults.truncate(faults);
        tasks.truncate(from);
        let mut words: Map = map
            .iter()
            .filter(|(key, _)| {
                matches!(
                    key.as_ref(),
                    "name" | "when" | "tags" | "vars" | "listen" | "register"
                )
            })
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        let action = map.iter().find(|(key, _)| {
            !super::keywords::TASK.contains(&key.as_ref()) && !key.starts_with("with_")
        });
        if let (false, Some((key, entry))) = (words.contains_key("name"), action) {
            let name = Entry {
                key: entry.key.clone(),
                value: Value::str(key, &entry.key),
            };
            words.insert("name".into(), name);
        }
        let (own, inherited) = self.keywords(&words, outer);
        let repeat = self.quietly(|reader| reader.repeat(map));
        let spot = super::play::spot(map, value);
        let action = TaskAction::Never(wrong.into());
        tasks.push(self.made(spot, action, own, inherited, repeat, handler));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn facts_of_every_node_are_written_out() {
        for (text, wanted) in [
            (
                "setup-{{ ansible_os_family }}.yml",
                Some("setup-Debian.yml"),
            ),
            (
                "{{ansible_facts['os_family']|lower}}/{{ ansible_pkg_mgr }}.yml",
                Some("debian/apt.yml"),
            ),
            ("{{ ansible_facts.distribution }}.yml", Some("Debian.yml")),
            ("{{ ansible_distribution_release }}.yml", None),
            ("{{ ansible_os_family }}-{{ x }}.yml", None),
            ("{{ ansible_os_family | default(x) }}.yml", None),
            ("setup.yml", None),
        ] {
            let value = on_every_node(&Value::str(text, &Span::synthetic("test")));
            assert_eq!(value.as_ref().and_then(Value::as_str), wanted, "{text}");
        }
    }

    #[test]
    fn conditions_that_no_debian_node_meets_are_told() {
        for (text, wanted) in [
            ("ansible_os_family == 'RedHat'", true),
            ("ansible_facts.os_family == \"RedHat\"", true),
            ("ansible_facts['os_family'] == 'Suse' and x", true),
            ("x and ansible_distribution in ['CentOS', 'Fedora']", true),
            ("(ansible_pkg_mgr == 'dnf')", true),
            ("ansible_facts.selinux.status == 'enabled'", true),
            ("x and ansible_selinux.status == \"enabled\"", true),
            ("ansible_facts['selinux']['status'] == 'enabled'", true),
            (
                "ansible_facts.selinux.status | default('disabled') == 'enabled'",
                true,
            ),
            ("(ansible_selinux.status|d('', true)) == 'enabled'", true),
            (
                "ansible_selinux.status | default('enabled') == 'enabled'",
                false,
            ),
            ("ansible_selinux.status == 'disabled'", false),
            ("ansible_os_family == 'Debian'", false),
            ("ansible_distribution in ['CentOS', 'Debian']", false),
            ("ansible_os_family != 'RedHat'", false),
            ("not ansible_os_family == 'RedHat'", false),
            ("ansible_os_family == 'RedHat' or x", false),
            ("x or ansible_os_family == 'RedHat' and y", false),
            ("other_os_family == 'RedHat'", false),
        ] {
            let value = Value::str(text, &Span::synthetic("test"));
            assert_eq!(never_holds(&value), wanted, "{text}");
        }
    }
}
