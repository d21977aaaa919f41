//! What reporters print for scripted runs.

#[path = "report/events.rs"]
mod events;

use events::*;
use hadeploy::change::{Action, Field};
use hadeploy::event::{Mode, Status, Tally};
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
