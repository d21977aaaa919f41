//! Rollouts whose way back comes to every kind of end, on played hosts: which release the next `rollback` brings.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::time::Duration;

use hadeploy::engine::Rolling;
use hadeploy::event::Mode;
use hadeploy::rollout::OnFailure;

use crate::bench::{Bench, Told};

/// Two hosts that serve releases; on a host with a file `ill` none is healthy, and one with `no-out` or `no-back`
/// fails before it switches on that way.
struct Fleet(Bench);

const HOSTS: [&str; 2] = ["a", "b"];

impl Fleet {
    /// None where the tests do not run as root, as rolling updates need it.
    fn new() -> Option<Fleet> {
        let bench = Bench::new(&HOSTS);
        if bench.host().login != "root" {
            println!("skipped: a rolling update needs root");
            return None;
        }
        for release in ["v1", "v2", "v4"] {
            bench.file(&format!("files/{release}/good"), "a b\n");
        }
        bench.file("files/v3/good", "a\n");
        Some(Fleet(bench))
    }

    fn play(release: &str, timeout: &str) -> String {
        format!(
            r#"
- name: app
  hosts: all
  become: true
  gather_facts: false
  vars: {{app_release: {release}}}
  rolling:
    release: {{path: "{{{{ dir }}}}/app"}}
    balancer:
      command:
        state: [sh, -c, 'cat >/dev/null; if [ -e "$0" ]; then echo "{{\"state\": \"out\"}}"; else echo "{{\"state\": \"in_service\"}}"; fi', "{{{{ dir }}}}/drained"]
        drain: [touch, "{{{{ dir }}}}/drained"]
        enable: [rm, -f, "{{{{ dir }}}}/drained"]
        readiness: false
    health:
      command: grep -qw {{{{ inventory_hostname }}}} {{{{ dir }}}}/app/current/good && ! [ -e {{{{ dir }}}}/ill ]
      checks: 1
      interval: 100ms
      timeout: {timeout}
    canary_hold: 0s
  tasks:
    - {{name: out, command: "test ! -e {{{{ dir }}}}/no-out", changed_when: false, when: rolling_back is not defined}}
    - {{name: back, command: "test ! -e {{{{ dir }}}}/no-back", changed_when: false, when: rolling_back is defined}}
    - name: release
      release:
        path: "{{{{ dir }}}}/app"
        release: "{{{{ app_release }}}}"
        keep: 5
        src: "{{{{ omit if rolling_back is defined else app_release }}}}"
"#
        )
    }

    async fn roll(&mut self, release: &str, on_failure: OnFailure, back: bool) -> Told {
        self.0.rolling = Some(Rolling {
            on_failure: Some(on_failure),
            back,
            ..Rolling::default()
        });
        let play = Fleet::play(release, "500ms");
        let told = self.0.run(Mode::Rolling, &play).await;
        for host in &self.0.hosts {
            assert!(host.free().await, "{}", told.story());
        }
        told
    }

    #[track_caller]
    fn ended(told: &Told, code: u8, words: &str) {
        let story = told.story();
        assert_eq!(told.recap.exit_code, code, "{story}");
        assert!(told.recap.reason.contains(words), "{words}\n{story}");
    }

    async fn deploy(&mut self, release: &str) {
        let told = self.roll(release, OnFailure::Stop, false).await;
        Fleet::ended(&told, 0, "every node is done");
    }

    /// A rollback to `release` that ends well.
    async fn goes_back_to(&mut self, release: &str) {
        // As the command line gives it until the nodes have answered.
        let told = self.roll("unknown", OnFailure::Stop, true).await;
        Fleet::ended(&told, 0, "every node is done");
        assert_eq!(self.links().map(|(current, _)| current), [release; 2]);
        assert!(!self.0.host().path("drained").exists(), "{}", told.story());
        for host in &self.0.hosts {
            assert!(!host.path("app/.going-back").exists());
        }
    }

