//! A member that is about to stop for a while.

use std::time::Duration;

use super::{healthy, spec};
use crate::cluster::redis::act::Act;
use crate::cluster::redis::decide::{Decision, decide};
use crate::cluster::redis::foresee::foresee;
use crate::cluster::redis::observation::{Daemon, Node, View};
use crate::cluster::redis::spec::{Goal, Spec};

fn leaving(member: usize, members: usize) -> (Spec, Vec<View>) {
    let mut spec = spec(members);
    let views = healthy(&spec);
    spec.goal = Goal::Leave { member };
    (spec, views)
}

fn next(spec: &Spec, views: &[View]) -> Decision {
    decide(spec, views, Duration::from_secs(2000), &[])
}

fn node(view: &mut View) -> &mut Node {
    match view {
        View::Known(node) => node,
        View::Unknown(why) => panic!("{why}"),
    }
}

#[track_caller]
fn refused(spec: &Spec, views: &[View], words: &str) {
    match next(spec, views) {
        Decision::Refuse(refusal) => assert!(refusal.why.contains(words), "{}", refusal.why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_replica_goes_and_a_primary_hands_over_once() {
    let (spec, views) = leaving(1, 3);
    assert_eq!(next(&spec, &views), Decision::Settled);
    let (spec, mut views) = leaving(0, 3);
    let Decision::Act(acts) = next(&spec, &views) else {
        panic!("the primary hands over");
    };
    assert!(matches!(acts[..], [(0, Act::Failover { .. })]), "{acts:?}");
    for (member, act) in acts {
        foresee(&spec, &mut views, member, &act);
    }
    assert_eq!(next(&spec, &views), Decision::Settled);
}

#[test]
fn nobody_goes_whom_the_others_cannot_do_without() {
    let (spec, views) = leaving(0, 1);
    refused(&spec, &views, "no replica can take over");
    for member in [0, 1] {
        let (spec, mut views) = leaving(member, 3);
        views[2] = View::Unknown("no route to host".to_owned());
        refused(&spec, &views, "n3");
        let (spec, mut views) = leaving(member, 3);
        for view in &mut views {
            let redis = node(view).redis.up_mut().expect("up");
            let wanted = ("min-replicas-to-write".to_owned(), "2".to_owned());
            redis.settings.extend([wanted]);
        }
        let mut wanting = spec.clone();
        wanting
            .settings
            .insert("min-replicas-to-write".to_owned(), "2".to_owned());
        refused(&wanting, &views, "only 1 would be there");
        // A sentinel that hangs cannot be judged.
        let (spec, mut views) = leaving(member, 3);
        node(&mut views[2]).sentinel = Daemon::Hung;
        refused(&spec, &views, "sentinel on n3");
    }
}
