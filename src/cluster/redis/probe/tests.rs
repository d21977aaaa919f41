//! Answers of real members of both Debian releases, whole and broken.

use super::{question, read};
use crate::cluster::Answer;
use crate::cluster::redis::act::Act;
use crate::cluster::redis::drift::Drift;
use crate::cluster::redis::node::step;
use crate::cluster::redis::observation::{Daemon, Node, View};
use crate::cluster::redis::spec::{Goal, Spec, Tls, Watch};

const DEBIAN_12: &str = include_str!("debian12.txt");
const DEBIAN_13: &str = include_str!("debian13.txt");

fn spec() -> Spec {
    let member = |number: usize| crate::cluster::Member {
        name: format!("n{number}").into(),
        address: format!("10.77.6.1{number}"),
    };
    Spec {
        members: (1..=3).map(member).collect(),
        name: "mymaster".to_owned(),
        password: "geheim123".to_owned(),
        tls: None,
        settings: Default::default(),
        watch: Watch::of(3),
        goal: Goal::Converge,
    }
}

fn seen(text: &str) -> Node {
    match read(&spec(), &Answer::Said(text.to_owned())) {
        View::Known(node) => *node,
        View::Unknown(why) => panic!("{why}"),
    }
}

#[test]
fn a_replica_is_read_on_both_releases() {
    for (text, version, net) in [
        (DEBIAN_12, "5:7.0.15", "10.77.6"),
        (DEBIAN_13, "5:8.0.2", "10.77.7"),
    ] {
        let node = seen(text);
        let primary = Some(format!("{net}.11"));
        assert!(node.installed && node.folder && node.readable && node.kept && !node.corrupt);
        assert!(node.version.starts_with(version));
        assert!(node.redis_file.marked);
        assert_eq!(node.redis_file.follows, primary);
        assert!(node.sentinel_file.access && node.sentinel_file.epoch > 0);
        assert_eq!(node.sentinel_file.announces, Some(format!("{net}.12")));
        let redis = node.redis.up().expect("up");
        assert!(redis.access.right() && redis.masterauth && redis.link && !redis.primary);
        assert!(!redis.syncing && !redis.loading && !redis.unsaved);
        assert_eq!(redis.follows, primary);
        assert!(redis.offset > 1000 && redis.keys > 1000);
        assert_eq!(redis.settings["bind"], format!("{net}.12 127.0.0.1"));
        let sentinel = node.sentinel.up().expect("up");
        assert!(sentinel.access.right() && !sentinel.tilt);
        assert_eq!(sentinel.id, node.sentinel_file.id);
        let watch = sentinel.watch.as_ref().expect("watches");
        assert_eq!(Some(&watch.address), primary.as_ref());
        assert_eq!(watch.flags, ["master"]);
        assert!(watch.quorum && watch.password && !watch.unsettled());
        assert_eq!(watch.settings["failover-timeout"], "30000");
        assert_eq!((watch.replicas.len(), watch.sentinels.len()), (2, 2));
        assert!(
            watch
                .sentinels
                .iter()
                .all(|peer| !peer.down && peer.port == 26379 && peer.id.len() == 40)
        );
        assert!(
            watch
                .replicas
                .iter()
                .all(|peer| !peer.down && peer.priority == 100)
        );
    }
}

#[test]
fn an_answer_that_breaks_off_says_nothing() {
    for (end, _) in DEBIAN_12.match_indices('\n') {
        let part = &DEBIAN_12[..end];
        if !part.ends_with("@@end") {
            let view = read(&spec(), &Answer::Said(part.to_owned()));
            assert!(matches!(view, View::Unknown(_)), "{part}");
        }
    }
}

#[test]
fn a_daemon_that_breaks_off_hangs_and_is_not_down() {
    let cut = |from: &str, to: &str| {
        let (head, rest) = DEBIAN_12.split_once(from).expect("there");
        let (_, tail) = rest.split_once(to).expect("there");
        format!("{head}{from}{to}{tail}")
    };
    assert_eq!(seen(&cut("@@info\n", "@@masterauth")).redis, Daemon::Hung);
    assert_eq!(seen(&cut("@@replicas\n", "@@end")).sentinel, Daemon::Hung);
}

#[test]
fn what_cannot_be_entered_is_told_apart() {
    let with = |head: &str| seen(&DEBIAN_12.replace("@@redis up plain wanted", head));
    assert_eq!(with("@@redis down plain wanted").redis, Daemon::Down);
    assert_eq!(with("@@redis hung tls wanted").redis, Daemon::Hung);
    assert_eq!(with("@@redis locked plain file").redis, Daemon::Locked);
    let access = |head: &str| with(head).redis.up().expect("up").access;
    assert!(!access("@@redis up plain file").password);
    assert!(!access("@@redis up plain none").password);
    assert!(!access("@@redis up tls wanted").transport);
}

#[test]
fn all_scripts_are_a_shell_s() {
    let mut spec = spec();
    let drifts = vec![Drift {
        name: "databases".to_owned(),
        before: String::new(),
        after: "32".to_owned(),
    }];
    for tls in [false, true] {
        spec.tls = tls.then(|| Tls {
            ca: "/etc/ca.pem".to_owned(),
            certificate: "/etc/c.pem".to_owned(),
            key: "/etc/k.pem".to_owned(),
        });
        let acts = [
            Act::Install,
            Act::OwnFolder,
            Act::Prepare { follows: Some(0) },
            Act::WriteSentinel { watches: 0 },
            Act::StartRedis,
            Act::SetAside,
            Act::StartSentinel,
            Act::RestartSentinel,
            Act::StopSentinel,
            Act::Switch,
            Act::EditSentinel,
            Act::Follow { primary: 0 },
            Act::SetRedis {
                drifts: drifts.clone(),
            },
            Act::SetMasterauth,
            Act::KeepRedis,
            Act::EditRedis {
                drifts: drifts.clone(),
            },
            Act::SetSentinel {
                drifts: drifts.clone(),
                password: true,
            },
            Act::KeepSentinel,
            Act::Reset,
            Act::Failover { to: 1 },
        ];
        let mut scripts = vec![question(&spec, 1)];
        for act in acts {
            let step = step(&spec, 1, &act);
            assert!(
                !step.script.contains(&spec.password),
                "{act:?} tells the password"
            );
            assert!(!step.title.is_empty());
            scripts.push(step.script);
        }
        for script in scripts {
            let status = std::process::Command::new("/bin/sh")
                .args(["-n", "-c", &script])
                .status();
            assert!(status.expect("sh").success(), "{script}");
        }
    }
}
