//! The scripts of one host: connecting, asking, running steps, and what their results mean for the tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bind::Unit;
use super::connect;
use super::failed::{failed_step, never_began};
use super::host::{Batch, Entry, HostRun};
use super::layout::What;
use super::native;
use super::state::Out;
use super::verdict::{UnitEnd, is_command};
use super::way_in;
use crate::change::{ActOutput, Change, Touch};
use crate::event::{Event, Failure, Status};
use crate::fact::{Answer, Missing, Question};
use crate::node::{Listener, NodeError, PlacedStep, StepEnd};
use crate::playbook::Task;

/// A unit whose ground has moved this often is given up.
const MOVES: u32 = 3;

impl HostRun {
    /// Runs what a walk collected. False when the host is out.
    pub(super) async fn script(&mut self, batch: Batch, missing: Missing) -> bool {
        if batch.entries.is_empty() && missing.is_empty() {
            return true;
        }
        let run = self.run.clone();
        let host = self.host.clone();
        let mut place = host.node.lock().await;
        if place.is_none() {
            return match connect::try_first_script(&run, &host, &missing).await {
                Ok((node, answers)) => {
                    *place = Some(node);
                    drop(place);
                    self.learn(answers);
                    self.take_owed();
                    true
                }
                Err(error) => error.is_some_and(|error| self.out_of_reach(&error)),
            };
        }
        let Some(node) = place.as_mut() else {
            return false;
        };
        if batch.steps.is_empty() {
            let before = node.round_trips;
            let answers = node.ask("", &missing).await;
            host.tally().round_trips += node.round_trips - before;
            return match answers {
                Ok((_, answers)) => {
                    drop(place);
                    self.learn(answers);
                    true
                }
                Err(error) => {
                    drop(place);
                    self.out_of_reach(&error)
                }
            };
        }
        drop(place);
        if run.settings.mode.may_change() && !self.may_write().await {
            return false;
        }
        self.act(batch, missing).await
    }

    /// Takes the lease before this host waits for others: they write only when all leases are held. False when the host is out.
    pub(super) async fn be_there(&mut self) -> bool {
        if !self.run.settings.mode.may_change() {
            return true;
        }
        let (run, host) = (self.run.clone(), self.host.clone());
        let mut place = host.node.lock().await;
        if place.is_some() {
            return true;
        }
        let (node, answers) =
            match connect::try_first_script(&run, &host, &Missing::default()).await {
                Ok(first) => first,
                Err(error) => return error.is_some_and(|error| self.out_of_reach(&error)),
            };
        *place = Some(node);
        drop(place);
        self.learn(answers);
        self.take_owed();
        true
    }

    /// Waits until all leases are held.
    pub(super) async fn may_write(&mut self) -> bool {
        if !self.run.gate.is_decided() {
            self.working("waiting for the leases of all hosts".to_owned());
            let run = self.run.clone();
            let open = self.idle(async move { run.gate.pass().await }).await;
            // Told to stop meanwhile: nothing new is begun.
            return open && !self.run.stop.is_cancelled();
        }
        self.run.gate.pass().await
    }

    fn learn(&mut self, answers: Vec<(Question, Answer)>) {
        for (question, answer) in &answers {
            if let (Question::Facts, Answer::Facts(facts)) = (question, answer) {
                let native = native(facts.as_ref());
                self.host.vars().facts = Some(native);
            }
        }
        self.known.learn(answers);
    }

    /// Adds a unit's steps to a script: who runs them, what they owe and pay.
    pub(super) fn place_steps(
        &self,
        index: usize,
        task: &Task,
        unit: &Unit,
        change: &Change,
        judged: bool,
        steps: &mut Vec<PlacedStep>,
    ) {
        let mut owes = if self.run.settings.mode.may_change() {
            self.notes(index, task)
        } else {
            Vec::new()
        };
        for step in &change.steps {
            let mut step = step.clone();
            if unit.secret {
                // The title of a command is the command.
                step.title = task.label.to_string();
            }
            if step.act || step.touches.contains(&Touch::Everything) {
                step.env.extend(unit.env.iter().cloned());
            }
            if let Some(seconds) = unit.timeout {
                step.deadline = step.deadline.min(Duration::from_secs(seconds));
            }
            // Only the status of a command can be other than a failure.
            let stops = !(judged && step.act);
            steps.push(PlacedStep {
                step,
                user: unit.user.clone(),
                owes: std::mem::take(&mut owes),
                pays: Vec::new(),
                stops,
            });
        }
    }

