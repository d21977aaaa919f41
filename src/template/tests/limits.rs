//! What is said without values, and what is held back: runaways, secrets, panics.

use proptest::prelude::*;

use super::*;

#[test]
fn checks_need_no_values() {
    let templates = Templates::new();
    let check = |text: &str| {
        templates
            .check(&yaml(text))
            .iter()
            .map(|fault| fault.message.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(
        check("[\"{{ a | upper }}\", '{{ f }', plain]"),
        "template syntax: unexpected `}`, expected end of variable block"
    );
    assert_eq!(
        check("{a: '{{ x | nope }}', b: '{{ x is nope }} {{ now() }}'}"),
        "the filter `nope` is not supported; the test `nope` is not supported; the function `now` is not supported"
    );
    assert_eq!(
        check("'{% macro f() %}{% endmacro %}{{ f() }}{{ x.method() }}'"),
        ""
    );
    let warned = templates.check_condition(&yaml("'{{ x }}'"));
    assert_eq!(warned.len(), 1);
    assert!(!warned[0].is_error());
}

#[test]
fn free_names_say_whether_they_are_guarded() {
    let templates = Templates::new();
    let names = |text: &str| {
        templates
            .free_names(&yaml(text))
            .iter()
            .map(|free| format!("{}{}", free.name, if free.guarded { "?" } else { "" }))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        names("'{{ a.b }} {{ c | default(1) }} {{ d.e is defined }}'"),
        "a c? d?"
    );
    assert_eq!(
        names("'{% for i in l %}{{ i }}{{ loop.index }}{% endfor %}'"),
        "l"
    );
    assert_eq!(
        names("'{% if a is defined %}{{ a }} {{ b }}{% endif %}{{ c }}'"),
        "a? b? c"
    );
    assert_eq!(
        names("'{{ a if b else c }} {{ range(3) }} {{ omit }}'"),
        "a? b? c?"
    );
    assert_eq!(names("'{% set x = y %}{{ x }}'"), "y");
    let condition = templates.free_names_of_condition(&yaml("'a and b is defined'"));
    assert_eq!(condition.len(), 2);
    assert!(!condition[0].guarded && condition[1].guarded);
}

#[test]
fn runaways_are_stopped() {
    assert!(
        render(
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            ""
        )
        .contains("does not come to an end")
    );
    assert!(render("x{{ 'x' * 60000000 }}", "").contains("32 MiB"));
    let mut vars = String::from("v0: 1\n");
    for index in 1..80 {
        vars.push_str(&format!("v{index}: \"{{{{ v{} }}}}\"\n", index - 1));
    }
    assert!(render("{{ v79 }}", &vars).contains("40 deep"));
    assert_eq!(render("{{ v30 }}", &vars), "1");
}

#[test]
fn values_never_show_in_messages() {
    for text in [
        "{{ secret + 1 }}",
        "{{ secret.x }}",
        "{{ secret | from_json }}",
        "{{ secret | from_yaml | int('a', 99) }}",
        "{{ secret | b64decode }}",
        "{{ secret | bool }}",
        "{{ 'a' | regex_search(secret, bad) }}",
        "{{ secret() }}",
        "{{ secret | round }}",
        "{{ secret * secret }}",
        "{{ [secret] | sum }}",
        "{{ secret / 2 }}",
        "{{ secret is version('1', secret) }}",
        "{{ secret | int(base=secret) }}",
        "{{ range(secret) }}",
        "{{ secret.foo() }}",
        "{{ {secret: 1}[nope] }}",
        "{{ secret | dictsort }}",
        "{{ secret | batch(secret) }}",
        "{{ secret | map(secret) | list }}",
        "{{ secret[secret].x }}",
        "{{ 1000 ** (secret | length * 100) }}",
    ] {
        let value = Value::str(text, &crate::source::Span::synthetic("t"));
        match Templates::new().render(&value, &scope("secret: '[hunter2: ('")) {
            Err(Stop::Fault(fault)) => {
                assert!(
                    !fault.render(false).contains("hunter2"),
                    "{text}: {fault:?}"
                );
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_rendered_or_refused_without_panic(
        text in "[-{}%#()\\[\\]|.,'\"\\\\ \n\r+é=:axdefaultisnot0-9]{0,40}|\\{\\{\\PC{0,20}\\}\\}|\\{%\\PC{0,20}%\\}",
    ) {
        let templates = Templates::new();
        let value = Value::str(&text, &crate::source::Span::synthetic("t"));
        let scope = scope("{a: {d: 1}, x: [1]}");
        for fault in templates.check(&value) {
            prop_assert!(!fault.render(false).is_empty());
        }
        let _ = templates.render(&value, &scope);
        let _ = templates.test(&value, &scope);
        let _ = templates.free_names(&value);
        let source = Source::new("t.j2", text);
        let _ = templates.render_source(&source, &scope, &RenderOptions::default());
    }
}
