//! What `rollback` chooses, of what nodes say.

use super::*;

/// `name: current/previous since [back]`.
fn nodes(lines: &[&str]) -> Vec<(String, Releases)> {
    let node = |line: &&str| {
        let (name, rest) = line.split_once(": ").expect("a name");
        let mut words = rest.split(' ');
        let (current, previous) = words.next().and_then(|it| it.split_once('/')).expect("two");
        let some = |text: &str| (text != "-").then(|| text.to_owned());
        let releases = Releases {
            current: some(current),
            previous: some(previous),
            since: words.next().and_then(|it| it.parse().ok()).expect("when"),
            back: words.next().map(str::to_owned),
        };
        (name.to_owned(), releases)
    };
    lines.iter().map(node).collect()
}

#[test]
fn the_release_to_go_back_to() {
    for (lines, wanted) in [
        // A rollout that ended, and one that stopped half way.
        (&["a: v3/v2 5", "b: v3/v2 6"][..], "v2"),
        (&["a: v3/v2 5", "b: v2/v1 3"], "v2"),
        // One way back ended: the next goes further.
        (&["a: v2/v1 8", "b: v2/v1 9"], "v1"),
        // One that reached only some.
        (&["a: v2/v1 8", "b: v3/v2 6"], "v2"),
        // One that failed, on the last node and on the only one that had gone on.
        (&["a: v3/v2 5", "b: v2/v1 8 v2"], "v2"),
        (&["a: v2/v1 8 v2", "b: v2/v1 3"], "v2"),
        (&["a: v3/v2 5 v2", "b: v3/v2 6"], "v2"),
        // Killed between the note and the switch.
        (&["a: v2/v2 3", "b: v2/v1 4"], "v2"),
        // A node that was away has older ones, one that is new has none.
        (&["a: v1/- 1", "b: v3/v2 5"], "v2"),
        (&["a: v3/- 9", "b: v3/v2 5"], "v2"),
        // No node's link is older than the other's.
        (&["a: v3/v2 5", "b: v2/v1 5"], "v2"),
    ] {
        let chosen = choose(&nodes(lines), "/srv/app");
        assert_eq!(chosen.as_deref(), Ok(wanted), "{lines:?}");
    }
    for (lines, wanted) in [
        (
            &["a: v1/- 1"][..],
            "a has no release before `v1`: `/srv/app/previous` is not there",
        ),
        (&["a: -/- 0"], "no node has a release in `/srv/app`"),
    ] {
        let chosen = choose(&nodes(lines), "/srv/app");
        assert_eq!(chosen, Err(wanted.to_owned()), "{lines:?}");
    }
}

#[test]
fn a_note_of_another_release_says_nothing() {
    let said = |back: &str| {
        let text = format!("current v4\nprevious v2\nsince 7\nback {back}\n");
        Releases::parse(&text).back
    };
    assert_eq!(said("v2 v3"), None);
    assert_eq!(said("v2 v4").as_deref(), Some("v2"));
    assert_eq!(said("v4 v5").as_deref(), Some("v4"));
    assert_eq!(said("v4"), None);
    assert_eq!(Releases::parse("").back, None);
}
