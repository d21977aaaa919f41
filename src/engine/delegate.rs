//! Units that another host acts for: its knowledge, its lease and its connection; the variables stay the original host's.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bind::Unit;
use super::connect;
use super::host::{Batch, Entry, HostRun, Turn};
use super::layout::What;
use super::native;
use super::state::{HostState, Out};
use super::verdict::UnitEnd;
use super::walk::{Step as Next, Walk};
use super::way_in;
use crate::change::{Change, Step, Touch};
use crate::event::{Failure, Status};
use crate::fact::{Answer, Known, Missing, Question};
use crate::node::{NodeError, OwedNote, PlacedStep, StepEnd};
use crate::playbook::Task;

/// The most waves of questions before something is wrong.
const WAVES: u32 = 8;

impl HostRun {
    /// A task that other hosts act for: its turn comes when all before it is done.
    pub(super) fn delegated(&mut self, index: usize, task: &Arc<Task>, walk: &mut Walk) -> Next {
        if !walk.clear || !walk.batch.entries.is_empty() {
            walk.clear = false;
            self.promise(task);
            return Next::On;
        }
        if let Some(step) = self.attempt_again(index, task) {
            return step;
        }
        let units = match self.bound(index, task) {
            Ok(units) => units,
            Err(stop) => return self.unbound(index, task, stop, walk),
        };
        if units.is_empty() {
            self.finish_task(index, task);
            return Next::On;
        }
        for number in self.slots[index].ends.len()..units.len() {
            let unit = &units[number];
            if unit.delegate.is_some() && unit.resource.is_some() {
                if !walk.clear || !walk.batch.entries.is_empty() {
                    walk.clear = false;
                    break;
                }
                return Next::Turn(match self.rests(index) {
                    Some(when) => Turn::Pause(when),
                    None => Turn::Delegate(index, number),
                });
            }
            if let Some(step) = self.unit(index, number, task, unit, walk) {
                return step;
            }
        }
        if !walk.clear {
            self.promise(task);
        }
        Next::On
    }

    /// Compares and acts on the other host. False when this host is out.
    pub(super) async fn act_there(&mut self, index: usize, number: usize) -> bool {
        let (What::Task(task) | What::Handler(_, task)) = self.items[index].what.clone() else {
            return true;
        };
        let units = self.slots[index].units.clone().unwrap_or_default();
        let Some(unit) = units.get(number).cloned() else {
            return true;
        };
        let Some(there) = unit.delegate.clone() else {
            return true;
        };
        self.working(format!("{} on {}", task.label, there.name));
        let plan = !self.run.settings.mode.may_change();
        let mut known = match self.elsewhere.remove(&there.name) {
            Some(known) if plan => known,
            _ => Known::new(self.known.wants_diff),
        };
        let compared = self.compare_there(index, &task, &unit, &there, &mut known);
        let change = match compared.await {
            Ok(change) => change,
            Err(end) => {
                // Nobody was there to be asked once more.
                self.finish_unit(index, &task, *end);
                return self.host.out() == Out::Alive;
            }
        };
        if let Some(obstacle) = change.obstacle.clone() {
            let end = match &self.uncertain {
                Some(after) if plan && obstacle.may_vanish => UnitEnd::unknown(after),
                _ => {
                    let mut failure = Failure::new(obstacle.message);
                    failure.help = obstacle.help;
                    UnitEnd::failed(failure)
                }
            };
            self.conclude(index, number, &task, end);
        } else if change.steps.is_empty() {
            self.conclude(index, number, &task, UnitEnd::of(Status::Ok, change));
        } else if plan && !unit.reads {
            let end = foreseen(&task, change, &mut known);
            self.elsewhere.insert(there.name.clone(), known);
            self.conclude(index, number, &task, end);
        } else if let Some(failure) = self.unpromised(index, number, &unit, &change) {
            self.host.take_out(Out::Failed);
            self.conclude(index, number, &task, UnitEnd::failed(failure));
        } else {
            return self
                .write_there(index, number, &task, &unit, &there, change, known)
                .await;
        }
        self.host.out() == Out::Alive
    }

