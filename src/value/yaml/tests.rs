//! YAML as people write it, right and wrong.

use super::*;

fn read(text: &str) -> serde_json::Value {
    match parse_yaml_one(&Source::new("t.yml", text)) {
        Ok(value) => value.to_json(),
        Err(faults) => panic!("{}", show(&faults)),
    }
}

fn show(faults: &[Diagnostic]) -> String {
    faults.iter().map(|fault| fault.render(false)).collect()
}

fn faults(text: &str) -> String {
    match parse_yaml(&Source::new("t.yml", text)) {
        Ok(documents) => panic!("read as {documents:?}"),
        Err(faults) => show(&faults),
    }
}

#[test]
fn documents_keep_order_types_and_places() {
    let source = Source::new(
        "t.yml",
        "\u{feff}# head\nname: web\nport: 0644\nlist:\n- yes\n- 'yes'\n- ~\nflow: {a: [1, 2.5]}\nempty:\n",
    );
    let value = parse_yaml_one(&source).expect("right");
    assert_eq!(
        serde_json::to_string(&value.to_json()).expect("JSON"),
        r#"{"name":"web","port":420,"list":[true,"yes",null],"flow":{"a":[1,2.5]},"empty":null}"#
    );
    let map = value.as_map().expect("a mapping");
    assert_eq!(map["port"].value.span.text(), "0644");
    assert_eq!(map["port"].key.line(), 3);
    assert_eq!(map["flow"].value.span.text(), "{a: [1, 2.5]}");
    assert_eq!(map["list"].value.span.line(), 5);
}

#[test]
fn lines_of_quoted_texts_may_be_outdented_as_in_pyyaml() {
    let text = "- a:\n    b: \"one\n  two\n\nthree \\\"x\\\"\n\"\n    c: 'it''s\nfine' # said\n  d: {{ x }}\n";
    let said = faults(text);
    assert!(said.contains("t.yml:9:6"), "{said}");
    let right = text.replace("{{ x }}", "e");
    assert_eq!(
        read(&right).to_string(),
        r#"[{"a":{"b":"one two\nthree \"x\" ","c":"it's fine"},"d":"e"}]"#
    );
    let value = parse_yaml_one(&Source::new("t.yml", right.as_str())).expect("right");
    let entry = &value.as_list().expect("a list")[0]
        .as_map()
        .expect("a mapping")["d"];
    assert_eq!(entry.value.span.text(), "e");
    assert_eq!(entry.key.line(), 9);
    // A text that never ends is still said where it begins to go wrong.
    let said = faults("a: 'one\ntwo\nb: 3\n");
    assert!(said.contains("t.yml:"), "{said}");
}

