//! What holds for reporters whatever they are told: any order, any text, any number of hosts, a reader that leaves.

#[path = "report/events.rs"]
#[allow(dead_code, reason = "shared with the golden tests")]
mod events;

use std::io::{self, Write};

use events::*;
use hadeploy::change::{Action, Field};
use hadeploy::diagnostic::Diagnostic;
use hadeploy::event::{Event, Failure, ItemResult, Mode, Status, Tally};
use hadeploy::report::{Json, Plain, ReportOptions, Reporter};
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{0,8}",
        any::<String>(),
        Just("\u{1b}[2J\u{1b}]0;t\u{7}\r\nx\u{85}\u{2028}\u{9b}1m".to_owned()),
        Just("漢字 e\u{301} \u{202e}abc".to_owned()),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Ok),
        Just(Status::Changed),
        Just(Status::Skipped),
        Just(Status::Failed),
        Just(Status::Unreachable),
        Just(Status::Unknown),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    let text = || proptest::option::of(word());
    prop_oneof![
        (word(), word(), word()).prop_map(|(name, a, b)| Field::value(name, a, b)),
        (text(), text()).prop_map(|(a, b)| content(a.as_deref(), b.as_deref())),
    ]
}

fn any_task() -> impl Strategy<Value = Event> {
    (
        (word(), word(), word(), word()),
        (status(), status(), any::<bool>(), any::<bool>()),
        proptest::collection::vec(field(), 0..3),
        (word(), word()),
    )
        .prop_map(
            |((host, name, msg, item), (status, inner, one, two), changes, more)| {
                let mut result = task(&host, &name, status);
                result.play = more.0.as_str().into();
                result.handler = one;
                result.ignored = two;
                result.kind = if two { "debug" } else { "copy" };
                result.action = if one { Action::Create } else { Action::Run };
                result.known_after = one.then(|| more.1.clone());
                result.failure = two.then(|| Failure {
                    message: msg.clone(),
                    command: Some(more.1.clone()),
                    rc: Some(1),
                    output: vec![more.0.clone(), msg.clone()],
                    help: Some(item.clone()),
                });
                result.items = vec![ItemResult {
                    item,
                    status: inner,
                    changes: changes.clone(),
                    msg: msg.clone(),
                }];
                result.msg = msg;
                result.changes = changes;
                finished(result)
            },
        )
}

fn any_event() -> impl Strategy<Value = Event> {
    let run = (any::<bool>(), word()).prop_map(|(plan, host)| {
        let mode = if plan { Mode::Plan } else { Mode::Apply };
        started(mode, &[&host]).remove(0)
    });
    let play = word().prop_map(|host| started(Mode::Apply, &[&host]).remove(1));
    let host = word().prop_map(|host| Event::HostConnected {
        host: host.as_str().into(),
    });
    let working = (word(), word()).prop_map(|(host, what)| Event::HostWorking {
        host: host.as_str().into(),
        what,
    });
    let unreachable = (word(), word()).prop_map(|(host, message)| Event::HostUnreachable {
        host: host.as_str().into(),
        error: Failure::new(message),
    });
    let warning = (proptest::option::of(word()), word()).prop_map(|(host, message)| {
        let host = host.map(|host| host.as_str().into());
        Event::Warning { host, message }
    });
    let diagnostic =
        word().prop_map(|message| Event::Diagnostic(Box::new(Diagnostic::error(message))));
    let end = (0..140u8, word(), word(), 0..3u32, 0..3u32).prop_map(|(code, why, host, a, b)| {
        ended(
            code,
            &why,
            a > 1,
            &[(&host, tally(a, b)), ("n1", tally(b, a))],
        )
    });
    prop_oneof![4 => any_task(), 1 => run, 1 => play, 1 => host, 2 => working,
        1 => unreachable, 1 => warning, 1 => diagnostic, 1 => end]
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(any_event(), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_line_of_json_is_one_object(events in any_events()) {
        let text = json(&events);
        let lines = events.iter().filter(|event| !matches!(event, Event::HostWorking { .. }));
        let lines = lines.count();
        prop_assert_eq!(text.matches('\n').count(), lines);
        let breaks = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        prop_assert_eq!(text.find(breaks), None);
        for line in text.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            prop_assert_eq!(&object["v"], 1);
            prop_assert!(object["event"].is_string());
        }
    }

    #[test]
    fn plain_lines_hold_no_control_characters(events in any_events(), verbosity in 0..2u8, width in 0..90usize) {
        let options = ReportOptions { verbosity, diff: true, width, ..ReportOptions::default() };
        let text = plain(options, &events);
        let bad = text.chars().find(|char| char.is_control() && *char != '\n');
        prop_assert_eq!(bad, None, "{:?}", text);
        prop_assert_eq!(text.find('\u{202e}'), None);
    }

    #[test]
    fn colours_are_the_only_sequences(events in any_events()) {
        let options = ReportOptions { colour: true, diff: true, ..ReportOptions::default() };
        let text = plain(options, &events);
        for piece in text.split('\u{1b}').skip(1) {
            let code: String = piece.chars().take_while(|char| *char != 'm').collect();
            let digits = code.strip_prefix('[').unwrap_or("no bracket");
            prop_assert!(digits.chars().all(|char| char.is_ascii_digit() || char == ';'), "{:?}", piece);
        }
    }
}