    async fn compare_there(
        &mut self,
        index: usize,
        task: &Task,
        unit: &Unit,
        there: &Arc<HostState>,
        known: &mut Known,
    ) -> Result<Change, Box<UnitEnd>> {
        let Some(resource) = &unit.resource else {
            return Ok(Change::none(String::new()));
        };
        for _ in 0..WAVES {
            let diff = resource.diff(known).and_then(|change| {
                way_in::guarded(change, known, way_in::Login::of(there), task.action.name())
            });
            let missing = match diff {
                Ok(change) => return Ok(change),
                Err(missing) => missing,
            };
            let answers = self.ask_there(index, task, there, &missing).await?;
            for (question, answer) in &answers {
                if let (Question::Facts, Answer::Facts(facts)) = (question, answer) {
                    let whose = if unit.facts_there { there } else { &self.host };
                    whose.vars().facts = Some(native(facts.as_ref()));
                }
            }
            known.learn(answers);
        }
        let failure = Failure::new("its questions do not come to an end");
        Err(Box::new(UnitEnd::failed(failure)))
    }

    async fn ask_there(
        &self,
        index: usize,
        task: &Task,
        there: &Arc<HostState>,
        missing: &Missing,
    ) -> Result<Vec<(Question, Answer)>, Box<UnitEnd>> {
        let lost = |error: Option<&NodeError>| {
            let mut words = format!(
                "`{}`, which acts for this host, cannot be reached",
                there.name
            );
            words.extend(error.map(|error| format!(": {error}")));
            let mut failure = Failure::new(words);
            failure.help = error.and_then(NodeError::help);
            Box::new(UnitEnd::unreachable(failure))
        };
        let passes = self.passes_over_delegate(index, task);
        let mut place = there.node.lock().await;
        let Some(node) = place.as_mut() else {
            if there.out() == Out::Unreachable {
                return Err(lost(None));
            }
            if !passes {
                let first = connect::first_script(&self.run, there, missing).await;
                let (node, answers) = first.map_err(|()| lost(None))?;
                *place = Some(node);
                return Ok(answers);
            }
            // The next task that needs it tries again.
            let first = connect::try_first_script(&self.run, there, missing).await;
            let (node, answers) = first.map_err(|error| {
                there.missed.store(true, Ordering::Relaxed);
                self.run.gate.settle(&there.name);
                lost(error.as_ref())
            })?;
            *place = Some(node);
            return Ok(answers);
        };
        let before = node.round_trips;
        let answers = node.ask("", missing).await;
        there.tally().round_trips += node.round_trips - before;
        match answers {
            Ok((_, answers)) => Ok(answers),
            Err(error) if passes && error.is_unreachable() => {
                there.missed.store(true, Ordering::Relaxed);
                *place = None;
                Err(lost(Some(&error)))
            }
            Err(error) => {
                connect::unreachable(&self.run, there, &error);
                Err(lost(None))
            }
        }
    }

    /// Who acts for this host is out of reach, and so is this one, unless the task passes over that. No rescue follows, as in Ansible.
    pub(super) fn lose_with_delegate(&self, index: usize, task: &Task, ends: &[UnitEnd]) {
        let lost = ends.iter().find(|end| end.status == Status::Unreachable);
        if let Some(end) = lost
            && task.delegate.is_some()
            && self.host.out() == Out::Alive
            && !self.passes_over_delegate(index, task)
        {
            self.host.because(end.msg.clone());
            self.host.take_out(Out::Unreachable);
        }
    }

