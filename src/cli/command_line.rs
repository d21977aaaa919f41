//! The command line as it may be shown: in the lease, and in the next command to type. Secrets given with `-e` are masked.

use crate::command::quote;
use crate::plan::Identity;
use crate::secret::MASK;
use crate::value::parse_extra;

/// Parts of names whose values are not shown.
const SECRET: &[&str] = &[
    "pass",
    "secret",
    "token",
    "credential",
    "private_key",
    "privatekey",
    "api_key",
    "apikey",
];

/// `hadeploy` with its words, quoted for a shell.
pub fn shown(words: &[String]) -> String {
    let mut line = String::from("hadeploy");
    for word in masked(words) {
        line.push(' ');
        line.push_str(&quote(&word));
    }
    line
}

/// The command that does what `hadeploy plan`, or a dry run, with these words has shown.
pub fn to_apply(words: &[String]) -> String {
    let mut subcommand = true;
    let words: Vec<String> = words
        .iter()
        .filter(|word| *word != "--detailed-exitcode" && *word != "--dry-run")
        .map(|word| {
            if subcommand && word == "plan" {
                subcommand = false;
                return "apply".to_owned();
            }
            word.clone()
        })
        .collect();
    shown(&words)
}

/// The command that applies the plan which `hadeploy plan … --out FILE` has saved: with the same words, since how nodes are reached and what
/// `-e` says is not in the file.
pub fn to_apply_from(words: &[String], file: &str) -> String {
    let mut out = false;
    let words: Vec<String> = words
        .iter()
        .filter(|word| {
            let taken = std::mem::take(&mut out);
            out = !taken && *word == "--out";
            !(taken || out || word.starts_with("--out="))
        })
        .cloned()
        .chain(["--from".to_owned(), file.to_owned()])
        .collect();
    to_apply(&words)
}

/// The command that makes a saved plan anew.
pub fn to_plan(of: &Identity, file: &str) -> String {
    let mut words = vec!["plan".to_owned()];
    words.extend(of.playbooks.iter().cloned());
    let mut add = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
    of.inventories.iter().for_each(|path| add("-i", path));
    of.limit.iter().for_each(|limit| add("--limit", limit));
    of.tags.iter().for_each(|tag| add("--tags", tag));
    of.skip_tags.iter().for_each(|tag| add("--skip-tags", tag));
    of.start_at_task
        .iter()
        .for_each(|name| add("--start-at-task", name));
    for name in of.extra.keys() {
        add("-e", &format!("{name}=…"));
    }
    add("--out", file);
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    format!("hadeploy {}", quoted.join(" "))
}

fn masked(words: &[String]) -> Vec<String> {
    let mut extra = false;
    words
        .iter()
        .map(|word| {
            let attached = ["--extra-vars=", "-e"]
                .into_iter()
                .find(|option| word.starts_with(option) && word.len() > option.len());
            if std::mem::take(&mut extra) {
                variables(word)
            } else if let Some(option) = attached {
                format!("{option}{}", variables(&word[option.len()..]))
            } else {
                extra = word == "-e" || word == "--extra-vars" || short_group(word);
                word.clone()
            }
        })
        .collect()
}

/// `-be`: flags in one word whose last takes the next word.
fn short_group(word: &str) -> bool {
    let flags = word
        .strip_prefix('-')
        .and_then(|flags| flags.strip_suffix('e'));
    flags.is_some_and(|flags| !flags.is_empty() && flags.chars().all(|c| "bDJKv".contains(c)))
}

/// One `-e` with the values of secret names masked; the whole of it when it cannot be read.
fn variables(text: &str) -> String {
    if text.starts_with('@') {
        return text.to_owned();
    }
    let Ok(map) = parse_extra(text) else {
        return MASK.to_owned();
    };
    if !text.trim_start().starts_with('{') {
        let words: Vec<String> = map
            .iter()
            .map(|(name, entry)| match entry.value.as_str() {
                Some(value) if !is_secret(name) => format!("{name}={}", quote(value)),
                _ => format!("{name}={MASK}"),
            })
            .collect();
        return words.join(" ");
    }
    let json = map
        .iter()
        .map(|(name, entry)| (name.to_string(), hidden(name, entry.value.to_json())))
        .collect::<serde_json::Map<_, _>>();
    serde_json::Value::Object(json).to_string()
}

fn hidden(name: &str, value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Object};
    if is_secret(name) {
        return MASK.into();
    }
    match value {
        Object(map) => Object(
            map.into_iter()
                .map(|(name, value)| {
                    let value = hidden(&name, value);
                    (name, value)
                })
                .collect(),
        ),
        Array(items) => items.into_iter().map(|item| hidden("", item)).collect(),
        plain => plain,
    }
}

/// Whether a variable of that name holds a secret, as far as a name can tell.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn values_of_secret_names_are_masked() {
        for (given, wanted) in [
            ("apply s.yml -e a=1", "hadeploy apply s.yml -e a=1"),
            (
                "apply -e db_password=x1",
                "hadeploy apply -e 'db_password=(masked)'",
            ),
            (
                "apply -edb_password=x1",
                "hadeploy apply '-edb_password=(masked)'",
            ),
            ("apply -be TOKEN=x1", "hadeploy apply -be 'TOKEN=(masked)'"),
            (
                "apply --extra-vars=my_secret=x1",
                "hadeploy apply '--extra-vars=my_secret=(masked)'",
            ),
            ("apply -e @vars.yml", "hadeploy apply -e @vars.yml"),
            (
                "apply -e private_address=10.0.0.1",
                "hadeploy apply -e private_address=10.0.0.1",
            ),
            ("apply -e x1", "hadeploy apply -e '(masked)'"),
            (
                r#"apply -e {"db":[{"password":"x1","port":5}]}"#,
                r#"hadeploy apply -e '{"db":[{"password":"(masked)","port":5}]}'"#,
            ),
        ] {
            assert_eq!(shown(&words(given)), wanted);
        }
    }

    #[test]
    fn a_plan_becomes_its_apply() {
        assert_eq!(
            to_apply(&words("plan plan --detailed-exitcode -i h.yml")),
            "hadeploy apply plan -i h.yml"
        );
        let of = Identity {
            playbooks: vec!["a b.yml".to_owned()],
            inventories: vec!["h.yml".to_owned()],
            limit: Some("n1".to_owned()),
            extra: [("a".to_owned(), "hash".to_owned())].into_iter().collect(),
            ..Identity::default()
        };
        assert_eq!(
            to_plan(&of, "f"),
            "hadeploy plan 'a b.yml' -i h.yml --limit n1 -e 'a=…' --out f"
        );
        for words_ in ["plan s.yml --out f -i h.yml", "plan s.yml --out=f -i h.yml"] {
            assert_eq!(
                to_apply_from(&words(words_), "f"),
                "hadeploy apply s.yml -i h.yml --from f"
            );
        }
    }
}