    /// What `current` and `previous` lead to on each host.
    fn links(&self) -> [(String, String); 2] {
        let leads = |index: usize, name: &str| {
            let link = std::fs::read_link(self.0.hosts[index].path("app").join(name));
            let target = link.unwrap_or_default();
            let name = target.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        [0, 1].map(|index| (leads(index, "current"), leads(index, "previous")))
    }

    #[track_caller]
    fn stands(&self, a: (&str, &str), b: (&str, &str)) {
        let links = self.links();
        let links = links
            .each_ref()
            .map(|(current, previous)| (&**current, &**previous));
        assert_eq!(links, [a, b]);
    }

    fn set(&self, host: usize, name: &str) {
        std::fs::write(self.0.hosts[host].path(name), "").expect("written");
    }

    fn mend(&self) {
        for host in &self.0.hosts {
            for name in ["ill", "no-out", "no-back"] {
                let _ = std::fs::remove_file(host.path(name));
            }
        }
    }

    /// v2 runs, v1 ran before.
    async fn second(&mut self) {
        self.deploy("v1").await;
        self.deploy("v2").await;
        self.stands(("v2", "v1"), ("v2", "v1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_came_to_its_end_is_followed_by_one_further_back() {
    let Some(mut fleet) = Fleet::new() else {
        return;
    };
    fleet.second().await;
    let told = fleet.roll("v3", OnFailure::Rollback, false).await;
    Fleet::ended(&told, 3, "every node has its previous release again");
    fleet.stands(("v2", "v1"), ("v2", "v1"));
    fleet.goes_back_to("v1").await;
    fleet.stands(("v1", ""), ("v1", ""));
    let told = fleet.roll("unknown", OnFailure::Stop, true).await;
    Fleet::ended(&told, 1, "has no release before `v1`");
    // And on from there.
    fleet.deploy("v4").await;
    fleet.stands(("v4", "v1"), ("v4", "v1"));
    fleet.deploy("v2").await;
    fleet.goes_back_to("v4").await;
    fleet.stands(("v4", "v1"), ("v4", "v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_failed_is_gone_on_with() {
    // Before its switch, and behind it.
    for (trouble, left) in [("no-back", ("v3", "v2")), ("ill", ("v2", "v1"))] {
        let Some(mut fleet) = Fleet::new() else {
            return;
        };
        fleet.second().await;
        fleet.set(1, trouble);
        let told = fleet.roll("v3", OnFailure::Rollback, false).await;
        Fleet::ended(&told, 3, "the way back failed: b");
        fleet.stands(("v3", "v2"), left);
        // Nothing is mended: it fails again, and is still to be gone on with.
        let told = fleet.roll("unknown", OnFailure::Stop, true).await;
        Fleet::ended(&told, 3, "b");
        fleet.mend();
        fleet.goes_back_to("v2").await;
        fleet.stands(("v2", "v1"), ("v2", "v1"));
        fleet.goes_back_to("v1").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_failed_on_the_only_node_that_had_gone_on() {
    let Some(mut fleet) = Fleet::new() else {
        return;
    };
    fleet.second().await;
    fleet.set(0, "ill");
    let told = fleet.roll("v3", OnFailure::Rollback, false).await;
    Fleet::ended(&told, 3, "the way back failed: a");
    fleet.stands(("v2", "v1"), ("v2", "v1"));
    fleet.mend();
    // Not further back, though all have what they are to have: that node is still out.
    fleet.goes_back_to("v2").await;
    // Forward instead, over a way back that is open: it is forgotten.
    fleet.set(0, "ill");
    let told = fleet.roll("v3", OnFailure::Rollback, false).await;
    Fleet::ended(&told, 3, "the way back failed: a");
    fleet.mend();
    fleet.deploy("v4").await;
    fleet.stands(("v4", "v2"), ("v4", "v2"));
    fleet.goes_back_to("v2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_out_that_failed_before_its_switch_brings_nothing_older() {
    let Some(mut fleet) = Fleet::new() else {
        return;
    };
    fleet.second().await;
    fleet.set(1, "no-out");
    let told = fleet.roll("v4", OnFailure::Rollback, false).await;
    Fleet::ended(&told, 3, "every node has its previous release again");
    fleet.stands(("v2", "v1"), ("v2", "v1"));
    // Without a way back, half of them have it.
    let told = fleet.roll("v4", OnFailure::Stop, false).await;
    Fleet::ended(&told, 3, "the rolling update stopped: b");
    fleet.stands(("v4", "v2"), ("v2", "v1"));
    fleet.goes_back_to("v2").await;
    fleet.stands(("v2", "v1"), ("v2", "v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_was_killed_is_gone_on_with() {
    // While it goes back by itself, and while it is told to.
    for told_to in [false, true] {
        let Some(mut fleet) = Fleet::new() else {
            return;
        };
        fleet.second().await;
        let policy = match told_to {
            true => {
                fleet.deploy("v4").await;
                OnFailure::Stop
            }
            false => OnFailure::Rollback,
        };
        let at = usize::from(!told_to);
        fleet.set(at, "ill");
        fleet.0.rolling = Some(Rolling {
            on_failure: Some(policy),
            back: told_to,
            ..Rolling::default()
        });
        // It waits for the node to be healthy with what it had before.
        let (events, _told) = tokio::sync::mpsc::unbounded_channel();
        let play = match told_to {
            true => Fleet::play("unknown", "60s"),
            // Where the release itself is bad, nobody waits so long.
            false => Fleet::play(
                "v3",
                "\"{{ '60s' if rolling_back is defined else '500ms' }}\"",
            ),
        };
        let run = tokio::spawn(fleet.0.engine(Mode::Rolling, &play, "dying", events));
        let begun = std::time::Instant::now();
        while fleet.links()[at].0 != "v2" || !fleet.0.hosts[at].path("app/.going-back").exists() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        run.abort();
        assert!(run.await.is_err());
        for host in &fleet.0.hosts {
            // Nobody waits here until the dead run's lease has run out.
            let _ = std::fs::remove_dir_all(host.base().join("lease"));
        }
        fleet.mend();
        fleet.goes_back_to("v2").await;
        fleet.stands(("v2", "v1"), ("v2", "v1"));
    }
}
