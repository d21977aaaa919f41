//! A member that is taken out for good.

use std::time::Duration;

use super::{healthy, spec};
use crate::cluster::redis::act::Act;
use crate::cluster::redis::decide::Decision;
use crate::cluster::redis::foresee::foresee;
use crate::cluster::redis::observation::View;
use crate::cluster::redis::part::{Choice, choose};
use crate::cluster::redis::spec::{Goal, Spec};

const LONG: Duration = Duration::from_secs(2000);

fn parting(member: usize, replaced: bool) -> (Spec, Vec<View>) {
    let mut spec = spec(3);
    let views = healthy(&spec);
    let addresses = vec![spec.members[member].address.clone()];
    spec.goal = Goal::Part {
        member,
        addresses,
        replaced,
    };
    (spec, views)
}

fn one(choice: &Choice) -> (usize, Act) {
    match &choice.decision {
        Decision::Act(acts) => (choice.whole(acts[0].0), acts[0].1.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_that_answers_hands_over_and_stops() {
    let (spec, mut views) = parting(0, false);
    let first = one(&choose(&spec, &views, LONG, &[]));
    assert!(matches!(first, (0, Act::Failover { .. })), "{first:?}");
    foresee(&spec, &mut views, first.0, &first.1);
    assert_eq!(one(&choose(&spec, &views, LONG, &[])), (0, Act::Retire));
}

#[test]
fn the_others_forget_one_that_is_dead() {
    let (spec, mut views) = parting(2, false);
    views[2] = View::Unknown("no route to host".to_owned());
    let choice = choose(&spec, &views, LONG, &[]);
    assert_eq!(one(&choice), (0, Act::Reset));
    assert_eq!(choice.without, Some(2));
    // The numbers of the others move up.
    let (spec, mut views) = parting(0, false);
    foresee(&spec, &mut views, 0, &Act::Failover { to: 1 });
    views[0] = View::Unknown("no route to host".to_owned());
    let choice = choose(&spec, &views, LONG, &[]);
    assert_eq!(one(&choice), (1, Act::Reset));
}

#[test]
fn a_dead_primary_is_replaced_before_it_is_forgotten() {
    let (spec, mut views) = parting(0, false);
    views[0] = View::Unknown("no route to host".to_owned());
    let soon = choose(&spec, &views, Duration::ZERO, &[]);
    assert!(
        matches!(soon.decision, Decision::Wait { .. }),
        "{:?}",
        soon.decision
    );
    match choose(&spec, &views, LONG, &[]).decision {
        Decision::Refuse(refusal) => assert!(refusal.why.contains("still takes"), "{refusal:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_runs_in_the_place_of_another_is_left_alone() {
    let (spec, mut views) = parting(2, true);
    if let View::Known(node) = &mut views[2] {
        node.redis_file.marked = true;
    }
    assert_eq!(choose(&spec, &views, LONG, &[]).decision, Decision::Settled);
}
