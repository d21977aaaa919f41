//! One writer per host: a second run waits or goes, and a dead one is succeeded.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hadeploy::event::Mode;

use crate::bench::{Bench, begun};

const SLOW: &str = "- name: slow\n  hosts: all\n  gather_facts: false\n  tasks:\n    - shell: \"touch {{ dir }}/begun; sleep 5; echo slow >> {{ dir }}/log\"\n";
const QUICK: &str = "- name: quick\n  hosts: all\n  gather_facts: false\n  tasks:\n    - shell: \"echo quick >> {{ dir }}/log\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_goes_and_one_with_patience_waits() {
    let mut bench = Bench::new(&["a"]);
    let mark = bench.host().path("begun");
    let refused = async {
        begun(&mark).await;
        bench.apply(QUICK).await
    };
    let (slow, refused) = tokio::join!(bench.apply(SLOW), refused);
    assert_eq!(refused.recap.exit_code, 4, "{}", refused.story());
    assert!(!refused.recap.touched);
    assert_eq!(slow.recap.exit_code, 0, "{}", slow.story());
    assert_eq!(bench.host().read("log"), "slow\n");
    std::fs::remove_file(&mark).expect("there");
    bench.lock_timeout = Duration::from_secs(30);
    let waited = async {
        begun(&mark).await;
        bench.apply(QUICK).await
    };
    let (_, waited) = tokio::join!(bench.apply(SLOW), waited);
    assert_eq!(waited.recap.exit_code, 0, "{}", waited.story());
    assert_eq!(bench.host().read("log"), "slow\nslow\nquick\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_stop_while_it_waits_begins_nothing() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.lock_timeout = Duration::from_secs(60);
    let mark = bench.host().path("begun");
    let slow = SLOW.replace("hosts: all", "hosts: a");
    let (events, _told) = tokio::sync::mpsc::unbounded_channel();
    let other = tokio::spawn(bench.engine(Mode::Apply, &slow, "other", events));
    begun(&mark).await;
    // The other one is not told.
    bench.interrupt = Default::default();
    let stop = bench.interrupt.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stop.cancel();
    });
    let told = bench.apply(QUICK).await;
    assert!(!other.is_finished(), "it waited\n{}", told.story());
    assert_eq!(told.recap.exit_code, 130, "{}", told.story());
    assert!(!told.recap.touched, "{}", told.story());
    assert_eq!(other.await.expect("an end").exit_code, 0);
    assert_eq!(bench.hosts[0].read("log"), "slow\n");
    assert_eq!(bench.hosts[1].read("log"), "");
    assert!(bench.hosts[1].free().await);
}

/// A lease that a run left whose shell was killed, silent for a minute.
fn dead(bench: &Bench) {
    let lease = bench.host().base().join("lease");
    std::fs::create_dir_all(&lease).expect("a folder");
    for (name, text) in [
        ("run", "dead\n"),
        ("shell-x", ""),
        (
            "info",
            "{\"holder\":\"bob@b\",\"command\":\"hadeploy apply\",\"since\":\"then\"}\n",
        ),
        ("beat", "-60\n"),
    ] {
        std::fs::write(lease.join(name), text).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_run_is_succeeded_with_a_warning() {
    let bench = Bench::new(&["a"]);
    dead(&bench);
    let told = bench.apply(QUICK).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(
        told.warnings()
            .iter()
            .any(|words| words.contains("took over") && words.contains("bob@b"))
    );
    assert_eq!(bench.host().count("quick"), 1);
    assert!(bench.host().free().await && bench.host().swept().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_dead_run_that_still_runs_delays_its_successor() {
    if Path::new("/run/systemd/system").exists() {
        // There steps are units; the tests of real nodes cover them.
        return;
    }
    let mut bench = Bench::new(&["a"]);
    dead(&bench);
    let step = bench.host().base().join("steps/dead/1");
    std::fs::create_dir_all(step.join("started")).expect("a folder");
    let mut running = Command::new("/bin/sh")
        .args(["-c", "sleep 6; :", "hadeploy"])
        .arg(&step)
        .spawn()
        .expect("a shell");
    let refused = bench.apply(QUICK).await;
    assert_eq!(refused.recap.exit_code, 4, "{}", refused.story());
    assert!(
        refused
            .recap
            .reason
            .contains("its last step still runs: `hadeploy unlock`")
    );
    assert_eq!(bench.host().read("log"), "");
    bench.lock_timeout = Duration::from_secs(30);
    let told = bench.apply(QUICK).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(
        running.try_wait().expect("ours").is_some(),
        "it took over before the step had ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_host_keeps_all_others_untouched() {
    let bench = Bench::new(&["a", "b", "c"]);
    dead(&bench);
    let beat = std::fs::read_to_string("/proc/uptime").expect("linux");
    let beat = beat.split('.').next().expect("seconds");
    std::fs::write(bench.host().base().join("lease/beat"), format!("{beat}\n")).expect("written");
    let told = bench.apply(QUICK).await;
    assert_eq!(told.recap.exit_code, 4, "{}", told.story());
    assert!(!told.recap.touched);
    for host in &bench.hosts {
        assert_eq!(host.read("log"), "", "{}", host.name);
    }
}
