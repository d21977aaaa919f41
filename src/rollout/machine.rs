//! The machine: what is done next, given how everything before it ended.

mod back;

use super::order::order;
use super::{Act, Member, OnFailure, Outcome, Report, Seen, State, Verdict};

/// How often attaching a healthy node is tried.
const ATTACHES: u32 = 3;

/// How a rolling update goes on.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Nodes worked on at once; at least 1.
    pub batch: usize,
    /// Nodes that may be out at once, those included that were out before; at least 1.
    pub max_unavailable: usize,
    /// What to do when a node turns out bad.
    pub on_failure: OnFailure,
    /// Whether each node is watched after it is attached.
    pub soak: bool,
}

/// What the machine wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// See how every node stands, then [`Rollout::looked`].
    Look,
    /// Do this with each of these members (by index) at once, and [`Rollout::report`] each.
    Do(Vec<(usize, Act)>),
    /// Nothing more.
    End(Verdict),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    /// A node turned out bad.
    Bad(String),
    /// The rest of the fleet cannot spare a node any more.
    Thin(String),
    /// The user said so.
    Interrupted,
}

/// A rolling update on its way.
#[derive(Debug)]
pub struct Rollout {
    policy: Policy,
    /// Its nodes.
    pub members: Vec<Member>,
    batch: Vec<usize>,
    stop: Option<Stop>,
    begun: bool,
    canary_done: bool,
    /// What is to be rolled back, first one first; none while it goes forward.
    back: Option<Vec<usize>>,
    back_failed: Option<String>,
    interrupted: bool,
    /// The last look is still true.
    fresh: bool,
}

impl Rollout {
    /// Ready to begin.
    pub fn new(policy: Policy, members: Vec<Member>) -> Rollout {
        Rollout {
            policy,
            members,
            batch: Vec::new(),
            stop: None,
            begun: false,
            canary_done: false,
            back: None,
            back_failed: None,
            interrupted: false,
            // What was done before the first drain may have taken long.
            fresh: false,
        }
    }

    /// The user wants it to stop: nothing new is begun; a node on its way is brought back to service.
    pub fn interrupt(&mut self) {
        self.stop.get_or_insert(Stop::Interrupted);
        self.interrupted = true;
    }

    /// A node outside the batch no longer serves.
    pub fn missing(&mut self, index: usize, seen: &Seen) {
        if self.batch.contains(&index) {
            return;
        }
        let why = self.note(index, seen);
        if let Some(why) = why {
            self.stop.get_or_insert(Stop::Thin(why));
        }
    }

    /// What a look found, one for each member. Those of the batch are left as they are.
    pub fn looked(&mut self, seen: &[Seen]) {
        for (index, seen) in seen.iter().enumerate() {
            if !self.batch.contains(&index) {
                self.note(index, seen);
            }
        }
        self.fresh = true;
    }

    /// The fleet could not be looked at. Nothing is known of any node then, so none is taken out, not even one that seemed to be out.
    pub fn blind(&mut self, why: &str) {
        let why = format!("it cannot be seen how the nodes stand: {why}");
        if self.back.is_some() {
            self.back_failed.get_or_insert(why);
        } else {
            self.stop.get_or_insert(Stop::Thin(why));
        }
    }

    /// Takes over what was seen of a member; says what is wrong when it stopped to serve.
    fn note(&mut self, index: usize, seen: &Seen) -> Option<String> {
        let member = &mut self.members[index];
        let served = member.state.serves();
        match seen {
            Seen::InService => {
                if !served {
                    member.state = if member.updated {
                        State::Attached
                    } else {
                        State::InService
                    };
                    member.trouble = None;
                }
                return None;
            }
            Seen::Out(why) => {
                member.state = State::Out;
                member.trouble = Some(why.clone());
            }
            Seen::Lost(why) => {
                member.state = State::Lost;
                member.trouble = Some(why.clone());
            }
        }
        let why = member.trouble.clone().unwrap_or_default();
        served.then(|| format!("{} no longer serves: {why}", self.members[index].name))
    }

