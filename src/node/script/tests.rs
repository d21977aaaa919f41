//! Scripts run by the real shell.

use super::super::outcome::{ScriptEnd, StepEnd, parse};
use super::*;

fn placed(step: Step) -> PlacedStep {
    PlacedStep {
        step,
        user: None,
        owes: Vec::new(),
        pays: Vec::new(),
        stops: true,
    }
}

fn launch(base: &str) -> Launch {
    Launch {
        base: base.to_owned(),
        run: "r1".to_owned(),
        number: 1,
    }
}

/// Runs the script as the launcher would, in a folder of its own that also plays hadeploy's run-time folder.
fn run(steps: &[PlacedStep], folder: &std::path::Path) -> ScriptEnd {
    let at = folder.to_str().expect("utf-8");
    std::fs::create_dir_all(folder.join("lease")).expect("folder");
    std::fs::create_dir_all(launch(at).folder()).expect("folder");
    std::fs::write(folder.join("lease/run"), "r1\n").expect("lease");
    let script = compile(steps, &Missing::default(), &launch(at), "n");
    let output = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(script)
        .output()
        .expect("sh");
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    parse(&output.stdout).expect("readable")
}

#[test]
fn steps_run_in_order_and_stop_at_the_first_failure() {
    let folder = tempfile::tempdir().expect("tempdir");
    let end = run(
        &[
            placed(Step::new("one", "echo out; echo err >&2")),
            placed(Step::new("two", "exit 7")),
            placed(Step::new("three", "echo never")),
        ],
        folder.path(),
    );
    assert_eq!(
        end.steps,
        [
            StepEnd::Ran {
                rc: 0,
                stdout: b"out\n".to_vec(),
                stderr: b"err\n".to_vec()
            },
            StepEnd::Ran {
                rc: 7,
                stdout: Vec::new(),
                stderr: Vec::new()
            },
        ]
    );
    assert_eq!(end.answers, None);
}

#[test]
fn guards_and_read_back_name_the_field() {
    let folder = tempfile::tempdir().expect("tempdir");
    let file = folder.path().join("it's a\nfile");
    let path = file.to_str().expect("utf-8").to_owned();
    let wanted = |mode| Expect::Path {
        path: path.clone(),
        kind: Some('f'),
        mode: Some(mode),
        owner: None,
        group: None,
        sha256: None,
        target: None,
    };
    let write = format!("umask 077; echo x >{}", quote(&path));
    let end = run(
        &[placed(
            Step::new("write", write)
                .before(Expect::absent(path.clone()))
                .verify(wanted(0o644)),
        )],
        folder.path(),
    );
    assert_eq!(
        end.steps,
        [StepEnd::Differs("mode: wanted 644, found 600".to_owned())]
    );
    let end = run(
        &[placed(
            Step::new("again", "true").before(Expect::absent(path.clone())),
        )],
        folder.path(),
    );
    assert_eq!(
        end.steps,
        [StepEnd::Moved("type: wanted -, found f".to_owned())]
    );
}

#[test]
fn a_deadline_ends_a_step_and_secrets_stay_out_of_arguments() {
    let folder = tempfile::tempdir().expect("tempdir");
    let mut step = Step::new("sleep", "ps -o args= -p $$; sleep 30 # s3cret");
    step.act = true;
    step.deadline = std::time::Duration::from_secs(1);
    let end = run(&[placed(step)], folder.path());
    let StepEnd::Ran { rc, stdout, .. } = &end.steps[0] else {
        panic!("{end:?}");
    };
    assert_eq!(*rc, 124);
    assert!(!String::from_utf8_lossy(stdout).contains("s3cret"));
}

#[test]
fn what_steps_say_and_get_is_nobody_elses_to_read() {
    let folder = tempfile::tempdir().expect("tempdir");
    let mut step = Step::new(
        "look",
        "stat -c '%n %a' \"$D\"/[blneo]; cat \"$LINE\"; ps -o args= -p $$; umask",
    );
    step.act = true;
    step.stdin = Some("s3cret".into());
    step.line = Some("a line\n".into());
    let end = run(
        &[placed(Step::new("first", "true")), placed(step)],
        folder.path(),
    );
    let StepEnd::Ran { stdout, .. } = &end.steps[1] else {
        panic!("{end:?}");
    };
    let said = String::from_utf8_lossy(stdout);
    let modes: Vec<&str> = said
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    // `e`, `l`, `n` and `o`; what runs has no name any more.
    assert_eq!(modes[..4], ["600"; 4], "{said}");
    assert_eq!((modes[4], modes[6]), ("line", "0022"), "{said}");
    let left = std::fs::read_dir(folder.path().join("steps/r1/1")).expect("a folder");
    let mut left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["e", "o"], "what steps are given goes with them");
}

#[test]
fn another_runs_lease_stops_everything() {
    let folder = tempfile::tempdir().expect("tempdir");
    let at = folder.path().to_str().expect("utf-8");
    std::fs::create_dir_all(folder.path().join("lease")).expect("folder");
    std::fs::write(folder.path().join("lease/run"), "other\n").expect("lease");
    let script = compile(
        &[placed(Step::new("x", "touch \"$D/ran\""))],
        &Missing::default(),
        &launch(at),
        "n",
    );
    let output = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(script)
        .output()
        .expect("sh");
    let end = parse(&output.stdout).expect("readable");
    assert_eq!(end.steps, [StepEnd::NoLease("other".to_owned())]);
    assert!(!folder.path().join("ran").exists());
}
