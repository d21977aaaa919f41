//! Rendering: types, laziness, faults and their places.

use super::*;
use crate::value::{Map, parse_yaml_one};

mod ansible;
mod arguments;
mod limits;
mod lookups;
mod mutated;
mod verdicts;

/// Variables written in YAML; names of `after` are known after that task.
struct Vars {
    map: Map,
    after: Vec<&'static str>,
    ready: Vec<(&'static str, minijinja::Value)>,
}

impl Scope for Vars {
    fn lookup(&self, name: &str) -> Lookup {
        if self.after.contains(&name) {
            return Lookup::After("fetch it".to_owned());
        }
        if let Some((_, value)) = self.ready.iter().find(|(known, _)| *known == name) {
            return Lookup::Ready(value.clone());
        }
        match self.map.get(name) {
            Some(entry) => Lookup::Written(entry.value.clone()),
            None => Lookup::Undefined,
        }
    }

    fn names(&self) -> Vec<String> {
        self.map.keys().map(|name| name.to_string()).collect()
    }
}

fn yaml(text: &str) -> Value {
    match parse_yaml_one(&Source::new("vars.yml", text)) {
        Ok(value) => value,
        Err(faults) => panic!("{}", faults[0].render(false)),
    }
}

fn scope(vars: &str) -> Arc<dyn Scope> {
    let value = yaml(vars);
    Arc::new(Vars {
        map: value.as_map().cloned().unwrap_or_default(),
        after: vec!["later"],
        ready: vec![(
            "reg",
            minijinja::Value::from_pairs([
                ("changed", minijinja::Value::from(true)),
                ("stdout", pending("run it")),
                ("braces", minijinja::Value::from("{{ x }}")),
            ]),
        )],
    })
}

/// Renders the text of a YAML scalar; a fault as its one line with label.
fn render(text: &str, vars: &str) -> String {
    let value = Value::str(text, &crate::source::Span::synthetic("t"));
    show(Templates::new().render(&value, &scope(vars)))
}

fn show(result: Result<Value, Stop>) -> String {
    match result {
        Ok(value) => value.to_json().to_string(),
        Err(Stop::After(task)) => format!("after {task}"),
        Err(Stop::Fault(fault)) => format!("fault: {}", fault.message),
    }
}

fn fault(key: &str, vars: &str) -> Diagnostic {
    let value = yaml(vars);
    let wanted = &value.as_map().expect("a mapping")[key].value;
    match Templates::new().render(wanted, &scope(vars)) {
        Err(Stop::Fault(fault)) => *fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn types_are_kept_for_one_expression_and_text_else() {
    let cases = [
        ("plain", r#""plain""#),
        ("{{ n }}", "5"),
        ("{{ l }}", "[1,2]"),
        ("{{ n }} ", r#""5 ""#),
        ("a{{ l }}{{ none }}{{ t }}", r#""a[1, 2]True""#),
        ("{{ '{{ n }}' }}", r#""{{ n }}""#),
        ("{# nothing #}", r#""""#),
        ("{% if t %}x{% endif %}\n", r#""x\n""#),
        ("{% if t %}{{ l }}{% else %}no{% endif %}", "\"[1, 2]\""),
        ("{% if t %}{{ l }}{% else %}{{ n }}{% endif %}", "[1,2]"),
        ("{% for i in l %}{{ i }}{% endfor %}", "\"12\""),
        ("{% raw %}{{ n }}{% endraw %}", r#""{{ n }}""#),
        ("{{ {'a': {'b': n}} }}", r#"{"a":{"b":5}}"#),
        ("{{ n }}{{ n }}", r#""55""#),
        ("{{ l }}\n", "[1,2]"),
        ("{{ 'a' }}\n", r#""a\n""#),
        ("{{ n }}\n\n", r#""5\n\n""#),
        ("{{ (1, 2) }}!", r#""[1, 2]!""#),
    ];
    for (text, expected) in cases {
        assert_eq!(
            render(text, "{n: 5, l: [1, 2], t: true}"),
            expected,
            "{text}"
        );
    }
}

#[test]
fn unsafe_texts_are_rendered_to_themselves() {
    for text in [
        "{{ x }}",
        "\n{% if x %}\n",
        "a{{",
        "{%- endraw -%}{{ x }}{% raw %}",
        "{# no comment\\n #}'\"",
        "}} {% endraw %",
        "{{%",
        "{{ omit }}\n\n",
    ] {
        let quoted = serde_json::Value::from(text).to_string();
        let vars = format!(
            "raw: !unsafe {quoted}\nthrough: \"{{{{ raw }}}}\"\nl: ['{{{{ through }}}}']\n"
        );
        let source = Source::new("vars.yml", vars.as_str());
        let vars = crate::value::parse_vaulted_yaml(&source, &Default::default());
        let scope: Arc<dyn Scope> = Arc::new(Vars {
            map: vars.expect("right").as_map().cloned().unwrap_or_default(),
            after: Vec::new(),
            ready: Vec::new(),
        });
        let render = |template: &str| {
            let value = Value::str(template, &crate::source::Span::synthetic("t"));
            show(Templates::new().render(&value, &scope))
        };
        assert_eq!(render("{{ raw }}"), quoted, "{text:?}");
        assert_eq!(render("{{ through }}"), quoted, "{text:?}");
        assert_eq!(render("{{ l }}"), format!("[{quoted}]"), "{text:?}");
        let Lookup::Written(written) = scope.lookup("raw") else {
            panic!("written");
        };
        let faults = Templates::new().check(&written);
        assert!(faults.is_empty(), "{text:?}: {faults:?}");
    }
}

#[test]
fn written_values_are_rendered_when_they_are_used() {
    let vars = "a: \"{{ b }}-{{ m.x }}\"\nb: \"{{ c + 1 }}\"\nc: 1\nm: {x: \"{{ c }}\", y: \"{{ nope }}\", z: \"{{ m.x }}\"}\nl: [\"{{ c }}\", 2]\n";
    assert_eq!(render("{{ a }}", vars), r#""2-1""#);
    assert_eq!(render("{{ m.z }}", vars), "1");
    assert_eq!(render("{{ l }}", vars), "[1,2]");
    assert_eq!(render("{{ l[0] }}{{ l[-1] }}", vars), r#""12""#);
    assert_eq!(render("{{ m.y | default('d') }}", vars), r#""d""#);
    assert_eq!(render("{{ m }}", vars), "fault: `nope` is not defined");
    assert_eq!(render("{{ reg.braces }}", vars), r#""{{ x }}""#);
    assert_eq!(render("{{ m.keys() | list }}", vars), r#"["x","y","z"]"#);
}

#[test]
fn what_is_known_later_stops_the_evaluation_where_it_is_read() {
    assert_eq!(render("{{ later }}", ""), "after fetch it");
    assert_eq!(render("{{ later | default('x') }}", ""), "after fetch it");
    assert_eq!(render("{{ later is defined }}", ""), "after fetch it");
    assert_eq!(render("{{ x }}", "x: \"{{ later }}\""), "after fetch it");
    assert_eq!(render("{{ 1 if true else later }}", ""), "1");
    assert_eq!(render("{{ reg is changed }}", ""), "true");
    assert_eq!(render("{{ reg.stdout }}", ""), "after run it");
    assert_eq!(
        render("{{ reg.stdout | default('x') }}", ""),
        "after run it"
    );
    assert_eq!(render("{{ reg }}", ""), "after run it");
}

#[test]
fn faults_stand_at_their_place_in_the_file() {
    let cases = [
        (
            "x: \"a {{ nmae }}\"\nname: b\n",
            "`nmae` is not defined",
            "vars.yml:1:10",
            Some("did you mean `name`?"),
        ),
        (
            "x: |\n  one\n  two {{ d.nope }}\nd: {a: 1}\n",
            "`d.nope` is not defined",
            "vars.yml:3:10",
            None,
        ),
        (
            "x: '{{ y }}'\ny: '{{ z }}'\n",
            "`z` is not defined",
            "vars.yml:2:8",
            None,
        ),
        (
            "x: '{{ y | uper }}'\ny: a\n",
            "the filter `uper` is not supported",
            "vars.yml:1:12",
            Some("did you mean `upper`?"),
        ),
        (
            "x: '{{ lookup(\"file\", \"a\") }}'\n",
            "files of the controller are looked up by tasks only",
            "vars.yml:1:8",
            None,
        ),
        (
            "x: '{{ lookup(\"fiel\", \"a\") }}'\n",
            "the lookup `fiel` is not supported",
            "vars.yml:1:16",
            Some("did you mean `file`?"),
        ),
        ("x: '{{ 1 +  }}'\n", "template syntax", "vars.yml:1:", None),
        (
            "x: '{% if true %}{% endfor %}{% endif %}'\n",
            "template syntax: unknown statement endfor",
            "vars.yml:1:",
            Some("no `for` is open here"),
        ),
        (
            "x: '{{ a }}'\na: '{{ b }}'\nb: '{{ a }}'\n",
            "`a` is defined by itself",
            "vars.yml:2:",
            None,
        ),
        (
            "x: '{{ 1 / 0 }}'\n",
            "this calculation fails",
            "vars.yml:1:8",
            None,
        ),
        (
            "x: '{{ nmae | join(\",\") }}'\nname: b\n",
            "`nmae` is not defined",
            "vars.yml:1:8",
            None,
        ),
        (
            "x: '{{ d.nope == 1 }}'\nd: {}\n",
            "`d.nope` is not defined",
            "vars.yml:1:8",
            None,
        ),
        (
            "x: '{{ nope.a.b }}'\n",
            "`nope` is not defined",
            "vars.yml:1:8",
            None,
        ),
    ];
    for (vars, message, place, label) in cases {
        let fault = fault("x", vars);
        let shown = fault.one_line();
        assert!(
            shown.starts_with(place) && shown.contains(message),
            "{vars:?}: {shown}"
        );
        if let Some(label) = label {
            assert_eq!(fault.label.as_deref(), Some(label), "{vars:?}");
        }
    }
}

#[test]
fn missing_parts_under_default_are_missing() {
    for text in [
        "{{ d.a.b.c | default('q') }}",
        "{{ nope.a.b | default('q') }}",
        "{{ nope['a'].b | d('q') }}",
        "{{ 'q' if nope.a.b is not defined else 'w' }}",
        "{{ d['x']['y'] | default('q') }}",
    ] {
        assert_eq!(render(text, "d: {a: 1}"), r#""q""#, "{text}");
    }
    assert_eq!(
        render("{{ d.a.b }}", "d: {a: 1}"),
        "fault: `d.a.b` is not defined"
    );
}

#[test]
fn omit_drops_what_it_stands_for() {
    let templates = Templates::new();
    let scope = scope("x: 1");
    let value = yaml("{a: \"{{ nope | default(omit) }}\", b: \"{{ x }}\", c: [\"{{ omit }}\", 1]}");
    let rendered = templates.render(&value, &scope).expect("renders");
    assert_eq!(rendered.to_json().to_string(), r#"{"b":1,"c":[1]}"#);
    let alone = templates
        .render(&yaml("\"{{ omit }}\""), &scope)
        .expect("renders");
    assert!(is_omit(&alone));
    assert!(!is_omit(&yaml("omit")));
}

#[test]
fn conditions_give_booleans() {
    let templates = Templates::new();
    let scope = scope("{t: true, s: text, n: 0, l: [], c: \"{{ t }}\", name: x}");
    let test = |text: &str| match templates.test(&yaml(text), &scope) {
        Ok(verdict) => verdict.to_string(),
        Err(Stop::After(task)) => format!("after {task}"),
        Err(Stop::Fault(fault)) => fault.message,
    };
    let cases = [
        ("true", "true"),
        ("t", "true"),
        ("c", "true"),
        ("\"{{ t }}\"", "true"),
        ("[t, 'not t']", "false"),
        ("[false, nope]", "false"),
        ("s", "the condition gives text, not a boolean"),
        ("n", "the condition gives a whole number, not a boolean"),
        ("l", "the condition gives a list, not a boolean"),
        ("1", "the condition gives a whole number, not a boolean"),
        ("''", "an empty condition"),
        ("nope", "`nope` is not defined"),
        ("nmae == 'x'", "`nmae` is not defined"),
        ("nope is defined", "false"),
        ("reg is changed and not later_is_unread is defined", "true"),
        ("later", "after fetch it"),
        ("false and later", "false"),
        ("\"s == '{{ t }}'\"", "braces inside an expression"),
    ];
    for (text, expected) in cases {
        assert_eq!(test(text), expected, "{text}");
    }
}

#[test]
fn files_keep_lines_and_follow_their_header() {
    let templates = Templates::with_includes(Box::new(|name, parent| {
        assert!(parent.contains("main"), "{parent}");
        match name {
            "part.j2" => Some(Source::new("templates/part.j2", "part {{ x }} {{ gone }}")),
            "line.j2" => Some(Source::new("templates/line.j2", "line\n")),
            _ => None,
        }
    }));
    let scope = scope("{x: 1, l: [a, b]}");
    let file = |text: &str| {
        let source = Source::new("templates/main.j2", text);
        match templates.render_source(&source, &scope, &RenderOptions::default()) {
            Ok(text) => text,
            Err(Stop::Fault(fault)) => fault.one_line(),
            Err(Stop::After(task)) => task,
        }
    };
    let cases = [
        (
            "a\n{% for i in l %}\n{{ i }}\n{% endfor %}\nb\n",
            "a\na\nb\nb\n",
        ),
        ("  {% if true %}\nx\n  {% endif %}\n", "  x\n  \n"),
        ("{% if true %}x{% endif %}\n", "x\n"),
        ("{% if false %}x{% endif %}\n", ""),
        ("{{ [x ~ '\n'] | first }}\n", "1\n"),
        ("{% include 'line.j2' %}\n!\n", "line!\n"),
        (
            "#jinja2: lstrip_blocks: True\n  {% if true %}\nx\n  {% endif %}\n",
            "x\n",
        ),
        (
            "#jinja2: variable_start_string: '[[', variable_end_string: ']]'\n[[ x ]] {{ y }}\n",
            "1 {{ y }}\n",
        ),
        ("a\r\nb {{ x }}\r\n", "a\nb 1\n"),
        (
            "x\n\n{{ nope }}\n",
            "templates/main.j2:3:4: `nope` is not defined",
        ),
        (
            "{% include 'part.j2' %}",
            "templates/part.j2:1:17: `gone` is not defined",
        ),
        (
            "{% include 'no.j2' %}",
            "templates/main.j2:1:4: an included template is not found",
        ),
        (
            "#jinja2: trimblocks: True\n",
            "templates/main.j2:1:10: `trimblocks` is not an option of `#jinja2:`",
        ),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) }}", "<1>"),
    ];
    for (text, expected) in cases {
        assert_eq!(file(text), expected, "{text}");
    }
}
