//! What a file that is encrypted as a whole holds is secret: its texts and numbers are hidden wherever they come up.

use super::yaml::meant;
use super::{Kind, Value};
use crate::vault::Keyring;

/// Numbers with fewer digits are ports of the day and counts: to hide them would hide nothing and make everything unreadable.
const SHORTEST_NUMBER: usize = 4;

/// Hides every text and every longer number of a value, at any depth.
pub fn hide(value: &Value, keyring: &Keyring) {
    match &value.kind {
        Kind::Str(text) => keyring.hide(&meant(text)),
        Kind::Int(number) => hide_number(&number.to_string(), keyring),
        Kind::Float(number) => hide_number(&number.to_string(), keyring),
        Kind::List(items) => items.iter().for_each(|item| hide(item, keyring)),
        Kind::Map(map) => map.values().for_each(|entry| hide(&entry.value, keyring)),
        Kind::Null | Kind::Bool(_) => {}
    }
}

/// Hides what is below the keys that hold values of the user's own. For files whose other words are hadeploy's.
pub fn hide_vars(value: &Value, keyring: &Keyring) {
    match &value.kind {
        Kind::List(items) => items.iter().for_each(|item| hide_vars(item, keyring)),
        Kind::Map(map) => {
            for (key, entry) in map.iter() {
                match key.as_ref() {
                    "vars" | "environment" | "set_fact" | "ansible.builtin.set_fact" => {
                        hide(&entry.value, keyring);
                    }
                    _ => hide_vars(&entry.value, keyring),
                }
            }
        }
        _ => {}
    }
}

fn hide_number(digits: &str, keyring: &Keyring) {
    if digits.len() >= SHORTEST_NUMBER {
        keyring.hide(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::value::{parse_vaulted_yaml, parse_yaml_one};

    fn masked(hides: fn(&Value, &Keyring), yaml: &str, text: &str) -> String {
        let keyring = Keyring::default();
        let value = parse_yaml_one(&Source::sealed("s.yml", yaml)).unwrap();
        hides(&value, &keyring);
        keyring.masker().mask(text).into_owned()
    }

    #[test]
    fn texts_and_long_numbers_of_every_depth_are_hidden() {
        let yaml = "a: hunter2\nb: [{c: 'tr0ub4dor', d: 918273, e: 22, f: yes}]\n";
        assert_eq!(
            masked(hide, yaml, "a hunter2 tr0ub4dor 918273 22 yes True"),
            "a (masked) (masked) (masked) 22 yes True"
        );
    }

    #[test]
    fn a_text_that_is_no_template_is_hidden_as_it_comes_up() {
        let keyring = Keyring::default();
        let source = Source::sealed("s.yml", "a: !unsafe 'hun{{ter'\n");
        hide(&parse_vaulted_yaml(&source, &keyring).unwrap(), &keyring);
        assert_eq!(keyring.masker().mask("is hun{{ter"), "is (masked)");
    }

    #[test]
    fn of_a_playbook_only_values_are_hidden() {
        let yaml = "- hosts: web\n  vars: {pw: hunter2}\n  tasks:\n  - apt: {name: nginx}\n    environment: {K: s3cret}\n";
        assert_eq!(
            masked(hide_vars, yaml, "web nginx hunter2 s3cret"),
            "web nginx (masked) (masked)"
        );
    }
}
