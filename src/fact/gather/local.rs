//! `ansible_local`: facts that programs and files in `/etc/ansible/facts.d` of the node give.

use serde_json::{Map, Value};

use super::Raw;

/// The name of the fact that holds them all: the only one that is called in `ansible_facts` as its variable is.
pub const NAME: &str = "ansible_local";

/// Prints each local fact: its exit status and path, then what it says, each line behind a colon. A program that hangs is ended after the ten seconds
/// that Ansible gives to facts.
pub(super) const SCRIPT: &str = r#"for fact in /etc/ansible/facts.d/*.fact; do
[ -f "$fact" ] || continue
if [ -x "$fact" ]; then text=$(timeout 10 "$fact" 2>/dev/null </dev/null); status=$?
else text=$(cat "$fact" 2>/dev/null); status=0; fi
printf '@local\n%s %s\n' "$status" "$fact"
printf '%s\n' "$text" | sed 's/^/:/'
done
"#;

pub(super) fn facts(raw: &Raw, facts: &mut Map<String, Value>) {
    let mut found = Map::new();
    let mut lines = raw.local.iter().peekable();
    while let Some(head) = lines.next() {
        let mut text = String::new();
        while let Some(line) = lines.peek().and_then(|line| line.strip_prefix(':')) {
            text.push_str(line);
            text.push('\n');
            lines.next();
        }
        let Some((status, path)) = head.split_once(' ') else {
            continue;
        };
        let file = path.rsplit('/').next().unwrap_or(path);
        let name = file.strip_suffix(".fact").unwrap_or(file);
        found.insert(name.to_owned(), value(status, path, &text));
    }
    facts.insert(NAME.into(), found.into());
}

/// A fault is told in the place of the value, as Ansible does, so that one bad file does not take the other facts away.
fn value(status: &str, path: &str, text: &str) -> Value {
    if status != "0" {
        let text = text.trim_end();
        return format!("Failure executing fact script ({path}), rc: {status}, err: {text}").into();
    }
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    ini(text).unwrap_or_else(|| {
        format!("error loading facts as JSON or ini - please check content: {path}").into()
    })
}

/// Sections of an INI file as Python's `configparser` reads them: names of options in small letters, all values texts, `DEFAULT` part of each section.
fn ini(text: &str) -> Option<Value> {
    let mut sections: Map<String, Value> = Map::new();
    let mut defaults: Map<String, Value> = Map::new();
    let mut section: Option<String> = None;
    let mut option: Option<String> = None;
    for line in text.lines() {
        let word = line.trim();
        if word.is_empty() || word.starts_with(['#', ';']) {
            continue;
        }
        let name = section.as_deref();
        if line.starts_with([' ', '\t']) && option.is_some() {
            // A line that is indented goes on with the value before it.
            let values = values(&mut sections, &mut defaults, name?)?;
            if let Some(Value::String(value)) = values.get_mut(option.as_deref()?) {
                value.push('\n');
                value.push_str(word);
            }
        } else if let Some(rest) = word.strip_prefix('[') {
            let new = rest.split_once(']')?.0.to_owned();
            if new != "DEFAULT" {
                // Python takes no section twice.
                if sections.insert(new.clone(), Map::new().into()).is_some() {
                    return None;
                }
            }
            section = Some(new);
            option = None;
        } else {
            let (key, value) = word.split_once(['=', ':'])?;
            let key = key.trim().to_lowercase();
            let values = values(&mut sections, &mut defaults, name?)?;
            if values
                .insert(key.clone(), value.trim().to_owned().into())
                .is_some()
            {
                return None;
            }
            option = Some(key);
        }
    }
    for values in sections.values_mut().filter_map(Value::as_object_mut) {
        for (key, value) in &defaults {
            if !values.contains_key(key) {
                values.insert(key.clone(), value.clone());
            }
        }
    }
    Some(sections.into())
}

fn values<'a>(
    sections: &'a mut Map<String, Value>,
    defaults: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    if name == "DEFAULT" {
        Some(defaults)
    } else {
        sections.get_mut(name)?.as_object_mut()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(lines: &[&'static str]) -> Value {
        let raw = Raw {
            local: lines.to_vec(),
            ..Raw::read("")
        };
        let mut found = Map::new();
        facts(&raw, &mut found);
        found[NAME].clone()
    }

    #[test]
    fn json_and_ini_are_read_and_faults_stand_in_place_of_the_value() {
        let found = read(&[
            "0 /etc/ansible/facts.d/app.fact",
            ":{\"version\": \"1.2\", \"ports\": [80]}",
            "0 /etc/ansible/facts.d/preferences.fact",
            ":[DEFAULT]",
            ":zone = a",
            ":[general]",
            ":; not this",
            ":Asdf=1",
            ":bar: two",
            ":  lines",
            "0 /etc/ansible/facts.d/torn.fact",
            ":what is this",
            "3 /etc/ansible/facts.d/program.fact",
            ":it broke",
        ]);
        assert_eq!(
            found,
            json!({
                "app": {"version": "1.2", "ports": [80]},
                "preferences": {"general": {"asdf": "1", "bar": "two\nlines", "zone": "a"}},
                "torn": "error loading facts as JSON or ini - please check content: /etc/ansible/facts.d/torn.fact",
                "program": "Failure executing fact script (/etc/ansible/facts.d/program.fact), rc: 3, err: it broke",
            })
        );
    }

    #[test]
    fn without_local_facts_there_is_an_empty_hash() {
        assert_eq!(read(&[]), json!({}));
    }
}