#[test]
fn texts_of_unsafe_values_are_no_templates() {
    let read = |text: &str| {
        let source = Source::new("t.yml", text);
        match parse_vaulted_yaml(&source, &Keyring::default()) {
            Ok(value) => value.to_json().to_string(),
            Err(faults) => panic!("{}", show(&faults)),
        }
    };
    let raw = r#""{% raw %}{{ x }}{% endraw %}""#;
    // The types are those of ansible-core 2.19.
    for (text, expected) in [
        ("!unsafe '{{ x }}'", raw.to_owned()),
        ("!unsafe plain", "\"plain\"".to_owned()),
        ("!unsafe 5", "5".to_owned()),
        ("!unsafe '5'", "5".to_owned()),
        ("!unsafe 'yes'", "true".to_owned()),
        ("!unsafe", "null".to_owned()),
        ("!unsafe '2024-01-01'", "\"2024-01-01\"".to_owned()),
        (
            "{a: !unsafe ['{{ x }}', {'{{ k }}': '{{ x }}', n: 1}], b: '{{ x }}'}",
            format!(r#"{{"a":[{raw},{{"{{{{ k }}}}":{raw},"n":1}}],"b":"{{{{ x }}}}"}}"#),
        ),
        (
            "{!unsafe '{{ k }}': &a !unsafe '{{ x }}', b: *a}",
            format!(r#"{{"{{{{ k }}}}":{raw},"b":{raw}}}"#),
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn documents_are_counted() {
    let source = Source::new("t.yml", "a: 1\n---\nb: 2\n");
    assert_eq!(parse_yaml(&source).expect("right").len(), 2);
    assert!(parse_yaml_one(&source).is_err());
    for empty in ["", "\n", "# only a comment\n", "\u{feff}", "---\n"] {
        assert_eq!(read(empty), serde_json::Value::Null, "{empty:?}");
    }
}

#[test]
fn anchors_aliases_and_merges_work() {
    let merged = read(
        "base: &b {a: 1, b: 2}\nmore: &m {b: 3, c: 4}\none:\n  <<: *b\n  b: 9\ntwo:\n  <<: [*b, *m]\n  d: 5\nlist: &l [x]\nagain: *l\n",
    );
    assert_eq!(merged["one"].to_string(), r#"{"a":1,"b":9}"#);
    assert_eq!(merged["two"].to_string(), r#"{"a":1,"b":2,"c":4,"d":5}"#);
    assert_eq!(merged["again"].to_string(), r#"["x"]"#);
}

#[test]
fn keys_that_are_no_text_become_their_text() {
    assert_eq!(
        read("1: a\nyes: b\n0x10: c\n1.5: d\n").to_string(),
        r#"{"1":"a","True":"b","16":"c","1.5":"d"}"#
    );
}

#[test]
fn standard_tags_are_followed() {
    assert_eq!(
        read("[!!str 1, !!int '5', !!float 2, ! 7, !!map {a: b}, !!seq [1]]").to_string(),
        r#"["1",5,2.0,"7",{"a":"b"},[1]]"#
    );
}

#[test]
fn what_is_wrong_is_shown_at_its_place_with_what_to_do() {
    let cases: &[(&str, &[&str])] = &[
        (
            "a: 1\nb: 2\na: 3\n",
            &["the key `a` is given twice", "t.yml:3:1", "first time"],
        ),
        ("1: x\n'1': y\n", &["the key `1` is given twice"]),
        (
            "a:\n\tb: 1\n",
            &["a tab in the indentation", "t.yml:2:1", "spaces"],
        ),
        (
            "a:\n  b: 1\n\tc: 2\n",
            &["a tab in the indentation", "t.yml:3:1"],
        ),
        (
            "a: {{ x }}\n",
            &["must be quoted", "t.yml:1:4", "write \"{{ x }}\""],
        ),
        (
            "b: 1\na: {{ x }}/foo\n",
            &["must be quoted", "t.yml:2:4", "write \"{{ x }}/foo\""],
        ),
        (
            "- {{ x['a'] ~ \"b\" }} and\n",
            &["must be quoted", "write '{{ x[''a''] ~ \"b\" }} and'"],
        ),
        ("at: 12:30\n", &["base 60", "t.yml:1:5", "write \"12:30\""]),
        ("d: 2024-01-01\n", &["a date", "write \"2024-01-01\""]),
        ("2024-01-01: x\n", &["a date"]),
        ("n: 99999999999999999999\n", &["beyond 64 bits"]),
        ("s: !vault |\n  abc\n", &["`!vault`", "not here"]),
        ("s: !unsafe x\n", &["`!unsafe`", "take the tag away"]),
        ("s: !foo [1]\n", &["`!foo` is not supported"]),
        ("? [a]\n: b\n", &["a key cannot be a list"]),
        (": b\n", &["empty key"]),
        ("a: *nope\n", &["must be quoted", "t.yml:1:4"]),
        ("a: &a [*a]\n", &["inside its own anchor"]),
        ("a: b: c\n", &["t.yml:1:", "must be quoted"]),
        ("a: [1, 2\n", &["t.yml:"]),
        ("a: \"x\n", &["t.yml:"]),
        ("a: @x\n", &["t.yml:1:4", "must be quoted"]),
        ("a: 1\n b: 2\n", &["t.yml:"]),
        ("<<: 1\n", &["`<<` merges a mapping"]),
    ];
    for (text, expected) in cases {
        let shown = faults(text);
        for part in *expected {
            assert!(
                shown.contains(part),
                "{text:?} should say {part:?}:\n{shown}"
            );
        }
        assert_eq!(shown.matches("error:").count(), 1, "{text:?}:\n{shown}");
    }
}

#[test]
fn all_faults_that_do_not_break_the_structure_are_said_together() {
    let shown = faults("a: 12:30\nb: !x 1\na: 2\nc: 2024-01-01\n");
    assert_eq!(shown.matches("error:").count(), 4, "{shown}");
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(faults(&bomb).contains("more than a million nodes"));
    assert!(faults(&"[".repeat(20_000)).contains("t.yml:1:"));
    let deep: String = (0..300)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(faults(&deep).contains("t.yml:"));
}

#[test]
fn a_block_of_text_may_hold_tabs() {
    assert_eq!(
        read("a: |\n  all:\n  \tcc x\n").to_string(),
        r#"{"a":"all:\n\tcc x\n"}"#
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn oracle(text: &str) -> Option<serde_json::Value> {
        let value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
        serde_json::to_value(value).ok()
    }

    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "[a-zA-Z é{}\\[\\]:#'\"\\\\\n\t-]{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC*|[-a:{}\\[\\]&*!|>'\"%@#, \n\t0-9<]{0,60}") {
            if let Err(faults) = parse_yaml(&Source::new("t.yml", text)) {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(!fault.render(false).is_empty());
                }
            }
        }

        #[test]
        fn simple_documents_agree_with_libyaml(value in tree()) {
            // JSON, and block style with every ambiguous scalar quoted: the two ways a value is written by programs.
            let json = serde_json::to_string(&value).expect("JSON");
            prop_assert_eq!(read(&json), value.clone());
            let block = serde_saphyr::to_string(&value).expect("YAML");
            if let Some(expected) = oracle(&block) {
                prop_assert_eq!(read(&block), expected, "{}", block);
            }
        }
    }
}