    async fn act(&mut self, batch: Batch, missing: Missing) -> bool {
        let throttled = batch.entries.first().and_then(|entry| {
            let (What::Task(task) | What::Handler(_, task)) = &self.items[entry.item].what else {
                return None;
            };
            let unit = self.slots[entry.item].units.as_ref()?.get(entry.unit)?;
            Some((entry.item, task.clone(), unit.clone()))
        });
        if let Some((index, task, unit)) = throttled
            && !self.take_turn(index, &task, &unit).await
        {
            return true;
        }
        let plan = !self.run.settings.mode.may_change();
        let turn = match plan {
            true => None,
            false => self.host.turn().await,
        };
        if self.is_stale() {
            // Another name of the machine wrote meanwhile: everything is compared once more.
            return true;
        }
        let began = Instant::now();
        if let Some(first) = batch.steps.first() {
            let more = batch.steps.len() - 1;
            let title = &first.step.title;
            self.working(match more {
                0 => title.clone(),
                more => format!("{title} and {more} more"),
            });
        }
        for entry in &batch.entries {
            if let What::Task(task) | What::Handler(_, task) = &self.items[entry.item].what {
                self.say_aside(entry.item, task, &entry.change);
            }
        }
        if !plan {
            self.run.touch();
        }
        let host = self.host.clone();
        let mut place = host.node.lock().await;
        let Some(node) = place.as_mut() else {
            return false;
        };
        let (trips, streams) = (node.round_trips, node.streams);
        if !plan {
            node.listen(self.listener(&batch));
        }
        let answer = if plan {
            node.run_reading(&batch.steps, &missing).await
        } else {
            way_in::run_steps(&self.run, &host, node, &batch.steps, &missing).await
        };
        node.listen(None);
        if !plan {
            host.wrote(&self.run);
        }
        drop(turn);
        {
            let mut tally = host.tally();
            tally.round_trips += node.round_trips - trips;
            tally.streams += node.streams - streams;
        }
        drop(place);
        let took = began.elapsed().as_millis() as u64;
        tracing::debug!(host = %host.name, tasks = batch.entries.len(), ms = took, "a script of steps ended");
        match answer {
            Ok((end, answers)) => {
                self.settle(batch, end.steps, took);
                self.learn(answers);
                self.host.out() == Out::Alive
            }
            Err(error) => self.lost(batch, &error),
        }
    }

    /// Who shows what the steps say while they run; nobody where `no_log` hides one of them.
    fn listener(&self, batch: &Batch) -> Option<Listener> {
        let hidden = batch.entries.iter().any(|entry| {
            let units = self.slots[entry.item].units.as_ref();
            let unit = units.and_then(|units| units.get(entry.unit));
            unit.is_none_or(|unit| unit.secret)
        });
        // The run holds the node, which holds this.
        let (run, host) = (Arc::downgrade(&self.run), self.host.name.clone());
        (!hidden).then(|| {
            let say: Listener = Arc::new(move |line: &str| {
                let Some(run) = run.upgrade() else { return };
                run.say(Event::HostWorking {
                    host: host.clone(),
                    what: line.to_owned(),
                });
            });
            say
        })
    }

    /// The script's results, entry by entry.
    pub(super) fn settle(&mut self, batch: Batch, ends: Vec<StepEnd>, took: u64) {
        let mut ends = ends.into_iter();
        let mut steps = batch.steps.into_iter();
        for entry in batch.entries {
            let own: Vec<PlacedStep> = steps.by_ref().take(entry.steps).collect();
            let (What::Task(task) | What::Handler(_, task)) = self.items[entry.item].what.clone()
            else {
                continue;
            };
            if !self.settle_entry(entry, &task, own, &mut ends, took)
                || self.host.out() != Out::Alive
                || self.broken
                || self.leaped
            {
                return;
            }
        }
    }

