//! PostgreSQL as a [`Cluster`]: answers in, moves out.

use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::accounts;
use super::act::Act;
use super::foresee::Foreseen;
use super::judge::decide;
use super::look::{Decision, Look, Wanted, WantedFile};
use super::node;
use super::observation::{Observation, Seen};
use super::picture::{Picture, State};
use super::probe;
use super::report;
use super::site::Site;
use super::spec::{Goal, Spec};
use crate::cluster::{self, Answer, Cluster, Made, Member, Move, Next, Refusal, Report, Sight};

/// More acts than any plan needs.
const LONGEST: usize = 300;

/// A PostgreSQL cluster as a task wants it.
#[derive(Debug)]
pub struct PostgresCluster {
    spec: Spec,
}

impl PostgresCluster {
    /// Of what is wanted.
    pub fn new(spec: Spec) -> PostgresCluster {
        PostgresCluster { spec }
    }

    /// Its members' names, for people.
    fn names(&self) -> String {
        let names: Vec<&str> = self.spec.members.iter().map(|it| &*it.name).collect();
        names.join(", ")
    }

    /// What was read of each member.
    pub fn seen(answers: &[Answer]) -> Vec<Seen> {
        answers
            .iter()
            .map(|answer| match answer {
                Answer::Silent(why) => Seen::Unknown(why.clone()),
                Answer::Said(text) => match Observation::parse(text) {
                    Ok(observation) => Seen::Known(Box::new(observation)),
                    Err(why) => Seen::Unknown(why),
                },
            })
            .collect()
    }

    /// What is wanted on each member, in the light of what was read.
    fn wanted(site: &Site, seen: &[Seen]) -> Vec<Wanted> {
        (0..seen.len())
            .map(|member| {
                let files = node::files(site, member)
                    .into_iter()
                    .map(|file| WantedFile {
                        sha256: accounts::hex(&Sha256::digest(&file.content)),
                        server: file.path.starts_with(&site.etc()),
                        path: file.path,
                        mode: file.mode,
                        owner: file.owner,
                        group: file.group,
                        reload: file.reload,
                    });
                let online = seen[member].known().and_then(|seen| seen.online.as_ref());
                let witness = site.spec.is_witness(member);
                // A standby has what its primary has, and may lag.
                let accounts = online.is_none_or(|online| {
                    online.recovery || accounts::right(site.spec, online, witness)
                });
                Wanted {
                    files: files.collect(),
                    settings: node::settings(site, member),
                    packages: node::packages(site.release),
                    accounts,
                }
            })
            .collect()
    }

    fn moves(site: &Site, acts: Vec<(usize, Act)>) -> Vec<Move> {
        acts.into_iter()
            .map(|(member, act)| Move {
                member,
                field: act.field(site.spec),
                effect: act.effect(site.release),
                step: node::step(site, member, &act),
                hears: act == Act::TakeOver,
            })
            .collect()
    }
}

impl Cluster for PostgresCluster {
    fn members(&self) -> &[Member] {
        &self.spec.members
    }

    fn question(&self, member: usize) -> String {
        probe::question(&self.spec, member)
    }

    fn next(&self, sight: &Sight) -> Next {
        let seen = PostgresCluster::seen(sight.answers);
        let site = Site::new(&self.spec, &seen);
        let wanted = PostgresCluster::wanted(&site, &seen);
        let look = Look {
            site: &site,
            wanted: &wanted,
            seen: &seen,
            waited: sight.waited,
            made: sight.made,
            broken: sight.broken,
        };
        match decide(&look) {
            Decision::Settled => Next::Settled,
            Decision::Act(acts) => Next::Act(PostgresCluster::moves(&site, acts)),
            Decision::Chain(stages) => {
                let stages = stages.into_iter();
                Next::Chain(
                    stages
                        .map(|acts| PostgresCluster::moves(&site, acts))
                        .collect(),
                )
            }
            Decision::Wait { why, pause } => Next::Wait { why, pause },
            Decision::Refuse(refusal) => Next::Refuse(refusal),
        }
    }

    fn path(&self, answers: &[Answer]) -> Result<Vec<Move>, Refusal> {
        let seen = PostgresCluster::seen(answers);
        let site = Site::new(&self.spec, &seen);
        let wanted = PostgresCluster::wanted(&site, &seen);
        let acts = foreseen(&site, wanted, seen)?;
        Ok(PostgresCluster::moves(&site, acts))
    }