    /// How an act ended.
    pub fn report(&mut self, index: usize, act: Act, report: Report) {
        // Who was not let go was not touched.
        self.begun |= act != Act::Leave || report == Report::Done;
        if matches!(act, Act::Leave | Act::Gather) {
            for member in &mut self.members {
                member.left = false;
            }
        }
        let mut thin = None;
        let hold = !self.canary_done;
        let stopping = self.stop.is_some() && self.back.is_none();
        let restoring = self.back.is_some();
        let member = &mut self.members[index];
        let name = member.name.clone();
        member.todo = None;
        let mut bad = None;
        match (act, report) {
            (_, Report::Lost(why)) => {
                member.state = State::Lost;
                member.updated |= matches!(act, Act::Update | Act::Restore);
                bad = Some(format!("{name} was lost: {why}"));
                member.trouble = Some(why);
            }
            (Act::Leave, Report::Done) => member.left = true,
            (Act::Leave, Report::Failed(why)) => {
                thin = Some(format!("{name} cannot be taken out: {why}"));
            }
            (Act::Drain, Report::Done) => {
                member.state = State::Drained;
                if member.bad {
                    member.state = State::Out;
                } else if stopping {
                    member.todo = Some(Act::Check { hold: false });
                } else if restoring {
                    member.todo = Some(Act::Restore);
                } else {
                    member.todo = Some(Act::Update);
                }
            }
            (Act::Drain, Report::Failed(why)) => {
                member.state = State::Draining;
                bad = Some(format!("{name} could not be drained: {why}"));
                if member.bad {
                    // Whether it still gets traffic is not known.
                    member.state = State::Out;
                } else {
                    member.todo = Some(Act::Check { hold: false });
                }
                member.trouble = Some(why);
            }
            (Act::Update | Act::Restore, report) => {
                member.updated = true;
                member.todo = Some(Act::Check { hold });
                if let Report::Failed(why) = report {
                    member.todo = Some(Act::Check { hold: false });
                    bad = Some(format!("{name}: {why}"));
                    member.trouble = Some(why);
                } else if act == Act::Restore {
                    member.restored = true;
                    member.trouble = None;
                }
            }
            (Act::Check { .. }, Report::Done) => member.todo = Some(Act::Attach),
            (Act::Check { .. }, Report::Failed(why)) => {
                member.state = State::Out;
                bad = Some(format!("{name} is not healthy: {why}"));
                let earlier = member.trouble.take();
                member.trouble = Some(match earlier {
                    Some(earlier) => format!("{earlier}; not healthy: {why}"),
                    None => format!("not healthy: {why}"),
                });
            }
            (Act::Attach, Report::Done) => {
                let done = member.updated && !stopping;
                member.state = if member.updated {
                    State::Attached
                } else {
                    State::InService
                };
                member.attempts = 0;
                self.canary_done |= done;
                if member.updated && member.leaves && !restoring {
                    member.todo = Some(Act::Gather);
                } else if done && self.policy.soak && !restoring {
                    member.todo = Some(Act::Soak);
                }
            }
            (Act::Gather, Report::Done) => {
                if self.policy.soak && !stopping {
                    member.todo = Some(Act::Soak);
                }
            }
            (Act::Gather, Report::Failed(why)) => {
                thin = Some(format!("after {name}, {why}"));
            }
            (Act::Attach, Report::Failed(why)) => {
                member.attempts += 1;
                if member.attempts < ATTACHES {
                    member.todo = Some(Act::Attach);
                } else {
                    member.attempts = 0;
                    member.state = State::Out;
                    bad = Some(format!(
                        "{name} is healthy and could not be attached: {why}"
                    ));
                    member.trouble = Some(format!("healthy, and could not be attached: {why}"));
                }
            }
            (Act::Soak, Report::Done) => {}
            (Act::Soak, Report::Failed(why)) => {
                bad = Some(format!("{name} went bad under traffic: {why}"));
                member.trouble = Some(why);
                member.bad = true;
                member.todo = Some(Act::Drain);
            }
        }
        if member.todo.is_none() {
            member.over |= act != Act::Leave;
            self.batch.retain(|&other| other != index);
        }
        if let Some(why) = thin {
            self.stop.get_or_insert(Stop::Thin(why));
        }
        if let Some(why) = bad {
            if restoring {
                self.back_failed.get_or_insert(why);
            } else {
                self.stop.get_or_insert(Stop::Bad(why));
            }
        }
        self.fresh = false;
    }

