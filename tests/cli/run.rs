//! Runs on this machine: exit statuses, the log, and what comes at the end.

use std::os::unix::fs::PermissionsExt;

use crate::{LOCAL, Ran, Sandbox};

fn logs(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    let folder = sandbox.home(".local/state/hadeploy/runs");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[test]
fn a_run_has_a_private_log_named_after_it() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    let ran = sandbox.run(&["plan", "s.yml", "--output", "json"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    let events = ran.events();
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events[0]["mode"], "plan");
    assert_eq!(events[0]["playbook"], "s.yml");
    assert_eq!(events.last().expect("events")["event"], "run_finished");
    let logs = logs(&sandbox);
    assert_eq!(logs.len(), 1);
    assert_eq!(events[0]["log"], logs[0].display().to_string());
    let run = events[0]["run_id"].as_str().expect("a name");
    assert_eq!(logs[0].file_stem().expect("a name"), run);
    let mode = std::fs::metadata(&logs[0])
        .expect("a log")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_log_goes_where_it_is_wanted_and_its_failure_is_a_warning() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL), ("hadeploy.yml", "log_dir: here/logs\n")]);
    let log = |ran: &Ran| ran.events()[0]["log"].clone();
    let ran = sandbox.run(&["plan", "s.yml", "--output", "json"]);
    assert!(
        log(&ran)
            .as_str()
            .expect("a log")
            .contains("work/here/logs/")
    );

    let sandbox = Sandbox::new(&[("s.yml", LOCAL), ("file", "")]);
    let mut command = sandbox.command(&["plan", "s.yml", "--output", "json"]);
    let file = command.get_current_dir().expect("a folder").join("file");
    command.env("XDG_STATE_HOME", file);
    let ran = Ran::of(command);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    let events = ran.events();
    assert_eq!(events[0]["event"], "warning");
    assert!(
        events[0]["message"]
            .as_str()
            .expect("words")
            .starts_with("there is no log of this run: cannot make the folder"),
        "{}",
        events[0]
    );
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    let ran = sandbox.run(&["plan", "s.yml"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains('\u{1b}'));
    assert!(!ran.stderr.contains("[y/N]"));
}
