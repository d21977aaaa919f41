//! `hadeploy unlock` beside a run that lives, one that is dead, and one whose last step does not end.

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![Case::new("unlock::only_the_dead", only_the_dead)]
}

const LONG: &str = "- hosts: n2
  gather_facts: false
  tasks:
    - name: long
      shell: mkdir -p /srv/unlock; sleep 600 & echo $! >/srv/unlock/pid; wait
";

fn only_the_dead(world: &World) {
    let node = world.node("n2");
    node.sh("rm -rf /run/hadeploy/lease /srv/unlock");
    let site = Site::with(&node.lab, LONG);
    let free = site.expect_bare(&["unlock", "n2"], 0);
    free.says(&["no lease is held"]);
    let running = site.start(&["apply"]);
    node.wait_for("test -s /srv/unlock/pid");

    let lives = site.expect_bare(&["unlock", "n2"], 4);
    assert_eq!(lives.named("lease")[0]["lives"], true, "{lives}");
    assert_eq!(lives.events.last().unwrap()["touched"], false, "{lives}");
    running.kill();
    let fresh = site.expect_bare(&["unlock"], 4);
    fresh.says(&["lives, and keeps the lease of n2", "hadeploy apply"]);

    // It counts as silent for long; its step is still there.
    node.sh("echo 0 >/run/hadeploy/lease/beat");
    let works = site.expect_bare(&["unlock"], 4);
    let lease = &works.named("lease")[0];
    assert_eq!(
        (&lease["lives"], &lease["works"]),
        (&false.into(), &true.into()),
        "{works}"
    );
    works.says(&["its last step still runs on n2", "--end-steps"]);
    site.expect(&["apply"], 4)
        .says(&["`hadeploy unlock` shows it"]);
    let run = lease["run"].as_str().unwrap();
    let other = site.expect_bare(&["unlock", "--run", "20200101T000000-0000"], 1);
    other.says(&["run 20200101T000000-0000 holds no lease there"]);
    node.sh("kill -0 $(cat /srv/unlock/pid)");

    let ended = site.expect_bare(&["unlock", "--run", run, "--end-steps"], 0);
    ended.says(&["1 lease was given back"]);
    assert_eq!(
        ended.named("lease").last().unwrap()["freed"],
        true,
        "{ended}"
    );
    node.sh("! kill -0 $(cat /srv/unlock/pid) 2>/dev/null");
    node.sh("! ls -d /run/hadeploy/lease* /run/hadeploy/steps/* 2>/dev/null");
    site.expect_bare(&["unlock"], 0).says(&["no lease is held"]);

    site.write(
        "play.yml",
        "- hosts: n2\n  gather_facts: false\n  tasks:\n    - {name: away, file: {path: /srv/unlock, state: absent}}\n",
    );
    let next = site.apply();
    assert!(next.named("warning").is_empty(), "{next}");
}
