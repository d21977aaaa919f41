//! Redis as a cluster for the engine.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::act::Act;
use super::decide::Decision;
use super::foresee::foresee;
use super::node::step;
use super::observation::View;
use super::part::{Choice, choose};
use super::probe::{question, read};
use super::report::report;
use super::spec::{Goal, Spec};
use super::state::states;
use super::survey::Survey;
use crate::cluster::{
    Answer, Cluster, Goal as Asked, Lost, Made, Member, Move, Next, Refusal, Report, Sight,
};

/// A cluster of redis.
#[derive(Debug, Clone)]
pub struct Redis {
    spec: Spec,
}

/// So many moves a plan shows at most.
const LONGEST_PATH: usize = 200;

impl Redis {
    /// The cluster that is wanted.
    pub fn new(spec: Spec) -> Redis {
        Redis { spec }
    }

    fn views(&self, answers: &[Answer]) -> Vec<View> {
        answers
            .iter()
            .map(|answer| read(&self.spec, answer))
            .collect()
    }

    fn names(&self) -> Vec<&str> {
        self.spec
            .members
            .iter()
            .map(|member| &*member.name)
            .collect()
    }

    /// How a member, or a former one, is taken out for good.
    fn forget(&self, lost: &Lost) -> Result<Goal, Refusal> {
        let mut addresses: Vec<String> = lost.address.iter().cloned().collect();
        let Ok(member) = self.member(&lost.name) else {
            lost.leaves(self.spec.members.len())?;
            if let Some(member) = addresses.first().and_then(|it| self.spec.at(it)) {
                return Err(Refusal {
                    why: format!(
                        "{} is the address of {}, which is still a member",
                        addresses[0],
                        self.spec.name_of(member)
                    ),
                    help: format!("`hadeploy node forget {}`", self.spec.name_of(member)),
                });
            }
            if addresses.is_empty() {
                return Err(Refusal {
                    why: format!(
                        "`{}` is no member of this redis cluster, and where it was is not known",
                        lost.name
                    ),
                    help: "name the address it had: `--address ADDRESS`".to_owned(),
                });
            }
            return Ok(Goal::Forget { addresses });
        };
        lost.leaves(self.spec.members.len() - 1)?;
        addresses.push(self.spec.members[member].address.clone());
        addresses.dedup();
        Ok(Goal::Part {
            member,
            addresses,
            replaced: lost.replaced,
        })
    }

    fn member(&self, name: &str) -> Result<usize, Refusal> {
        let names = self.names();
        let place = names.iter().position(|member| *member == name);
        place.ok_or_else(|| Refusal {
            why: format!("`{name}` is no member of this redis cluster"),
            help: format!("its members are {}", names.join(", ")),
        })
    }
}

fn as_move(choice: &Choice, member: usize, act: &Act) -> Move {
    Move {
        member: choice.whole(member),
        field: act.field(&choice.spec),
        effect: act.effect(),
        step: step(&choice.spec, member, act),
        hears: false,
    }
}

impl Cluster for Redis {
    fn members(&self) -> &[Member] {
        &self.spec.members
    }

    fn question(&self, member: usize) -> String {
        question(&self.spec, member)
    }

    fn next(&self, sight: &Sight) -> Next {
        let views = self.views(sight.answers);
        let choice = choose(&self.spec, &views, sight.waited, sight.made);
        match &choice.decision {
            Decision::Settled => Next::Settled,
            Decision::Act(acts) => Next::Act(
                acts.iter()
                    .map(|(member, act)| as_move(&choice, *member, act))
                    .collect(),
            ),
            Decision::Wait { why, pause } => Next::Wait {
                why: why.clone(),
                pause: *pause,
            },
            Decision::Refuse(refusal) => Next::Refuse(refusal.clone()),
        }
    }

    fn path(&self, answers: &[Answer]) -> Result<Vec<Move>, Refusal> {
        let mut views = self.views(answers);
        let mut made = Vec::new();
        let mut moves = Vec::new();
        while moves.len() < LONGEST_PATH {
            let choice = choose(&self.spec, &views, Duration::ZERO, &made);
            match &choice.decision {
                Decision::Settled | Decision::Wait { .. } => break,
                Decision::Refuse(refusal) if moves.is_empty() => return Err(refusal.clone()),
                Decision::Refuse(_) => break,
                Decision::Act(acts) => {
                    for (member, act) in acts {
                        let gone = choice.without.map(|gone| (gone, views.remove(gone)));
                        foresee(&choice.spec, &mut views, *member, act);
                        if let Some((place, view)) = gone {
                            views.insert(place, view);
                        }
                        made.push(Made {
                            member: choice.whole(*member),
                            title: act.title(&choice.spec),
                        });
                        moves.push(as_move(&choice, *member, act));
                    }
                }
            }
        }
        Ok(moves)
    }

    fn result(&self, answers: &[Answer]) -> Map<String, Value> {
        let views = self.views(answers);
        let survey = Survey::new(&self.spec, &views);
        let primary = survey.leader().map(|(member, _)| member);
        let members: Vec<Value> = survey
            .members()
            .map(|member| {
                let redis = survey.redis(member);
                json!({
                    "name": self.spec.name_of(member),
                    "address": self.spec.members[member].address,
                    "role": match redis {
                        Some(redis) if redis.primary => "primary",
                        Some(_) => "replica",
                        None => "unknown",
                    },
                    "link": redis.is_some_and(|redis| redis.primary || redis.link),
                    "sentinel": survey.sentinel(member).is_some(),
                    "version": survey.node(member).map_or("", |node| &node.version),
                })
            })
            .collect();
        let findings: Vec<Value> = states(&self.spec, &views)
            .iter()
            .map(|finding| json!({"state": finding.state.code(), "text": finding.text}))
            .collect();
        let mut result = Map::new();
        result.insert(
            "primary".to_owned(),
            primary.map(|member| self.spec.name_of(member)).into(),
        );
        let address = primary.map(|member| self.spec.members[member].address.as_str());
        result.insert("primary_address".to_owned(), address.into());
        result.insert("members".to_owned(), members.into());
        result.insert("findings".to_owned(), findings.into());
        result
    }

    fn report(&self, answers: &[Answer]) -> Report {
        report(&self.spec, &self.views(answers))
    }

    fn toward(&self, goal: &Asked) -> Result<Box<dyn Cluster>, Refusal> {
        let mut spec = self.spec.clone();
        spec.goal = match goal {
            Asked::Look | Asked::Repair => Goal::Converge,
            Asked::Switchover(None) => Goal::Failover { to: None },
            Asked::Switchover(Some(name)) => Goal::Failover {
                to: Some(self.member(name)?),
            },
            Asked::Leave(name) => Goal::Leave {
                member: self.member(name)?,
            },
            Asked::Forget(lost) => self.forget(lost)?,
            Asked::Rejoin(_) => {
                return Err(Refusal {
                    why: "a redis comes back by itself".to_owned(),
                    help: "apply the playbook".to_owned(),
                });
            }
        };
        Ok(Box::new(Redis { spec }))
    }
}