    /// What is to be done now.
    pub fn go_on(&mut self) -> Next {
        if let Some(now) = self
            .batch
            .iter()
            .filter_map(|&index| self.members[index].todo)
            .min()
        {
            let acts: Vec<(usize, Act)> = self
                .batch
                .iter()
                .filter(|&&index| self.members[index].todo == Some(now))
                .map(|&index| (index, now))
                .collect();
            for &(index, act) in &acts {
                self.begin(index, act);
            }
            return Next::Do(acts);
        }
        match self.stop.clone() {
            None => self.pick(),
            Some(Stop::Bad(why)) if self.policy.on_failure == OnFailure::Rollback => {
                self.pick_back(why)
            }
            Some(Stop::Bad(why) | Stop::Thin(why)) => {
                let outcome = if self.begun {
                    Outcome::Stopped(why)
                } else {
                    Outcome::Refused(why)
                };
                self.end(outcome)
            }
            Some(Stop::Interrupted) => self.end(Outcome::Interrupted),
        }
    }

    fn begin(&mut self, index: usize, act: Act) {
        let member = &mut self.members[index];
        match act {
            Act::Drain => member.state = State::Draining,
            Act::Update | Act::Restore => member.state = State::Updating,
            Act::Check { .. } => member.state = State::Checking,
            Act::Leave | Act::Attach | Act::Gather | Act::Soak => {}
        }
    }

    /// What is done first with a node whose turn it is.
    fn first(&self, index: usize) -> Act {
        let member = &self.members[index];
        match member.leaves && !member.left && self.back.is_none() {
            true => Act::Leave,
            false => Act::Drain,
        }
    }

    fn end(&self, outcome: Outcome) -> Next {
        Next::End(Verdict::of(outcome, &self.members))
    }

    /// The next batch going forward.
    fn pick(&mut self) -> Next {
        let open: Vec<usize> = order(&self.members)
            .into_iter()
            .filter(|&index| {
                let member = &self.members[index];
                let left = member.state == State::Out;
                !member.over && member.state != State::Lost && (member.pending || left)
            })
            .collect();
        if open.is_empty() {
            return match self.absent() {
                Some(lost) => self.end(Outcome::Stopped(lost)),
                None => self.end(Outcome::Done),
            };
        }
        self.take(&open, self.batch_size())
    }

    /// The canary goes alone.
    fn batch_size(&self) -> usize {
        if self.canary_done {
            self.policy.batch.max(1)
        } else {
            1
        }
    }

    /// The first of `open` become the batch: nodes that are out already, or as many of those in service as may be taken out.
    fn take(&mut self, open: &[usize], size: usize) -> Next {
        let restoring = self.back.is_some();
        let first = open[0];
        if self.members[first].state == State::Out {
            let act = self.first(first);
            let member = &mut self.members[first];
            // Whoever is out already is drained all the same: half a drain, or a flag set by hand, is completed.
            member.todo = Some(act);
            if restoring {
                member.over = false;
                // It went bad under traffic, and is mended now.
                member.bad = false;
            }
            self.batch = vec![first];
            return self.go_on();
        }
        if !self.fresh {
            return Next::Look;
        }
        let out = self
            .members
            .iter()
            .filter(|member| !member.state.serves())
            .count();
        let room = self.policy.max_unavailable.max(1).saturating_sub(out);
        if room == 0 {
            let why = self
                .absent()
                .unwrap_or_else(|| "no node may be taken out".to_owned());
            let why = format!(
                "no further node may be taken out ({} of at most {} are out): {why}",
                out, self.policy.max_unavailable
            );
            if restoring {
                self.back_failed.get_or_insert(why);
                self.back = Some(Vec::new());
            } else {
                self.stop = Some(Stop::Thin(why));
            }
            return self.go_on();
        }
        let alone = self.members[first].leaves;
        self.batch = open
            .iter()
            .copied()
            .filter(|&index| self.members[index].state.serves())
            // Clusters can do without one member at a time.
            .filter(|&index| index == first || !self.members[index].leaves && !alone)
            .take(size.min(room))
            .collect();
        for index in self.batch.clone() {
            let act = self.first(index);
            let member = &mut self.members[index];
            member.todo = Some(act);
            member.over = false;
            member.bad = false;
        }
        self.go_on()
    }

    /// Who does not serve, and why.
    fn absent(&self) -> Option<String> {
        let absent: Vec<String> = self
            .members
            .iter()
            .filter(|member| !member.state.serves())
            .map(|member| match &member.trouble {
                Some(trouble) => format!("{} ({trouble})", member.name),
                None => member.name.to_string(),
            })
            .collect();
        (!absent.is_empty()).then(|| absent.join(", "))
    }
}
