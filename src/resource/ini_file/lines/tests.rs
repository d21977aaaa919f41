//! Edits whose results Ansible's module gives too.

use super::*;

fn edit(section: &str, option: &str, values: &[&str]) -> Edit {
    Edit {
        section: section.to_owned(),
        conditions: Vec::new(),
        option: (!option.is_empty()).then(|| option.to_owned()),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        present: true,
        exclusive: true,
        spaces: true,
        ignore_spaces: false,
        alone: false,
        inactive: true,
    }
}

const TEXT: &str = "top=1\n[a]\n# x = 0\nx=1\ny = 2\n\n# end\n[ b ]\nx = 1\n";

#[test]
fn options_are_set_where_they_stand() {
    assert_eq!(
        edit("a", "x", &["1"]).apply(TEXT),
        (
            "top=1\n[a]\nx = 1\ny = 2\n\n# end\n[ b ]\nx = 1\n".to_owned(),
            "option changed"
        )
    );
    assert_eq!(
        edit("a", "z", &["3"]).apply(TEXT),
        (
            "top=1\n[a]\n# x = 0\nx=1\ny = 2\nz = 3\n\n# end\n[ b ]\nx = 1\n".to_owned(),
            "option added"
        )
    );
    assert_eq!(edit("b", "x", &["1"]).apply(TEXT), (TEXT.to_owned(), "OK"));
    assert_eq!(
        edit("", "top", &["2"]).apply("top=1\n[a]\n"),
        ("top = 2\n[a]\n".to_owned(), "option changed")
    );
    assert_eq!(
        edit("", "new", &["2"]).apply(""),
        ("new = 2\n\n".to_owned(), "option added")
    );
}

#[test]
fn sections_come_and_go() {
    assert_eq!(
        edit("c", "x", &["1", "2"]).apply("[a]"),
        (
            "[a]\n[c]\nx = 1\nx = 2\n".to_owned(),
            "section and option added"
        )
    );
    assert_eq!(
        edit("c", "", &[]).apply("[a]\n"),
        ("[a]\n[c]\n".to_owned(), "only section added")
    );
    let gone = Edit {
        present: false,
        ..edit("a", "", &[])
    };
    assert_eq!(
        gone.apply(TEXT),
        ("top=1\n[ b ]\nx = 1\n".to_owned(), "section removed")
    );
    assert_eq!(gone.apply("[c]\n"), ("[c]\n".to_owned(), "OK"));
}

#[test]
fn only_one_of_several_values_goes() {
    let text = "[a]\nx = 1\nx = 2\n#x = 3\n";
    let one = |exclusive, present| Edit {
        exclusive,
        present,
        ..edit("a", "x", &["2"])
    };
    assert_eq!(one(false, false).apply(text).0, "[a]\nx = 1\n#x = 3\n");
    assert_eq!(one(true, false).apply(text).0, "[a]\n#x = 3\n");
    assert_eq!(one(true, true).apply(text).0, "[a]\nx = 2\n");
    let more = Edit {
        exclusive: false,
        ..edit("a", "x", &["4"])
    };
    assert_eq!(more.apply(text).0, "[a]\nx = 1\nx = 2\nx = 4\n#x = 3\n");
}

#[test]
fn spaces_comments_and_missing_values_are_as_asked() {
    let text = "[a]\n# x = 0\nx=1\n";
    let lenient = Edit {
        ignore_spaces: true,
        inactive: false,
        ..edit("a", "x", &["1"])
    };
    assert_eq!(lenient.apply(text), (text.to_owned(), "OK"));
    let alone = Edit {
        alone: true,
        ..edit("a", "skip", &[])
    };
    assert_eq!(alone.apply("[a]\n").0, "[a]\nskip\n");
    assert_eq!(alone.apply("[a]\nskip\n"), ("[a]\nskip\n".to_owned(), "OK"));
    let tight = Edit {
        spaces: false,
        ..edit("a", "x", &["2"])
    };
    assert_eq!(tight.apply("[a]\nx = 1\n").0, "[a]\nx=2\n");
    assert_eq!(tight.apply("[a]\nxy = 1\n").0, "[a]\nxy = 1\nx=2\n");
}

#[test]
fn the_section_that_has_the_values_is_meant() {
    let peer = Edit {
        conditions: vec![Condition {
            option: "key".to_owned(),
            values: vec!["2".to_owned()],
        }],
        ..edit("peer", "ip", &["b"])
    };
    assert_eq!(
        peer.apply("[peer]\nkey = 1\n[peer]\nkey = 2\nip = a\n").0,
        "[peer]\nkey = 1\n[peer]\nkey = 2\nip = b\n"
    );
    assert_eq!(
        peer.apply("[peer]\nkey = 1\n").0,
        "[peer]\nkey = 1\n[peer]\nkey = 2\nip = b\n"
    );
}
