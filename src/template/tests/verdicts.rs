//! Nothing of Ansible's is undecided: each of its plugins is here, or is refused by name with what to use instead.

use super::*;
use crate::template::{check, filter, lookup, refused, test};

/// As `ansible-doc -l` lists them.
const LISTED: &str = include_str!("names.txt");

type Names = &'static [&'static str];
type Collections = &'static [(&'static str, Names)];

#[test]
fn every_name_of_ansible_has_a_verdict() {
    let mut undecided = Vec::new();
    let (mut here, mut refused_ones) = (0, 0);
    for line in LISTED.lines().filter(|line| !line.starts_with('#')) {
        let (what, name) = line.split_once(' ').expect("what it is, and its name");
        let (names, collections, table): (Names, Collections, refused::Refused) = match what {
            "filter" => (filter::NAMES, filter::COLLECTIONS, refused::FILTERS),
            "test" => (test::NAMES, test::COLLECTIONS, refused::TESTS),
            _ => (lookup::NAMES, lookup::COLLECTIONS, refused::LOOKUPS),
        };
        let known = check::known(name, names, collections).is_some();
        let instead = refused::instead(table, name).is_some();
        match (known, instead) {
            (true, false) => here += 1,
            (false, true) => refused_ones += 1,
            (true, true) => undecided.push(format!("{line}: here, and refused")),
            (false, false) => undecided.push(line.to_owned()),
        }
    }
    assert!(undecided.is_empty(), "{undecided:#?}");
    assert!(here > 250 && refused_ones > 100, "{here} {refused_ones}");
}

#[test]
fn what_is_here_is_registered() {
    let templates = Templates::new();
    let check = |text: String| {
        let value = Value::str(&text, &crate::source::Span::synthetic("t"));
        templates
            .check(&value)
            .iter()
            .map(|fault| fault.message.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (names, collections, mark) in [
        (filter::NAMES, filter::COLLECTIONS, "|"),
        (test::NAMES, test::COLLECTIONS, "is"),
    ] {
        for name in names {
            assert_eq!(check(format!("{{{{ x {mark} {name} }}}}")), "");
            assert_eq!(
                check(format!("{{{{ x {mark} ansible.builtin.{name} }}}}")),
                ""
            );
        }
        for (collection, names) in collections {
            for name in *names {
                assert_eq!(check(format!("{{{{ x {mark} {collection}.{name} }}}}")), "");
            }
        }
    }
    for (table, mark) in [(refused::FILTERS, "|"), (refused::TESTS, "is")] {
        for (name, _) in table {
            let said = check(format!("{{{{ x {mark} {name} }}}}"));
            assert!(said.ends_with("is not supported"), "{name}: {said}");
        }
    }
    for (name, _) in refused::LOOKUPS {
        let said = check(format!("{{{{ lookup('{name}', 'x') }}}}"));
        assert!(said.ends_with("is not supported"), "{name}: {said}");
    }
}
