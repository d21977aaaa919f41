//! `service_facts`: the services that systemd knows, as the fact `services`.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::{Bound, Kind, Resource};
use crate::change::Change;
use crate::diagnostic::count;
use crate::fact::{Known, Missing, Question};

/// Reads the services that systemd knows into the fact `services`: by the unit's full name a mapping with `name`, `state`, `status` and `source`. Nodes
/// have systemd, so `source` is always `systemd`.
///
/// # Returns
/// - `ansible_facts`: the fact `services`
///
/// # Examples
/// ```yaml
/// - name: which services there are
///   service_facts:
///
/// - name: how nginx is
///   debug:
///     msg: "{{ ansible_facts.services['nginx.service'].state }}"
///   when: "'nginx.service' in ansible_facts.services"
/// ```
pub static SERVICE_FACTS: Kind = Kind {
    name: "service_facts",
    aliases: &[
        "ansible.builtin.service_facts",
        "ansible.legacy.service_facts",
    ],
    summary: "reads the services of the node into the fact `services`",
    params: &[],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind: |_, _| -> Bound { Ok(Box::new(ServiceFacts)) },
};

struct ServiceFacts;

/// Templates have no state to be asked for.
const QUESTION: &str = r#"services
systemctl list-units --no-pager --no-legend --type service --all --plain | sed 's/^/U\t/'
files=$(systemctl list-unit-files --no-pager --no-legend --type service --all)
printf '%s\n' "$files" | sed 's/^/F\t/'
names=$(printf '%s\n' "$files" | sed -n 's/^\([^@ ]*\(@[^. ][^ ]*\)\{0,1\}\.service\) .*/\1/p')
for name in $names; do printf 'N\t%s\n' "$name"; done
[ -z "$names" ] || systemctl show --property=ActiveState -- $names | sed -n 's/^ActiveState=/A\t/p'"#;

impl Resource for ServiceFacts {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(QUESTION.into())])?;
        let services = services(&String::from_utf8_lossy(known.probe(QUESTION)?));
        Ok(Change::none(count(services.len(), "service"))
            .brings("services", Json::Object(services)))
    }
}

/// The fact, by the rules of Ansible's module: units as systemd has them loaded, then the files of those it has not.
fn services(text: &str) -> Map<String, Json> {
    const BAD: [&str; 3] = ["not-found", "masked", "failed"];
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let of = |letter: &'static str| {
        let rows = lines.iter().filter(move |(mark, _)| *mark == letter);
        rows.map(|(_, rest)| *rest)
    };
    let mut services: Map<String, Json> = Map::new();
    let service = |name: &str, state: &str, status: &str| json!({"name": name, "state": state, "status": status, "source": "systemd"});
    for line in of("U") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, _, active, sub, ..] = words.as_slice() else {
            continue;
        };
        // The last word belongs to the description.
        let bad = BAD
            .iter()
            .find(|bad| words[..words.len() - 1].contains(*bad));
        let state = match *sub {
            "running" => "running",
            _ => "stopped",
        };
        let status = bad.copied().unwrap_or(active);
        services.insert((*name).to_owned(), service(name, state, status));
    }
    let active: HashMap<&str, &str> = of("N").zip(of("A")).collect();
    for line in of("F") {
        let mut words = line.split_whitespace();
        let (Some(name), Some(status)) = (words.next(), words.next()) else {
            continue;
        };
        match services.get_mut(name) {
            None => {
                let state = active.get(name).copied().unwrap_or("unknown");
                services.insert(name.to_owned(), service(name, state, status));
            }
            Some(known) => {
                let bad = known["status"]
                    .as_str()
                    .is_some_and(|status| BAD.contains(&status));
                if !bad {
                    known["status"] = status.into();
                }
            }
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_as_ansible_tells_them() {
        let text = "U\tcron.service loaded active running Regular background program processing daemon\n\
            U\tauditd.service not-found inactive dead auditd.service\n\
            U\tbad.service loaded failed failed A thing\n\
            U\tonce.service loaded active exited Once masked\n\
            F\tcron.service enabled enabled\n\
            F\tbad.service enabled enabled\n\
            F\tgetty@.service enabled enabled\n\
            F\trsync.service disabled enabled\n\
            N\tcron.service\nN\tbad.service\nN\trsync.service\n\
            A\tactive\nA\tfailed\nA\tinactive\n";
        let found = services(text);
        let told = |name: &str| {
            let service = &found[name];
            let word = |key: &str| service[key].as_str().unwrap().to_owned();
            (word("state"), word("status"))
        };
        let is = |state: &str, status: &str| (state.to_owned(), status.to_owned());
        assert_eq!(told("cron.service"), is("running", "enabled"));
        assert_eq!(told("auditd.service"), is("stopped", "not-found"));
        assert_eq!(told("bad.service"), is("stopped", "failed"));
        assert_eq!(told("once.service"), is("stopped", "active"));
        assert_eq!(told("getty@.service"), is("unknown", "enabled"));
        assert_eq!(told("rsync.service"), is("inactive", "disabled"));
    }
}
