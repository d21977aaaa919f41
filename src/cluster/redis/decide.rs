//! What comes next, from what was seen. Pure: no clock, no network, no files.

mod access;
mod gone;
mod leave;
mod redis;
mod sentinel;
mod wish;

use std::time::Duration;

use super::act::Act;
use super::observation::View;
use super::spec::Spec;
use super::survey::{Primary, Survey, Voice};
use crate::cluster::{Made, Refusal};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: all is as wanted.
    Settled,
    /// These, each on another member.
    Act(Vec<(usize, Act)>),
    /// Another look after a pause.
    Wait {
        /// What for.
        why: String,
        /// How long.
        pause: Duration,
    },
    /// No move is safe.
    Refuse(Refusal),
}

/// All that a decision is made from.
pub(super) struct Scene<'a> {
    pub(super) survey: Survey<'a>,
    pub(super) spec: &'a Spec,
    waited: Duration,
    made: &'a [Made],
}

/// The same move on the same member is made so often at most.
const TRIES: usize = 4;

/// What comes next.
pub fn decide(spec: &Spec, views: &[View], waited: Duration, made: &[Made]) -> Decision {
    let survey = Survey::new(spec, views);
    let scene = Scene {
        survey,
        spec,
        waited,
        made,
    };
    let stages: [fn(&Scene) -> Option<Decision>; 10] = [
        gone::stage,
        unseen,
        ground,
        access::stage,
        redis::running,
        sentinel::running,
        redis::roles,
        redis::settings,
        sentinel::knowledge,
        wish::stage,
    ];
    let decision = stages
        .iter()
        .find_map(|stage| stage(&scene))
        .unwrap_or(Decision::Settled);
    unreadable(&scene, &decision).unwrap_or_else(|| scene.bounded(decision))
}

impl Scene<'_> {
    /// Refuses a move that was made often enough.
    fn bounded(&self, decision: Decision) -> Decision {
        let Decision::Act(acts) = &decision else {
            return decision;
        };
        let worn = acts
            .iter()
            .find(|(member, act)| self.times(*member, act) >= TRIES);
        match worn {
            Some((member, act)) => refuse(
                format!(
                    "`{}` was done {TRIES} times on {} and does not last",
                    act.title(self.spec),
                    self.spec.name_of(*member)
                ),
                "something else changes it back: look at /var/log/redis on that node, and for another program that manages redis",
            ),
            None => decision,
        }
    }

    /// How often a move was made.
    pub(super) fn times(&self, member: usize, act: &Act) -> usize {
        let title = act.title(self.spec);
        self.made
            .iter()
            .filter(|made| made.member == member && made.title == title)
            .count()
    }

    /// Whether it was the last move.
    pub(super) fn just_made(&self, member: usize, act: &Act) -> bool {
        let title = act.title(self.spec);
        self.made
            .last()
            .is_some_and(|made| made.member == member && made.title == title)
    }

    /// Waits, up to a limit, then goes by `otherwise`.
    pub(super) fn wait(
        &self,
        limit: u64,
        why: String,
        otherwise: impl FnOnce() -> Decision,
    ) -> Decision {
        if self.waited >= Duration::from_secs(limit) {
            return otherwise();
        }
        let pause = Duration::from_secs(if self.waited < Duration::from_secs(10) {
            1
        } else {
            3
        });
        Decision::Wait { why, pause }
    }

    /// How long the sentinels may take to change the primary, and once more, in seconds.
    pub(super) fn failover_time(&self) -> u64 {
        (self.spec.watch.down_after + 2 * self.spec.watch.failover_timeout).as_secs() + 5
    }

    /// Starts what is down, gives it time, and refuses when it does not stay up.
    pub(super) fn start(&self, member: usize, act: Act) -> Decision {
        let times = self.times(member, &act);
        if times == 0 {
            return one(member, act);
        }
        let name = self.spec.name_of(member);
        self.wait(20, format!("{name} to come up"), || {
            if times < 2 {
                return one(member, act);
            }
            let said = self.survey.node(member).map_or("", |node| &node.trouble);
            let why = if said.is_empty() {
                format!("a daemon of {name} does not stay up")
            } else {
                format!("a daemon of {name} does not stay up; its log says: {said}")
            };
            refuse(why, "see `journalctl -u redis-server -u redis-sentinel` and /var/log/redis on that node, mend it, then apply again")
        })
    }

    /// A name.
    pub(super) fn name(&self, member: usize) -> &str {
        self.spec.name_of(member)
    }

    /// Whether the sentinels of more than half agree on a primary, so that roles may be touched; or no sentinel was ever told of one.
    pub(super) fn may_touch_roles(&self) -> bool {
        matches!(
            self.survey.leader(),
            Some((_, Voice::Majority | Voice::Roles))
        )
    }
}

