//! What reporters print for scripted runs.

#[path = "report/events.rs"]
mod events;

use events::*;
use hadeploy::change::{Action, Effect, Field};
use hadeploy::event::{Consequence, Event, Impact, Mode, Moved, Status, Tally};
use hadeploy::report::ReportOptions;
use snapbox::{Data, assert_data_eq, file};

#[test]
fn an_apply_shows_changes_failures_and_a_recap() {
    assert_data_eq!(
        plain(ReportOptions::default(), &apply_events()),
        file!["report/apply.txt"].raw()
    );
}

#[test]
fn the_json_of_an_apply_is_the_contract() {
    let lines = Data::text(json(&apply_events())).raw();
    assert_data_eq!(lines, file!["report/apply.jsonl": Text].raw());
}

#[test]
fn a_plan_says_would_shows_diffs_once_and_names_the_next_command() {
    let mut events = started(Mode::Plan, &["n1", "n2"]);
    for host in ["n1", "n2"] {
        let mut write = task(host, "write /etc/motd", Status::Changed);
        write.action = Action::Create;
        write.changes = vec![
            content(None, Some("hello\n\u{1b}[2Jworld")),
            Field::value("mode", "", "0644"),
        ];
        events.push(finished(write));
    }
    let mut check = task("n1", "check", Status::Unknown);
    check.known_after = Some("write /etc/motd".into());
    events.push(finished(check));
    let mut run = task("n1", "run", Status::Unknown);
    run.action = Action::Run;
    events.push(finished(run));
    let unknown = Tally {
        unknown: 2,
        ..tally(0, 1)
    };
    events.push(ended(2, "", false, &[("n1", unknown), ("n2", tally(2, 1))]));
    let options = ReportOptions {
        next_command: Some("hadeploy apply site.yml -i lab".into()),
        ..ReportOptions::default()
    };
    assert_data_eq!(plain(options, &events), file!["report/plan.txt"].raw());
}

/// A plan whose changes reach services: certainly, perhaps, and by a handler of which nobody knows what it does.
fn disturbing() -> Vec<Event> {
    let mut events = started(Mode::Plan, &["n1", "n2"]);
    let follows = |effect: Effect, handler: Option<&str>| Consequence {
        effect,
        handler: handler.map(Into::into),
    };
    let restart = || Effect::Restart("web.service".into());
    let mut impact = Impact::default();
    for host in ["n1", "n2"] {
        let mut conf = task(host, "conf", Status::Changed);
        conf.changes = vec![Field::value("mode", "0600", "0644")];
        conf.follows = vec![
            follows(Effect::Reload("db.service".into()), Some("reload db")),
            follows(restart(), Some("restart web")),
            follows(Effect::None, Some("tell")),
        ];
        let mut asks = task(host, "asks", Status::Unknown);
        asks.action = Action::Run;
        asks.follows = vec![
            follows(restart(), Some("restart web")),
            follows(Effect::Restart("log.service".into()), Some("restart log")),
        ];
        let mut reboot = task(host, "reboot", Status::Changed);
        reboot.kind = "reboot";
        for result in [conf, asks, reboot] {
            impact.note(&result);
            events.push(finished(result));
        }
    }
    let mut end = ended(0, "", false, &[("n1", tally(0, 2)), ("n2", tally(0, 2))]);
    if let Event::RunFinished(recap) = &mut end {
        recap.impact = impact;
    }
    events.push(end);
    events
}

#[test]
fn a_plan_sums_up_what_it_does_to_services_and_nodes() {
    let wide = ReportOptions {
        width: 120,
        ..ReportOptions::default()
    };
    let text = plain(wide, &disturbing());
    for line in [
        "n1  would change  conf  (mode 0600 → 0644, reloads db.service, restarts web.service, runs handler `tell`)",
        "n1  would run     asks  (may restart web.service, may restart log.service)",
        "restarts      web.service on n1, n2",
        "reloads       db.service on n1, n2",
        "may restart   log.service on n1, n2",
        "reboots       n1, n2",
        "not foretold  `asks` on n1, n2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let lines = json(&disturbing());
    let events: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let conf = events
        .iter()
        .find(|event| event["task"] == "conf")
        .expect("told");
    assert_eq!(
        (&conf["effect"], &conf["unit"]),
        (&"restart".into(), &"web.service".into())
    );
    assert_eq!(conf["effects"][2]["effect"], "unknown");
    assert_eq!(conf["effects"][0]["handler"], "reload db");
    let end = events.last().expect("an end");
    assert_eq!(
        end["effects"],
        serde_json::json!([
            {"effect": "reload", "unit": "db.service", "hosts": ["n1", "n2"], "possible": false},
            {"effect": "restart", "unit": "web.service", "hosts": ["n1", "n2"], "possible": false},
            {"effect": "restart", "unit": "log.service", "hosts": ["n1", "n2"], "possible": true}
        ])
    );
    assert_eq!(end["reboots"], serde_json::json!(["n1", "n2"]));
    assert_eq!(end["unknown"][0]["task"], "asks");
}

#[test]
fn what_moved_is_told_line_by_line() {
    let mut events = started(Mode::Apply, &["n1"]);
    for (host, task, file) in [
        (Some("n1"), Some("conf"), None),
        (None, None, Some("a\u{1b}.j2")),
    ] {
        events.push(Event::PlanMoved(Box::new(Moved {
            host: host.map(Into::into),
            task: task.map(Into::into),
            at: task.map(|_| "s.yml:5".into()),
            file: file.map(str::to_owned),
            field: "mode".to_owned(),
            planned: "0600".to_owned(),
            now: "0644".to_owned(),
        })));
    }
    let text = plain(ReportOptions::default(), &events);
    assert_eq!(
        text,
        "n1  moved  conf (s.yml:5)\n    mode: planned 0600, now 0644\na\\x1b.j2  moved\n    mode: planned 0600, now 0644\n"
    );
    assert!(json(&events).contains(r#""event":"plan_moved","host":"n1","task":"conf""#));
}
