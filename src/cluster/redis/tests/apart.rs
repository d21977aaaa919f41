//! One sentinel that watches another primary than all the rest.

use std::time::Duration;

use super::{healthy, spec};
use crate::cluster::Made;
use crate::cluster::redis::act::Act;
use crate::cluster::redis::decide::{Decision, decide};
use crate::cluster::redis::observation::{Daemon, View};

#[test]
fn it_is_restarted_and_then_told_anew() {
    let spec = spec(3);
    let mut views = healthy(&spec);
    if let View::Known(node) = &mut views[2]
        && let Daemon::Up(sentinel) = &mut node.sentinel
        && let Some(watch) = &mut sentinel.watch
    {
        watch.address = "10.0.0.2".to_owned();
        // Its own primary says that it is a replica.
        watch.flags.push("s_down".to_owned());
    }
    let next = |seconds, made: &[Made]| decide(&spec, &views, Duration::from_secs(seconds), made);
    assert!(matches!(next(10, &[]), Decision::Wait { .. }));
    let restart = Act::RestartSentinel;
    assert_eq!(next(30, &[]), Decision::Act(vec![(2, restart.clone())]));
    let made = [Made {
        member: 2,
        title: restart.title(&spec),
    }];
    let anew = Act::WriteSentinel { watches: 0 };
    assert_eq!(next(30, &made), Decision::Act(vec![(2, anew)]));
}
