//! What ansible-core 2.19 makes of the same templates, kept as data: pairs of a template and its result.

use super::*;

const VARS: &str = r#"
l: [1, a, null, true, {k: 1.5}]
d: {a: 1, b: {c: 2}}
e: ""
n: null
u: [3, 1, 2, 1]
s: Hello World
p: /etc/foo.conf
t: true
users: [{name: a, n: 1}, {name: b, n: 2}]
reg: {changed: true, failed: false, skipped: false}
"#;

#[test]
fn templates_come_out_as_in_ansible() {
    let cases: Vec<(String, serde_json::Value)> =
        serde_json::from_str(include_str!("ansible.json")).expect("pairs");
    assert!(cases.len() > 150);
    let templates = Templates::new();
    let vars = yaml(VARS);
    let scope: Arc<dyn Scope> = Arc::new(Vars {
        map: vars.as_map().cloned().unwrap_or_default(),
        after: Vec::new(),
        ready: Vec::new(),
    });
    let mut wrong = String::new();
    for (text, expected) in &cases {
        let value = Value::str(text, &crate::source::Span::synthetic("t"));
        let got = match templates.render(&value, &scope) {
            Ok(value) => value.to_json(),
            Err(Stop::Fault(fault)) => format!("fault: {} {:?}", fault.message, fault.label).into(),
            Err(Stop::After(task)) => task.into(),
        };
        if got != *expected {
            wrong.push_str(&format!(
                "{text}\n  here:    {got}\n  ansible: {expected}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
