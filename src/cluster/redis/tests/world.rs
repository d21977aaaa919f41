//! A cluster that is played: nodes, daemons with their files, a clock, and sentinels that replace a primary by themselves.

use super::chance::Chance;
use crate::cluster::redis::act::Act;
use crate::cluster::redis::foresee::foresee;
use crate::cluster::redis::observation::{Daemon, Node, View};
use crate::cluster::redis::spec::Spec;

/// How long a primary is missed before it is replaced, and a stray redis is left alone, in seconds.
const DOWN_AFTER: u32 = 5;
const STRAY_AFTER: u32 = 10;

/// The cluster.
pub struct World {
    pub spec: Spec,
    pub nodes: Vec<Played>,
    /// Writes acknowledged so far.
    pub acknowledged: u64,
}

/// A node.
#[derive(Clone)]
pub struct Played {
    /// Its power is on.
    pub on: bool,
    /// Its files and daemons as they would be seen; a daemon that is not running keeps its files.
    pub node: Node,
    /// The last write it holds.
    pub data: u64,
    /// For how long its sentinel has missed the primary.
    missed: u32,
    /// For how long its redis has been out of line.
    stray: u32,
}

impl World {
    pub fn new(spec: &Spec, views: &[View]) -> World {
        let played = |view: &View| Played {
            on: true,
            node: view.node().expect("known").clone(),
            data: 0,
            missed: 0,
            stray: 0,
        };
        World {
            spec: spec.clone(),
            nodes: views.iter().map(played).collect(),
            acknowledged: 0,
        }
    }

    /// What the members answer.
    pub fn views(&self) -> Vec<View> {
        let mut views: Vec<View> = self
            .nodes
            .iter()
            .map(|played| match played.on {
                true => View::Known(Box::new(played.node.clone())),
                false => View::Unknown("no route to host".to_owned()),
            })
            .collect();
        for (member, view) in views.iter_mut().enumerate() {
            let data = self.nodes[member].data;
            let View::Known(node) = view else {
                continue;
            };
            node.kept = data > 0;
            if let Some(redis) = node.redis.up_mut() {
                redis.followers = self
                    .linked(member)
                    .map(|other| {
                        let address = self.spec.members[other].address.clone();
                        (address, self.nodes[other].data)
                    })
                    .collect();
                redis.keys = data;
                redis.offset = data;
            }
        }
        views
    }

    fn runs(&self, member: usize) -> bool {
        self.nodes[member].on && self.nodes[member].node.redis.up().is_some()
    }

    fn is_primary(&self, member: usize) -> bool {
        self.runs(member)
            && self.nodes[member]
                .node
                .redis
                .up()
                .is_some_and(|redis| redis.primary)
    }

    /// The replicas that are connected to a member.
    fn linked(&self, member: usize) -> impl Iterator<Item = usize> {
        let address = &self.spec.members[member].address;
        (0..self.nodes.len()).filter(move |other| {
            self.runs(*other)
                && self.nodes[*other]
                    .node
                    .redis
                    .up()
                    .is_some_and(|redis| redis.link && redis.follows.as_ref() == Some(address))
        })
    }