/// One move.
pub(super) fn one(member: usize, act: Act) -> Decision {
    Decision::Act(vec![(member, act)])
}

/// Several at once, if there are any.
pub(super) fn several(acts: Vec<(usize, Act)>) -> Option<Decision> {
    (!acts.is_empty()).then_some(Decision::Act(acts))
}

/// No move is safe.
pub(super) fn refuse(why: impl Into<String>, help: impl Into<String>) -> Decision {
    Decision::Refuse(Refusal {
        why: why.into(),
        help: help.into(),
    })
}

/// Nothing is done to a member that could not start again. One that runs has read its files, and is left alone until it is to change.
fn unreadable(scene: &Scene, decision: &Decision) -> Option<Decision> {
    let Decision::Act(acts) = decision else {
        return None;
    };
    let mut touched = acts.iter().map(|(member, _)| *member);
    let member = touched.find(|member| {
        let node = scene.survey.node(*member);
        node.is_some_and(|node| node.installed && !node.readable)
    })?;
    Some(refuse(
        format!(
            "redis on {} cannot read the files of `tls`",
            scene.name(member)
        ),
        "give the account `redis` the right to read them and to enter the folders above them, such as group `ssl-cert`, of which `redis` is a member, and mode 0640; `usermod -aG ssl-cert redis` makes it one",
    ))
}

/// Not everybody can be judged: only what is safe whatever the others are doing.
fn unseen(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let blind: Vec<String> = survey
        .members()
        .filter_map(|member| survey.blind(member))
        .collect();
    let why = blind.first()?.clone();
    for member in survey.members() {
        let Some(node) = survey.node(member).filter(|node| node.installed) else {
            continue;
        };
        let act = Act::StartSentinel;
        if node.sentinel.is_down()
            && !survey.is_foreign_sentinel(member)
            && scene.times(member, &act) == 0
        {
            return Some(one(member, act));
        }
        let act = Act::StartRedis;
        let follows = node
            .redis_file
            .follows
            .as_ref()
            .and_then(|address| scene.spec.at(address));
        let led = follows.is_some()
            && survey.leader().map(|(member, _)| member) == follows
            && follows
                .and_then(|primary| survey.redis(primary))
                .is_some_and(|redis| redis.primary);
        if node.redis.is_down() && led && scene.times(member, &act) == 0 {
            return Some(one(member, act));
        }
    }
    let changing = survey.members().any(|member| {
        survey
            .watching(member)
            .is_some_and(|(_, watch)| watch.unsettled())
    });
    let reached = survey.views.iter().all(|view| view.node().is_some());
    let limit = match (changing, reached) {
        (true, _) => scene.failover_time(),
        (false, true) => 30,
        (false, false) => 0,
    };
    Some(scene.wait(limit, why.clone(), || {
        refuse(
            blind.join("; "),
            "what cannot be seen is never taken for absent: bring it back; a node that is gone for good is forgotten by `hadeploy node forget`",
        )
    }))
}

/// Packages, folder, and the first primary.
fn ground(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let each = |act: Act, wants: &dyn Fn(usize) -> bool| {
        several(
            survey
                .members()
                .filter(|member| wants(*member))
                .map(|member| (member, act.clone()))
                .collect(),
        )
    };
    let is = |member: usize, test: fn(&super::observation::Node) -> bool| {
        survey.node(member).is_some_and(test)
    };
    if let Some(decision) = each(Act::Install, &|member| is(member, |node| !node.installed)) {
        return Some(decision);
    }
    if let Some(decision) = each(Act::OwnFolder, &|member| is(member, |node| !node.folder)) {
        return Some(decision);
    }
    match &survey.primary {
        Primary::Nobody => Some(one(0, Act::Prepare { follows: None })),
        Primary::Disputed(why) => Some(scene.wait(scene.failover_time(), why.clone(), || {
            refuse(
                why.clone(),
                "decide whose data counts: on the other members stop redis and rename /var/lib/redis/dump.rdb and appendonlydir, or `redis-cli REPLICAOF` them to it; then apply again",
            )
        })),
        Primary::Is(member, _) if survey.is_bare(*member) => Some(lost(scene, *member)),
        Primary::Is(..) => None,
    }
}

/// The primary of the sentinels holds nothing: the others must not become copies of that.
fn lost(scene: &Scene, primary: usize) -> Decision {
    let survey = &scene.survey;
    if survey.members().all(|member| survey.is_bare(member)) {
        return one(primary, Act::Prepare { follows: None });
    }
    let name = scene.name(primary);
    scene.wait(
        scene.failover_time(),
        format!("the sentinels to choose another primary, since {name} lost its data"),
        || {
            refuse(
                format!("{name} is primary for the sentinels and has no data, and they chose no other"),
                "other members still have data: on one of them run `redis-cli -p 26379 SENTINEL FAILOVER` with the cluster's name, then apply again",
            )
        },
    )
}