    #[allow(clippy::too_many_arguments)]
    async fn write_there(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        unit: &Unit,
        there: &Arc<HostState>,
        change: Change,
        mut known: Known,
    ) -> bool {
        let place = self.items[index].place.item(number);
        self.progress.reach(&self.host.name, &place);
        if !self.be_there().await {
            return false;
        }
        while !self.progress.all_at(&self.host.name, &place) {
            if self.run.stop.is_cancelled() || self.must_stop() {
                return true;
            }
            self.wait(&place).await;
        }
        if self.must_stop() || !self.take_turn(index, task, unit).await {
            return true;
        }
        let plan = !self.run.settings.mode.may_change();
        if !plan && !self.may_write().await {
            return false;
        }
        // What asks nothing comes here without a connection.
        let absent = there.node.lock().await.is_none();
        if absent {
            let nothing = Missing::default();
            let asked = self.ask_there(index, task, there, &nothing);
            if let Err(end) = asked.await {
                self.finish_unit(index, task, *end);
                return self.host.out() == Out::Alive;
            }
        }
        let mut batch = Batch::default();
        let judged = task.changed_when.len() + task.failed_when.len() > 0
            || unit.ignore
            || unit.retry.is_some();
        let steps = change.steps.len();
        self.place_steps(index, task, unit, &change, judged, &mut batch.steps);
        // The notes of handlers belong to the host whose handlers they are.
        let mut notes = Vec::new();
        for step in &mut batch.steps {
            notes.append(&mut step.owes);
        }
        let owed = !notes.is_empty();
        if owed && let Err(failure) = self.owe(notes).await {
            self.conclude(index, number, task, UnitEnd::failed(failure));
            return self.host.out() == Out::Alive;
        }
        batch.entries.push(Entry {
            item: index,
            unit: number,
            change,
            steps,
        });
        let turn = match plan {
            true => None,
            false => there.turn().await,
        };
        let began = Instant::now();
        let mut node = there.node.lock().await;
        let Some(node) = node.as_mut() else {
            return true;
        };
        let (trips, streams) = (node.round_trips, node.streams);
        let answer = match plan {
            true => node.run_reading(&batch.steps, &Missing::default()).await,
            false => {
                self.run.touch();
                way_in::run_steps(&self.run, there, node, &batch.steps, &Missing::default()).await
            }
        };
        let mut tally = there.tally();
        tally.round_trips += node.round_trips - trips;
        tally.streams += node.streams - streams;
        drop(tally);
        there.stale.store(true, Ordering::Relaxed);
        there.wrote(&self.run);
        drop(turn);
        let took = began.elapsed().as_millis() as u64;
        match answer {
            Ok((end, _)) => {
                // What the steps leave is known of the other machine, not of this one.
                std::mem::swap(&mut self.known, &mut known);
                self.settle(batch, end.steps, took);
                std::mem::swap(&mut self.known, &mut known);
                if owed {
                    self.unowe(index, task);
                }
            }
            Err(error) => {
                let mut failure = Failure::new(format!("on {}: {error}", there.name));
                failure.help = error.help();
                let end = match error.is_unreachable() {
                    true => {
                        connect::unreachable(&self.run, there, &error);
                        UnitEnd::unreachable(failure)
                    }
                    false => UnitEnd::failed(failure),
                };
                self.finish_unit(index, task, end);
            }
        }
        self.host.out() == Out::Alive
    }

    /// Writes notes of owed handlers to this host, before another one makes the change that raises them.
    async fn owe(&self, owes: Vec<OwedNote>) -> Result<(), Failure> {
        let mut place = self.host.node.lock().await;
        let Some(node) = place.as_mut() else {
            return Err(Failure::new("this host is not connected"));
        };
        let note = PlacedStep {
            step: Step::new("note the owed handlers", ":"),
            user: None,
            owes,
            pays: Vec::new(),
            stops: true,
        };
        let before = node.round_trips;
        let answer = node.run_steps(&[note], &Missing::default()).await;
        self.host.tally().round_trips += node.round_trips - before;
        drop(place);
        let (end, _) = answer.map_err(|error| {
            connect::unreachable(&self.run, &self.host, &error);
            Failure::new(error.to_string())
        })?;
        match &end.steps[..] {
            [StepEnd::Ran { rc: 0, .. }] => Ok(()),
            _ => Err(
                Failure::new("the handlers that this change owes could not be noted")
                    .help("see whether /var/lib/hadeploy on this host can be written"),
            ),
        }
    }

    /// Whether another one acted here since what is known of this host was read.
    pub(super) fn is_stale(&self) -> bool {
        self.host.stale.load(Ordering::Relaxed)
    }

    /// Forgets what is known of this host when another one acted here.
    pub(super) fn forget_if_stale(&mut self) {
        if self.host.stale.swap(false, Ordering::Relaxed) {
            self.known.touch(&Touch::Everything);
        }
    }
}

/// In a plan: what the steps would leave on the other host.
fn foreseen(task: &Task, change: Change, known: &mut Known) -> UnitEnd {
    for step in &change.steps {
        for touch in step.touches.iter().filter(|it| **it != Touch::Everything) {
            known.touch(touch);
        }
        known.learn(step.predicts.iter().cloned());
    }
    let runs =
        change.steps.iter().any(|step| step.act) && super::verdict::is_command(task.action.name());
    let mut end = UnitEnd::of(Status::Changed, change);
    if runs {
        end.status = Status::Unknown;
        end.msg = "would run".to_owned();
    }
    end
}
