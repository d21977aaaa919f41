//! The primary is stopped in order: for another one to take over, or to start it again where it stands.
//!
//! While clients wait, nobody looks: from the pause of the poolers to its end the acts follow each other directly, and the standby that takes
//! over hears from the former primary how far it went. A run that ended half-way is finished or undone by the next one, which finds by itself
//! how far it has come: repmgrd paused, poolers paused, the primary stopped, another one promoted. So is a chain that broke, by the same run.

use super::act::Act;
use super::judge::{Judge, LAG};
use super::look::Decision;
use super::picture::State;
use super::present::all;
use super::spec::Goal;

impl Judge<'_> {
    /// What was ordered, or what settings wait for, once everything else is as wanted.
    pub fn planned(&mut self, primary: usize) -> Option<Decision> {
        let look = self.look;
        if look.broken {
            return None;
        }
        let target = match self.goal() {
            Goal::Switchover { to: Some(name) } => {
                let target = look.site.spec.member(name);
                if target == Some(primary) {
                    return None;
                }
                target
            }
            Goal::Switchover { to: None }
                if look.made_anywhere(&Act::TakeOver) || look.made_anywhere(&Act::Promote) =>
            {
                return None;
            }
            Goal::Switchover { to: None } => self.successor(primary),
            Goal::Leave { name } => {
                let leaving = look.site.spec.member(name)?;
                if let Some(decision) = self.without(leaving, primary) {
                    return Some(decision);
                }
                if leaving != primary {
                    return None;
                }
                self.successor(primary)
            }
            Goal::Converge | Goal::Repair => {
                if look.online(primary)?.pending_restart.is_empty() {
                    return None;
                }
                if look.site.spec.data() == 1 {
                    return Some(self.restart_in_place(primary));
                }
                self.successor(primary)
            }
            _ => return None,
        };
        let Some(target) = target else {
            return Some(Decision::refuse(
                format!("no standby can take over from {}", look.name(primary)),
                "bring a standby up, and wait until it has caught up",
            ));
        };
        if look.made(primary, &Act::StopPrimary) > 0 {
            return Some(Decision::refuse(
                format!(
                    "{} could not take over, and {} was started again",
                    look.name(target),
                    look.name(primary)
                ),
                format!("look at /var/log/postgresql on {}", look.name(target)),
            ));
        }
        if let Some(wait) = self.unfit(target, primary) {
            return Some(wait);
        }
        Some(self.unjudged().unwrap_or_else(|| {
            let mut turns: Vec<(usize, Act)> = self
                .picture
                .of(State::Streaming)
                .into_iter()
                .filter(|member| *member != target)
                .map(|member| (member, Act::Turn { to: target }))
                .collect();
            turns.insert(0, (target, Act::TakeOver));
            self.while_clients_wait(
                vec![(primary, Act::Checkpoint), (target, Act::MakeReady)],
                vec![vec![(primary, Act::StopPrimary)], turns],
            )
        }))
    }

    /// Restarts the primary without a change of roles.
    pub fn restart_in_place(&self, primary: usize) -> Decision {
        self.unjudged().unwrap_or_else(|| {
            self.while_clients_wait(
                vec![(primary, Act::Checkpoint)],
                vec![vec![(primary, Act::RestartPrimary)]],
            )
        })
    }

    /// Before the primary is stopped, nobody judges it any more.
    fn unjudged(&self) -> Option<Decision> {
        let judging = self.look.judging();
        (!judging.is_empty()).then(|| all(judging, &Act::Pause))
    }

    /// What comes first, so that little is left to be done; then clients are held back for what is done meanwhile.
    fn while_clients_wait(
        &self,
        first: Vec<(usize, Act)>,
        meanwhile: Vec<Vec<(usize, Act)>>,
    ) -> Decision {
        let of = |members: Vec<usize>, act: &Act| -> Vec<(usize, Act)> {
            let acts = members.into_iter().map(|member| (member, act.clone()));
            acts.collect()
        };
        let (paused, running) = (self.look.poolers(true), self.look.poolers(false));
        let all = [paused, running.clone()].concat();
        let mut stages = vec![first, of(running, &Act::PausePooler)];
        stages.extend(meanwhile);
        stages.push(of(all, &Act::ResumePooler));
        stages.retain(|stage| !stage.is_empty());
        Decision::Chain(stages)
    }

    /// Who takes over when nobody is named: the streaming standby that lies least behind, of equals the first.
    fn successor(&self, primary: usize) -> Option<usize> {
        let standbys = self.picture.of(State::Streaming);
        standbys
            .into_iter()
            .min_by_key(|member| (self.lag(*member, primary) > LAG, *member))
    }

    pub fn lag(&self, member: usize, primary: usize) -> u64 {
        let look = self.look;
        let place = |member| look.online(member).map_or(0, |online| online.receive);
        let name = look.name(member);
        look.online(primary)
            .and_then(|online| online.senders.iter().find(|sender| sender.name == name))
            .map_or_else(
                || place(primary).saturating_sub(place(member)),
                |sender| sender.lag,
            )
    }

    /// Why a standby cannot take over now.
    fn unfit(&self, target: usize, primary: usize) -> Option<Decision> {
        let look = self.look;
        let name = look.name(target);
        let state = self.state(target);
        if state != State::Streaming || look.online(target).is_some_and(|online| online.paused) {
            return Some(Decision::refuse(
                format!("{name} cannot take over: it is a {}", state.word()),
                "apply first, so that every member is as it should be",
            ));
        }
        (self.lag(target, primary) > LAG).then(|| match look.waited < super::judge::CATCH_UP {
            true => Decision::wait(format!("{name} to catch up")),
            false => Decision::refuse(
                format!("{name} does not catch up with {}", look.name(primary)),
                "name another standby, or look at its disk and its network",
            ),
        })
    }
}
