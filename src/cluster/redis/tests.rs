//! The choice of moves against thousands of observations, and against a played cluster.

mod apart;
mod chance;
mod laws;
mod leave;
mod part;
mod played;
mod world;

use std::collections::BTreeMap;

use super::foresee::foresee;
use super::observation::{Node, View};
use super::spec::{Goal, Spec, Watch};
use crate::cluster::Member;
use crate::cluster::redis::act::Act;

/// A cluster of that many members.
fn spec(members: usize) -> Spec {
    Spec {
        members: (0..members)
            .map(|member| Member {
                name: format!("n{}", member + 1).into(),
                address: format!("10.0.0.{}", member + 1),
            })
            .collect(),
        name: "mymaster".to_owned(),
        password: "secret".to_owned(),
        tls: None,
        settings: BTreeMap::from([("maxmemory".to_owned(), "100mb".to_owned())]),
        watch: Watch::of(members),
        goal: Goal::Converge,
    }
}

/// All members as they are when nothing is left to be done; the first is primary.
fn healthy(spec: &Spec) -> Vec<View> {
    let bare = Node {
        folder: true,
        readable: true,
        ..Node::default()
    };
    let mut views = vec![View::Known(Box::new(bare)); spec.members.len()];
    for member in 0..views.len() {
        foresee(spec, &mut views, member, &Act::Install);
    }
    for member in 0..views.len() {
        let follows = (member > 0).then_some(0);
        foresee(spec, &mut views, member, &Act::Prepare { follows });
    }
    for member in 0..views.len() {
        foresee(spec, &mut views, member, &Act::WriteSentinel { watches: 0 });
    }
    views
}
