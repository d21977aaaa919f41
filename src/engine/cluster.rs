//! A cluster brought to the wanted state: all members are asked at once, what they said decides the next moves, and so on until
//! nothing is left. What is safe is the cluster's own to decide; here it is only done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::member::{ask, perform, placed};
use super::promised::PromisedCluster;
use super::state::{Out, Run};
use super::verdict::UnitEnd;
use crate::change::{Action, Change, Content, Effect};
use crate::cluster::{Answer, Cluster, Made, Move, Next, Refusal, Sight};
use crate::event::{Event, Failure, Status};

/// The same move on the same member, made this often, does not help.
const AGAIN: usize = 3;

/// A cluster that has not come to rest by itself after this long never will.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// How long what a chain that broke had begun is waited for.
const UNDOING: Duration = Duration::from_secs(120);

/// What came of it.
pub(super) struct Driven {
    /// The end of each member that was changed, and of the one where a move failed.
    pub ends: HashMap<Arc<str>, UnitEnd>,
    /// Why it is not as wanted.
    pub failure: Option<Failure>,
    /// What `register` gets.
    pub result: serde_json::Map<String, serde_json::Value>,
}

/// Drives one cluster.
pub(super) struct Driver<'a> {
    /// The run.
    pub run: &'a Arc<Run>,
    /// The cluster.
    pub cluster: &'a dyn Cluster,
    /// Hosts of the play: on no other member anything is done.
    pub allowed: HashSet<Arc<str>>,
    /// What a saved plan lets it do.
    pub promised: Option<PromisedCluster>,
    /// Tells what is going on.
    pub say: &'a (dyn Fn(String) + Sync),
}

impl Driven {
    /// Nothing had to be done.
    pub(super) fn nothing() -> Driven {
        Driven {
            ends: HashMap::new(),
            failure: None,
            result: serde_json::Map::new(),
        }
    }

    /// Nothing was done.
    pub(super) fn refused(refusal: Refusal) -> Driven {
        Driven {
            ends: HashMap::new(),
            failure: Some(Failure::new(refusal.why).help(refusal.help)),
            result: serde_json::Map::new(),
        }
    }
}