    /// Primaries that take writes: those with a replica.
    pub fn taking_writes(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|member| self.is_primary(*member))
            .filter(|member| self.nodes.len() == 1 || self.linked(*member).next().is_some())
            .collect()
    }

    /// One second.
    pub fn tick(&mut self) {
        self.replicate();
        for member in 0..self.nodes.len() {
            self.watch(member);
        }
        self.align();
        let mut views = self.views();
        // Sentinels meet each other: what is foreseen when nothing is done.
        foresee(&self.spec, &mut views, 0, &Act::Failover { to: usize::MAX });
        for (played, view) in self.nodes.iter_mut().zip(&views) {
            if let (Some(node), Some(sentinel)) = (view.node(), played.node.sentinel.up_mut()) {
                sentinel.watch = node.sentinel.up().and_then(|seen| seen.watch.clone());
            }
        }
        for member in 0..self.nodes.len() {
            self.flag(member);
        }
    }

    fn replicate(&mut self) {
        for member in 0..self.nodes.len() {
            if !self.runs(member) {
                continue;
            }
            let source = self.nodes[member]
                .node
                .redis
                .up()
                .and_then(|redis| self.spec.at(redis.follows.as_ref()?));
            let data = source
                .filter(|source| self.runs(*source))
                .map(|source| self.nodes[source].data);
            let played = &mut self.nodes[member];
            if let Some(redis) = played.node.redis.up_mut()
                && !redis.primary
            {
                redis.link = data.is_some();
                played.data = data.unwrap_or(played.data);
            }
        }
        if let [one] = self.taking_writes().as_slice() {
            self.acknowledged += 1;
            let (one, write) = (*one, self.acknowledged);
            self.nodes[one].data = write;
            for other in self.linked(one).collect::<Vec<_>>() {
                self.nodes[other].data = write;
            }
        }
    }

    /// Sentinels that can hear each other and watch the same.
    fn peers(&self, address: &str) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|member| self.nodes[*member].on)
            .filter(|member| {
                self.nodes[*member]
                    .node
                    .sentinel
                    .up()
                    .and_then(|sentinel| sentinel.watch.as_ref())
                    .is_some_and(|watch| watch.address == address)
            })
            .collect()
    }

    fn watch(&mut self, member: usize) {
        let Some(watch) = self.nodes[member]
            .node
            .sentinel
            .up()
            .and_then(|sentinel| sentinel.watch.clone())
        else {
            return;
        };
        if !self.nodes[member].on {
            return;
        }
        // Whoever knows a newer primary is believed.
        let newest = (0..self.nodes.len())
            .filter(|other| self.nodes[*other].on)
            .filter_map(|other| self.nodes[other].node.sentinel.up()?.watch.as_ref())
            .max_by_key(|other| other.epoch)
            .map(|other| (other.address.clone(), other.epoch));
        if let Some((address, epoch)) = newest
            && epoch > watch.epoch
        {
            self.point(member, &address, epoch);
            return;
        }
        let primary = self.spec.at(&watch.address);
        let there = primary.is_some_and(|primary| self.is_primary(primary));
        self.nodes[member].missed = if there {
            0
        } else {
            self.nodes[member].missed + 1
        };
        let peers = self.peers(&watch.address);
        let agree = peers
            .iter()
            .filter(|peer| self.nodes[**peer].missed >= DOWN_AFTER)
            .count();
        if agree < self.spec.majority() || agree < self.spec.watch.quorum {
            return;
        }
        let heir = (0..self.nodes.len())
            .filter(|other| {
                Some(*other) != primary && self.runs(*other) && !self.is_primary(*other)
            })
            .filter(|other| {
                self.nodes[*other]
                    .node
                    .redis
                    .up()
                    .is_some_and(|redis| redis.follows.as_ref() == Some(&watch.address))
            })
            .max_by_key(|other| self.nodes[*other].data);
        let Some(heir) = heir else { return };
        let address = self.spec.members[heir].address.clone();
        if let Some(redis) = self.nodes[heir].node.redis.up_mut() {
            redis.primary = true;
            redis.follows = None;
        }
        self.nodes[heir].node.redis_file.follows = None;
        for peer in peers {
            self.point(peer, &address, watch.epoch + 1);
        }
    }

    fn point(&mut self, member: usize, address: &str, epoch: u64) {
        let played = &mut self.nodes[member];
        played.missed = 0;
        played.node.sentinel_file.watches = Some(address.to_owned());
        played.node.sentinel_file.epoch = epoch;
        if let Some(watch) = played
            .node
            .sentinel
            .up_mut()
            .and_then(|sentinel| sentinel.watch.as_mut())
        {
            address.clone_into(&mut watch.address);
            watch.epoch = epoch;
        }
    }

    /// The sentinels bring a redis that is out of line back, when more than half agree.
    fn align(&mut self) {
        let agreed = (0..self.nodes.len()).find(|member| {
            self.is_primary(*member)
                && self.peers(&self.spec.members[*member].address).len() >= self.spec.majority()
        });
        for member in 0..self.nodes.len() {
            let address = agreed.map(|agreed| self.spec.members[agreed].address.clone());
            let out = self.runs(member)
                && agreed.is_some_and(|agreed| agreed != member)
                && self.nodes[member].node.redis_file.marked
                && self.nodes[member]
                    .node
                    .redis
                    .up()
                    .is_some_and(|redis| redis.follows != address);
            let played = &mut self.nodes[member];
            played.stray = if out { played.stray + 1 } else { 0 };
            if played.stray >= STRAY_AFTER
                && let Some(redis) = played.node.redis.up_mut()
            {
                redis.primary = false;
                redis.follows.clone_from(&address);
                played.node.redis_file.follows = address;
            }
        }
    }

    fn flag(&mut self, member: usize) {
        let address = self.nodes[member].node.sentinel_file.watches.clone();
        let there = address
            .and_then(|address| self.spec.at(&address))
            .is_some_and(|primary| self.runs(primary));
        let missed = self.nodes[member].missed;
        if let Some(watch) = self.nodes[member]
            .node
            .sentinel
            .up_mut()
            .and_then(|sentinel| sentinel.watch.as_mut())
        {
            watch.flags = vec!["master".to_owned()];
            if !there && missed >= DOWN_AFTER {
                watch.flags.push("s_down".to_owned());
            }
        }
    }

    /// Something breaks.
    pub fn break_something(&mut self, chance: &mut Chance) {
        let member = chance.below(self.nodes.len());
        let other = chance.below(self.nodes.len());
        let foreign = self.nodes[other].node.sentinel_file.clone();
        let address = self.spec.members[other].address.clone();
        let leads = self.is_primary(member);
        let wiped = Node {
            readable: true,
            ..Node::default()
        };
        let played = &mut self.nodes[member];
        match chance.below(9) {
            0 => played.on = false,
            1 => played.node.redis = Daemon::Down,
            2 => played.node.sentinel = Daemon::Down,
            3 if !leads => {
                let played = &mut self.nodes[member];
                played.node = wiped;
                played.data = 0;
            }
            4 => {
                played.node.sentinel_file = foreign;
                played.node.sentinel = Daemon::Down;
            }
            5 => {
                played.node.sentinel_file.watches = Some("127.0.0.1".to_owned());
                played.node.sentinel = Daemon::Down;
            }
            6 if other != member && !played.node.redis.up().is_some_and(|redis| redis.primary) => {
                if let Some(redis) = played.node.redis.up_mut() {
                    redis.follows = Some(address);
                }
            }
            7 => played.node.folder = false,
            8 => {
                if let Some(watch) = played
                    .node
                    .sentinel
                    .up_mut()
                    .and_then(|sentinel| sentinel.watch.as_mut())
                {
                    let mut stale = watch.sentinels.first().cloned().unwrap_or_default();
                    stale.id.push('x');
                    stale.port = 0;
                    watch.sentinels.push(stale);
                }
            }
            _ => {}
        }
    }

    /// Power comes back; systemd starts what is installed.
    pub fn power_on(&mut self) {
        for member in 0..self.nodes.len() {
            if !self.nodes[member].on {
                self.nodes[member].on = true;
                if self.nodes[member].node.installed {
                    self.act(member, &Act::StartRedis);
                    self.act(member, &Act::StartSentinel);
                }
            }
        }
    }

    /// What a move does to the member itself; what others make of it comes with the seconds.
    pub fn act(&mut self, member: usize, act: &Act) {
        let epoch = self.nodes[member].node.sentinel_file.epoch;
        if let Act::Prepare { .. } = act {
            assert_eq!(
                self.nodes[member].data, 0,
                "{act:?} on {member} would throw data away"
            );
        }
        let mut views = vec![View::Unknown(String::new()); self.nodes.len()];
        views[member] = View::Known(Box::new(self.nodes[member].node.clone()));
        foresee(&self.spec, &mut views, member, act);
        let View::Known(node) = views.swap_remove(member) else {
            return;
        };
        let played = &mut self.nodes[member];
        played.node = *node;
        let starts = matches!(
            act,
            Act::StartSentinel | Act::RestartSentinel | Act::EditSentinel
        );
        if starts
            && let Some(watch) = played
                .node
                .sentinel
                .up_mut()
                .and_then(|sentinel| sentinel.watch.as_mut())
        {
            watch.epoch = epoch;
        }
        if matches!(act, Act::WriteSentinel { .. }) {
            played.node.sentinel_file.epoch = 0;
        }
        // The connection comes with the next second.
        if let Some(redis) = played.node.redis.up_mut()
            && matches!(
                act,
                Act::Prepare { .. } | Act::StartRedis | Act::Follow { .. }
            )
        {
            redis.link = false;
        }
    }
}
