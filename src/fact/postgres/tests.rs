//! Keys, what sessions print, and what an effect makes uncertain.

use super::*;

fn key(text: &str) -> String {
    // Keys have one form only.
    let ask = Ask::parse(text).expect("a key");
    match ask.question() {
        Question::Postgres(key) => key.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_read_back() {
    for text in [
        r#"{"role":"it's \"x\""}"#,
        r#"{"port":5433,"socket":"/tmp","login":"me","db":"app","extension":"pg_trgm"}"#,
        r#"{"db":"app","acl":{"kind":"default","schema":"public","names":["TABLES"],"of":["a"]}}"#,
    ] {
        assert_eq!(key(text), text);
    }
}

/// What psql 15 and 17 print.
#[test]
fn sessions_are_read() {
    let keys = [
        r#"{"db":"gone","extension":"x"}"#,
        r#"{"port":5433,"role":"x"}"#,
        r#"{"role":"app"}"#,
        r#"{"role":"none"}"#,
        r#"{"time":"soon"}"#,
    ];
    let body = "@session 0\npsql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  database \"gone\" does not exist\n\
        @session 1\n@standby\n\
        @session 2\n@primary\n@answer 2\nNOTICE:  x\n{\"attributes\" : [\"LOGIN\"], \"conn_limit\" : 3, \"expires\" : null, \"password\" : \"SCRAM\", \"comment\" : null}\n\
        @answer 3\nnull\n@answer 4\nERROR:  invalid input syntax for type timestamp with time zone: \"soon\"\nLINE 1: SELECT\n";
    let answers = parse_postgres(&keys, body.as_bytes()).expect("readable");
    let reply = |key: &str| {
        let found = answers
            .iter()
            .find(|(question, _)| *question == Question::Postgres(key.into()));
        match found {
            Some((_, Answer::Postgres(reply))) => reply.clone(),
            other => panic!("{other:?}"),
        }
    };
    let PostgresReply::Silent(why) = reply(keys[0]) else {
        panic!("{answers:?}");
    };
    assert!(why.starts_with("connection to server"), "{why}");
    assert_eq!(reply(keys[1]), PostgresReply::Standby);
    let PostgresReply::Found(Found::Role(Some(role))) = reply(keys[2]) else {
        panic!("{answers:?}");
    };
    assert_eq!(
        (role.conn_limit, role.password.as_deref()),
        (3, Some("SCRAM"))
    );
    assert!(!format!("{role:?}").contains("SCRAM"));
    assert_eq!(reply(keys[3]), PostgresReply::Found(Found::Role(None)));
    let PostgresReply::Refused(why) = reply(keys[4]) else {
        panic!("{answers:?}");
    };
    assert!(why.starts_with("ERROR:  invalid input"), "{why}");
}

#[test]
fn what_printed_nothing_is_silent() {
    let keys = [r#"{"role":"x"}"#];
    let answers = parse_postgres(&keys, b"@session 0\n\n").expect("readable");
    assert!(matches!(
        &answers[..],
        [(_, Answer::Postgres(PostgresReply::Silent(_)))]
    ));
}

#[test]
fn an_effect_moves_what_depends_on_it() {
    let acl = r#"{"db":"app","acl":{"kind":"table","schema":"public"}}"#;
    let databases = r#"{"acl":{"kind":"database","names":["app"]}}"#;
    let cases = [
        (r#"{"role":"a"}"#, r#"{"role":"a"}"#, true),
        (r#"{"role":"a"}"#, r#"{"role":"b"}"#, false),
        (r#"{"role":"a"}"#, r#"{"port":5433,"role":"a"}"#, false),
        (r#"{"role":"a"}"#, acl, true),
        (r#"{"role":"a"}"#, r#"{"database":"a"}"#, false),
        (r#"{"database":"app"}"#, acl, true),
        (r#"{"database":"app"}"#, databases, true),
        (
            r#"{"database":"app"}"#,
            r#"{"db":"other","extension":"x"}"#,
            false,
        ),
        (
            r#"{"db":"app","extension":"x"}"#,
            r#"{"db":"app","extension":"y"}"#,
            true,
        ),
        (acl, r#"{"members":"a"}"#, false),
        (acl, databases, true),
        (r#"{"database":"app"}"#, r#"{"time":"infinity"}"#, false),
    ];
    for (touched, asked, moved) in cases {
        assert_eq!(moves(touched, asked), moved, "{touched} {asked}");
    }
}