impl Driver<'_> {
    /// Shown only, or done.
    pub(super) async fn go(&self, plan: bool) -> Driven {
        match plan {
            true => self.foresee().await,
            false => self.drive().await,
        }
    }

    /// Tells how the cluster is.
    pub(super) async fn tell(&self) -> Driven {
        let answers = self.look().await;
        let report = self.cluster.report(&answers);
        self.run.say(Event::Cluster(Box::new(report)));
        Driven {
            ends: HashMap::new(),
            failure: None,
            result: self.cluster.result(&answers),
        }
    }

    /// Where the cluster knew a host.
    pub(super) async fn known_at(&self, name: &str) -> Option<String> {
        self.cluster.known_at(name, &self.look().await)
    }

    /// What an apply would do, as far as it can be told.
    pub(super) async fn foresee(&self) -> Driven {
        let answers = self.look().await;
        let mut driven = Driven {
            ends: HashMap::new(),
            failure: None,
            result: self.cluster.result(&answers),
        };
        match self.foreseen(&answers) {
            Ok(ends) => {
                driven.ends = ends;
                driven
            }
            Err(refusal) => Driven::refused(refusal),
        }
    }

    /// The changes of the members, all together.
    fn foreseen(&self, answers: &[Answer]) -> Result<HashMap<Arc<str>, UnitEnd>, Refusal> {
        let mut ends = HashMap::new();
        for change in &self.cluster.path(answers)? {
            self.enter(&mut ends, change, 0);
        }
        Ok(ends)
    }

    /// Why it may not be moved from where it stands, by the saved plan that is applied.
    fn unlike_promised(&self, answers: &[Answer]) -> Option<Failure> {
        let promised = self.promised.as_ref()?;
        match self.foreseen(answers) {
            Ok(ends) => promised.unlike(&ends, &self.cluster.result(answers)),
            Err(refusal) => Some(Failure::new(refusal.why).help(refusal.help)),
        }
    }

    /// Moves until nothing is left.
    pub(super) async fn drive(&self) -> Driven {
        let mut made: Vec<Made> = Vec::new();
        let mut ends = HashMap::new();
        let mut since = Instant::now();
        let mut broken: Option<Failure> = None;
        let (failure, answers) = loop {
            let answers = self.look().await;
            let sight = Sight {
                answers: &answers,
                waited: since.elapsed(),
                made: &made,
                broken: broken.is_some(),
            };
            let next = self.cluster.next(&sight);
            let stopped = self.run.stop.is_cancelled() && broken.is_none();
            if !matches!(next, Next::Settled) && stopped {
                break (Some(Failure::new("stopped before it was done")), answers);
            }
            let moves = matches!(next, Next::Act(_) | Next::Chain(_));
            if moves
                && made.is_empty()
                && let Some(failure) = self.unlike_promised(&answers)
            {
                break (Some(failure), answers);
            }
            match next {
                Next::Refuse(_) if broken.is_some() => break (None, answers),
                Next::Wait { .. } if broken.is_some() && since.elapsed() > UNDOING => {
                    break (None, answers);
                }
                Next::Settled => break (None, answers),
                Next::Refuse(refusal) => {
                    break (Some(Failure::new(refusal.why).help(refusal.help)), answers);
                }
                Next::Wait { why, .. } if since.elapsed() > PATIENCE => {
                    let minutes = PATIENCE.as_secs() / 60;
                    let failure = Failure::new(format!("waited {minutes} minutes for {why}"));
                    break (Some(failure), answers);
                }
                Next::Wait { why, pause } => {
                    (self.say)(format!("waits for {why}"));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.run.stop.cancelled(), if broken.is_none() => {}
                    }
                }
                Next::Act(moves) => {
                    if let Some(failure) = self.in_vain(&moves, &made) {
                        break (Some(failure), answers);
                    }
                    let acted = self.act(&moves, b"", &mut made, &mut ends).await;
                    since = Instant::now();
                    if let Err(failure) = acted {
                        break (Some(failure), answers);
                    }
                }
                Next::Chain(stages) => {
                    let moves: Vec<&Move> = stages.iter().flatten().collect();
                    if let Some(failure) = self.in_vain(moves, &made) {
                        break (Some(failure), answers);
                    }
                    broken = self.chain(&stages, &mut made, &mut ends).await.err();
                    since = Instant::now();
                }
            }
        };
        Driven {
            ends,
            failure: broken.or(failure),
            result: self.cluster.result(&answers),
        }
    }

    /// Asks all members at once.
    async fn look(&self) -> Vec<Answer> {
        let mut asking = JoinSet::new();
        for (index, member) in self.cluster.members().iter().enumerate() {
            let (run, name) = (self.run.clone(), member.name.clone());
            let question = self.cluster.question(index);
            asking.spawn(async move { (index, ask(run, &name, &question).await) });
        }
        let silent = || Answer::Silent("the question came to no end".to_owned());
        let mut answers: Vec<Answer> = self.cluster.members().iter().map(|_| silent()).collect();
        while let Some(asked) = asking.join_next().await {
            if let Ok((index, answer)) = asked {
                answers[index] = answer;
            }
        }
        answers
    }

    /// Why these moves are not made.
    fn in_vain<'m>(
        &self,
        moves: impl IntoIterator<Item = &'m Move>,
        made: &[Made],
    ) -> Option<Failure> {
        moves.into_iter().find_map(|next| {
            let member = &self.cluster.members()[next.member];
            if !self.allowed.contains(&member.name) {
                return Some(
                    Failure::new(format!(
                        "{} has to change ({}), and is not among the hosts of this play",
                        member.name, next.step.title
                    ))
                    .help("a cluster is changed as a whole: run it again without `--limit`"),
                );
            }
            let host = self.run.hosts.get(&member.name)?;
            if host.out() != Out::Alive {
                return Some(Failure::new(format!(
                    "{} has to change ({}), and is out of this run: {}",
                    member.name,
                    next.step.title,
                    host.why_out()
                )));
            }
            let same =
                |earlier: &&Made| earlier.member == next.member && earlier.title == next.step.title;
            (made.iter().filter(same).count() >= AGAIN).then(|| {
                Failure::new(format!(
                    "{} was done {AGAIN} times on {}, and is to be done again",
                    next.step.title, member.name
                ))
                .help("the log of this run shows what each of them said")
            })
        })
    }

    /// Makes the stages one after the other, until one fails.
    async fn chain(
        &self,
        stages: &[Vec<Move>],
        made: &mut Vec<Made>,
        ends: &mut HashMap<Arc<str>, UnitEnd>,
    ) -> Result<(), Failure> {
        let mut said = Vec::new();
        for moves in stages {
            said = self.act(moves, &said, made, ends).await?;
        }
        Ok(())
    }

    /// Makes the moves at once, each on its own member; gives what they printed.
    async fn act(
        &self,
        moves: &[Move],
        heard: &[u8],
        made: &mut Vec<Made>,
        ends: &mut HashMap<Arc<str>, UnitEnd>,
    ) -> Result<Vec<u8>, Failure> {
        self.run.touch();
        let mut acting = JoinSet::new();
        for (index, next) in moves.iter().enumerate() {
            let member = &self.cluster.members()[next.member];
            (self.say)(format!("{}: {}", member.name, next.step.title));
            let Some(host) = self.run.hosts.get(&member.name).cloned() else {
                return Err(Failure::new(format!("{} is not in the run", member.name)));
            };
            let (run, mut placed) = (self.run.clone(), placed(next));
            if next.hears {
                let words = Content::Bytes(heard.to_vec().into());
                placed.step.inputs.push(words);
            }
            let began = Instant::now();
            acting.spawn(async move {
                let end = perform(&run, &host, &placed).await;
                (index, began.elapsed().as_millis() as u64, end)
            });
        }
        let mut failure = None;
        let mut said = Vec::new();
        while let Some(acted) = acting.join_next().await {
            let Ok((index, took, end)) = acted else {
                failure = Some(Failure::new("a bug in hadeploy stopped a move"));
                continue;
            };
            let next = &moves[index];
            made.push(Made {
                member: next.member,
                title: next.step.title.clone(),
            });
            match end {
                Ok(words) => {
                    said.extend(words);
                    self.enter(ends, next, took);
                }
                Err(failed) => {
                    let name = &self.cluster.members()[next.member].name;
                    let mut failed = *failed;
                    failed.message = format!("{name}: {}", failed.message);
                    let before = ends.remove(name).map(|end| end.changes);
                    let mut end = UnitEnd::failed(failed.clone());
                    end.changes = before.unwrap_or_default();
                    ends.insert(name.clone(), end);
                    failure = Some(failed);
                }
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(said),
        }
    }

    /// Adds a move to what changed on its member.
    fn enter(&self, ends: &mut HashMap<Arc<str>, UnitEnd>, made: &Move, took: u64) {
        let name = self.cluster.members()[made.member].name.clone();
        let end = ends
            .entry(name)
            .or_insert_with(|| UnitEnd::of(Status::Changed, Change::new(Action::Update)));
        end.changes.push(made.field.clone());
        end.duration_ms += took;
        if made.effect == Effect::None || end.effect == made.effect {
            return;
        }
        match end.effect {
            Effect::None => end.effect = made.effect.clone(),
            _ if end.also.contains(&made.effect) => {}
            _ => end.also.push(made.effect.clone()),
        }
    }
}