#[test]
fn a_recap_of_two_hundred_hosts_is_short_and_names_the_bad_ones() {
    let names: Vec<String> = (1..=200).map(|n| format!("n{n}")).collect();
    let hosts: Vec<(&str, Tally)> = names
        .iter()
        .map(|name| {
            let tally = match name.as_str() {
                "n7" => Tally {
                    failed: 1,
                    ..tally(3, 0)
                },
                "n9" | "n10" => tally(90, 6),
                _ => tally(96, 0),
            };
            (name.as_str(), tally)
        })
        .collect();
    let text = plain(
        ReportOptions::default(),
        &[ended(3, "1 of 200 hosts failed", true, &hosts)],
    );
    let expected = "\
host                      ok  changed  failed
n1 and 196 hosts like it  96        0       0
n7                         3        0       1
n9                        90        6       0
n10                       90        6       0

failed: 1 of 200 hosts failed; 12 changes made on 2 of 200 hosts (4.2 s)
";
    assert_eq!(text, expected);
}

/// A reader that leaves, or a disk that is full, at the second line.
struct Broken(u8, io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        assert!(self.0 < 3, "written to after it had failed");
        match self.0 {
            1 => Ok(bytes.len()),
            _ => Err(self.1.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_ends_quietly_and_a_full_disk_is_told() {
    for (kind, quiet) in [
        (io::ErrorKind::BrokenPipe, true),
        (io::ErrorKind::StorageFull, false),
    ] {
        let reporters: [Box<dyn Reporter>; 2] = [
            Box::new(Json::new(Box::new(Broken(0, kind)))),
            Box::new(Plain::new(
                ReportOptions::default(),
                Box::new(Broken(0, kind)),
            )),
        ];
        for mut reporter in reporters {
            apply_events()
                .iter()
                .for_each(|event| reporter.event(event));
            reporter.finish();
            assert_eq!(reporter.trouble().is_none(), quiet);
        }
    }
}

#[test]
fn an_unchanged_run_is_three_lines() {
    let mut events = started(Mode::Apply, &["n1"]);
    events.push(finished(task("n1", "as wanted", Status::Ok)));
    events.push(ended(0, "", false, &[("n1", tally(1, 0))]));
    let text = plain(ReportOptions::default(), &events);
    let expected = "\
host  ok  changed  failed
n1     1        0       0

nothing to change on 1 host (4.2 s)
";
    assert_eq!(text, expected);
}