    fn report(&self, answers: &[Answer]) -> Report {
        report::report(self, &self.spec, answers)
    }

    fn known_at(&self, name: &str, answers: &[Answer]) -> Option<String> {
        let seen = PostgresCluster::seen(answers);
        let online = seen.iter().filter_map(|seen| seen.known()?.online.as_ref());
        let mut rows = online.flat_map(|online| online.nodes.iter().flatten());
        let row = rows.find(|row| row.name == name)?;
        let mut words = row.conninfo.split_whitespace();
        words.find_map(|word| word.strip_prefix("host=").map(str::to_owned))
    }

    fn toward(&self, goal: &cluster::Goal) -> Result<Box<dyn Cluster>, Refusal> {
        let member = |name: &String| match self.spec.member(name) {
            Some(_) => Ok(name.clone()),
            None => Err(Refusal {
                why: format!("`{name}` is not a member of the PostgreSQL cluster"),
                help: format!("its members are {}", self.names()),
            }),
        };
        let goal = match goal {
            cluster::Goal::Look => Goal::Converge,
            cluster::Goal::Switchover(None) => Goal::Switchover { to: None },
            cluster::Goal::Switchover(Some(name)) => Goal::Switchover {
                to: Some(member(name)?),
            },
            cluster::Goal::Rejoin(name) => Goal::Rejoin {
                name: member(name)?,
            },
            cluster::Goal::Repair => Goal::Repair,
            cluster::Goal::Leave(name) => Goal::Leave {
                name: member(name)?,
            },
            cluster::Goal::Forget(lost) => {
                let left = self.spec.members.iter().filter(|it| *it.name != lost.name);
                lost.leaves(left.count())?;
                Goal::Forget(lost.clone())
            }
        };
        let spec = Spec {
            goal,
            ..self.spec.clone()
        };
        Ok(Box::new(PostgresCluster::new(spec)))
    }

    fn result(&self, answers: &[Answer]) -> Map<String, Value> {
        let seen = PostgresCluster::seen(answers);
        let site = Site::new(&self.spec, &seen);
        let look = Look {
            site: &site,
            wanted: &[],
            seen: &seen,
            waited: Duration::ZERO,
            made: &[],
            broken: false,
        };
        let picture = Picture::new(&look, None);
        let name = |member: usize| Value::from(self.spec.name(member));
        let standbys = picture.of(State::Streaming).into_iter().map(name);
        let primary = picture.primary.filter(|_| picture.rivals.is_empty());
        let states = picture.states.iter().enumerate();
        let states: Map<String, Value> = states
            .map(|(member, state)| (self.spec.name(member).to_owned(), state.word().into()))
            .collect();
        Map::from_iter([
            ("primary".to_owned(), primary.map_or(Value::Null, name)),
            ("standbys".to_owned(), standbys.collect()),
            (
                "condition".to_owned(),
                picture.condition(&look).word().into(),
            ),
            ("members".to_owned(), states.into()),
        ])
    }
}

/// The acts that an apply would do one after the other, if each succeeds.
///
/// # Errors
/// Why an apply would refuse at once.
pub fn foreseen(
    site: &Site,
    wanted: Vec<Wanted>,
    seen: Vec<Seen>,
) -> Result<Vec<(usize, Act)>, Refusal> {
    let mut made: Vec<Made> = Vec::new();
    let mut path = Vec::new();
    let mut foreseen = Foreseen { site, wanted, seen };
    while path.len() < LONGEST {
        let look = Look {
            site,
            wanted: &foreseen.wanted,
            seen: &foreseen.seen,
            waited: Duration::ZERO,
            made: &made,
            broken: false,
        };
        let acts = match decide(&look) {
            Decision::Act(acts) => acts,
            Decision::Chain(stages) => stages.into_iter().flatten().collect(),
            Decision::Refuse(refusal) if path.is_empty() => return Err(refusal),
            _ => break,
        };
        for (member, act) in acts {
            foreseen.apply(member, &act);
            made.push(Made {
                member,
                title: act.title(site.spec),
            });
            path.push((member, act));
        }
    }
    Ok(path)
}