    /// False when the script ended at this entry or before it.
    fn settle_entry(
        &mut self,
        entry: Entry,
        task: &Arc<Task>,
        own: Vec<PlacedStep>,
        ends: &mut impl Iterator<Item = StepEnd>,
        took: u64,
    ) -> bool {
        let (index, number) = (entry.item, entry.unit);
        let skipped = entry.steps == 0 && entry.change.result.contains_key("skipped");
        let status = match (entry.steps, skipped) {
            (0, true) => Status::Skipped,
            (0, false) => Status::Ok,
            _ => Status::Changed,
        };
        let (reading, local) = (entry.change.reading.clone(), entry.change.local.clone());
        let mut end = UnitEnd::of(status, entry.change);
        end.duration_ms = if entry.steps == 0 { 0 } else { took };
        let guarded = own.iter().any(|placed| placed.step.guard.is_some());
        let mut changed = false;
        for placed in own {
            let Some(result) = ends.next() else {
                return false;
            };
            for touch in &placed.step.touches {
                self.known.touch(touch);
            }
            match result {
                StepEnd::Ran { rc, stdout, stderr } => {
                    let output = ActOutput {
                        rc,
                        stdout: &stdout,
                        stderr: &stderr,
                    };
                    let reading = reading.as_ref().filter(|_| placed.step.act);
                    let read = reading.and_then(|reading| end.acted(reading, &output));
                    if placed.step.act && read.is_none() {
                        end.output(rc, &stdout, &stderr);
                    }
                    if rc != 0 {
                        if read.is_none() {
                            end = failed_step(end, &placed, rc, &stdout, &stderr);
                            let error = match task.action.name() == "command" && placed.step.act {
                                true => never_began(rc, &stdout, &stderr),
                                false => None,
                            };
                            if let Some(rc) = error {
                                end.not_begun(rc);
                            }
                            // As in Ansible, a command that ended has changed something, however it ended.
                            let ran = placed.step.act && is_command(task.action.name());
                            end.changed = changed || (ran && error.is_none());
                        }
                        if let (true, Some(failure)) = (guarded, &mut end.failure) {
                            failure.help.get_or_insert_with(|| way_in::BACK.to_owned());
                        }
                        self.conclude(index, number, task, end);
                        return false;
                    }
                    if placed.step.tells {
                        self.tell(&stdout);
                    }
                    changed |= !placed.step.predicts.is_empty();
                    self.known.learn(placed.step.predicts.iter().cloned());
                    if placed.step.reboot.is_some() {
                        self.known.forget(&Question::Facts);
                        end.result
                            .insert("elapsed".to_owned(), (took / 1000).into());
                    }
                }
                StepEnd::Unconfirmed { words, help } => {
                    // What was read behind the change may be of a state that is no more.
                    self.known.touch(&Touch::Everything);
                    let failure = Failure::new(words).help(help);
                    end.status = Status::Failed;
                    end.msg = failure.message.clone();
                    end.failure = Some(failure);
                    self.conclude(index, number, task, end);
                    return false;
                }
                StepEnd::Moved(what) => return self.moved(index, task, &placed, &what),
                StepEnd::Differs(what) => {
                    let mut failure =
                        Failure::new(format!("{}: afterwards the {what}", placed.step.title));
                    failure.help = Some(
                        "something else on the node changes it back, or the file system does not keep it"
                            .to_owned(),
                    );
                    self.finish_unit(index, task, UnitEnd::failed(failure));
                    return false;
                }
                StepEnd::NoLease(other) => {
                    let failure = Failure::new(format!(
                        "the lease of this host was taken over by the run `{other}`"
                    ))
                    .help(
                        "this run was silent for too long; run it again when the other one is done",
                    );
                    // Nothing more is written here: no rescue either.
                    self.host.take_out(Out::Failed);
                    self.finish_unit(index, task, UnitEnd::failed(failure));
                    return false;
                }
            }
        }
        if let Some(file) = &local {
            end.keep(file);
        }
        self.conclude(index, number, task, end)
    }

    /// What a unit was decided on is no more: it is compared once more.
    fn moved(&mut self, index: usize, task: &Arc<Task>, placed: &PlacedStep, what: &str) -> bool {
        self.slots[index].moved += 1;
        if self.slots[index].moved > MOVES {
            let failure = Failure::new(format!(
                "{}: what it was decided on keeps changing ({what})",
                placed.step.title
            ))
            .help("another program on the node writes the same thing");
            self.finish_unit(index, task, UnitEnd::failed(failure));
        } else {
            // Whatever else was assumed about the node may be as stale.
            self.known.touch(&Touch::Everything);
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: format!(
                    "{}: something else changed it meanwhile ({what}); compared again",
                    placed.step.title
                ),
            });
        }
        false
    }

    /// No result came back. False when the host is out.
    fn lost(&mut self, batch: Batch, error: &NodeError) -> bool {
        let mut failure = Failure::new(error.to_string());
        failure.help = error.help();
        if let Some(entry) = batch.entries.into_iter().find(|entry| entry.steps > 0) {
            let (What::Task(task) | What::Handler(_, task)) = self.items[entry.item].what.clone()
            else {
                return false;
            };
            if error.is_unreachable() && self.may_pass_over(entry.item, &task) {
                // Whether it did anything, nobody knows.
                self.known.touch(&Touch::Everything);
                self.pass_over(entry.item, &task, failure);
                return true;
            }
            let end = match error.is_unreachable() {
                true => UnitEnd::unreachable(failure.clone()),
                false => UnitEnd::failed(failure.clone()),
            };
            self.end_here(entry.item, end);
            self.host.because(failure.message.clone());
            self.host.take_out(if error.is_unreachable() {
                Out::Unreachable
            } else {
                Out::Failed
            });
            self.finish_task(entry.item, &task);
        }
        if error.is_unreachable() {
            self.run.say(Event::HostUnreachable {
                host: self.host.name.clone(),
                error: failure,
            });
        }
        self.host.take_out(Out::Failed);
        false
    }
}
