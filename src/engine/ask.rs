//! `pause` with a question: one host of the batch asks, and the answer is for all of them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::host::{HostRun, Turn};
use super::layout::What;
use super::once::Key;
use super::state::{Out, lock};
use super::verdict::UnitEnd;
use super::walk::{Step, Walk};
use crate::change::{Aside, Change};
use crate::event::{Event, Failure, Status};
use crate::playbook::Task;
use crate::secret::Secret;

/// Where the answers to the questions of a run come from. A question is told as [`Event::Paused`]: who tells it takes the place of its
/// answer from here.
#[derive(Debug, Default)]
pub struct Questions {
    /// One question at a time.
    turn: tokio::sync::Mutex<()>,
    open: Mutex<Option<oneshot::Sender<String>>>,
}

impl Questions {
    /// The place of the answer to the question that was told last. It is closed when nobody waits for the answer any more; given up, it
    /// is an empty answer. None when it was taken already.
    pub fn take(&self) -> Option<oneshot::Sender<String>> {
        lock(&self.open).take()
    }

    async fn ask(&self, tell: impl FnOnce()) -> String {
        let _turn = self.turn.lock().await;
        let (place, answer) = oneshot::channel();
        *lock(&self.open) = Some(place);
        tell();
        answer.await.unwrap_or_default()
    }
}

impl HostRun {
    /// What a `pause` has to say is said once for each batch.
    pub(super) fn say_aside(&self, index: usize, task: &Task, change: &Change) {
        if let Some(Aside::Words(words)) = &change.aside
            && self.layout.is_new(self.once_key(index, task))
        {
            self.run.say(Event::Paused {
                task: task.label.clone(),
                words: words.clone(),
                hidden: None,
            });
        }
    }

    /// At a question. A plan does not ask: who reads the answer waits for it there.
    pub(super) fn question(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        if !walk.batch.entries.is_empty() {
            return Some(Step::Break);
        }
        if !self.is_once(index, task) {
            let failure = Failure::new("`seconds` and `minutes` came out as nothing")
                .help("leave them out where the task is to ask");
            return self.decided(index, number, task, UnitEnd::failed(failure), walk);
        }
        if !self.run.settings.mode.may_change() {
            let judged = task.changed_when.len() + task.failed_when.len() > 0;
            let end = match judged || task.until.is_some() {
                true => UnitEnd::unknown(&task.label),
                false => {
                    let mut end = UnitEnd::of(Status::Ok, change);
                    end.open = true;
                    end
                }
            };
            return self.decided(index, number, task, end, walk);
        }
        let place = self.items[index].place.clone();
        if !self.play.play.play.free && !self.progress.all_at(&self.host.name, &place) {
            return Some(Step::Turn(Turn::Wait(place)));
        }
        Some(Step::Turn(Turn::Ask(index, number)))
    }

    /// Asks, and waits for the answer. False when the host is out.
    pub(super) async fn ask(&mut self, index: usize, number: usize) -> bool {
        // Nobody is asked for the sake of a run that may not write.
        if !self.be_there().await || !self.may_write().await {
            return false;
        }
        let (What::Task(task) | What::Handler(_, task)) = self.items[index].what.clone() else {
            return true;
        };
        let units = self.slots[index].units.clone().unwrap_or_default();
        let Some(unit) = units.get(number) else {
            return true;
        };
        let change = unit.resource.as_ref().map(|it| it.diff(&self.known));
        let Some(Ok(change)) = change else {
            return true;
        };
        let Some(Aside::Question { words, hidden }) = change.aside.clone() else {
            return true;
        };
        let began = Instant::now();
        let answer = self.answer(&task, words, hidden, unit.timeout).await;
        let mut end = UnitEnd::of(Status::Ok, change);
        match answer {
            None => return true,
            Some(Err(failure)) => end = UnitEnd::failed(failure),
            Some(Ok(answer)) => {
                if hidden {
                    self.run.masker.add(&Secret::new(answer.as_str()));
                }
                let waited = began.elapsed().as_secs();
                end.result.insert("delta".to_owned(), waited.into());
                end.result.insert("user_input".to_owned(), answer.into());
            }
        }
        end.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.conclude(index, number, &task, end);
        self.host.out() == Out::Alive
    }

    /// The answer, which is empty where nobody can be asked; none when the run is told to stop.
    async fn answer(
        &mut self,
        task: &Task,
        words: String,
        hidden: bool,
        timeout: Option<u64>,
    ) -> Option<Result<String, Failure>> {
        let Some(questions) = self.run.settings.questions.clone() else {
            self.run.say(Event::Warning {
                host: None,
                message: format!(
                    "`{}` asks, and nobody can be asked: it goes on with an empty answer",
                    task.label
                ),
            });
            return Some(Ok(String::new()));
        };
        self.working("waiting for an answer".to_owned());
        let (run, label) = (self.run.clone(), task.label.clone());
        let (stop, teller) = (self.run.stop.clone(), self.run.clone());
        let tell = move || {
            teller.say(Event::Paused {
                task: label,
                words,
                hidden: Some(hidden),
            });
        };
        let late = async move {
            match timeout {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let answer = self
            .idle(async move {
                tokio::select! {
                    answer = questions.ask(tell) => Some(Ok(answer)),
                    () = stop.cancelled() => None,
                    () = late => Some(Err(Failure::new(format!(
                        "nobody answered within {} s",
                        timeout.unwrap_or_default()
                    )))),
                }
            })
            .await;
        // An answer may be there just when the run is told to stop.
        answer.filter(|_| !run.stop.is_cancelled())
    }

    /// What makes a task one of those that one host does for all: a `pause` for each batch, everything else for the whole play.
    pub(super) fn once_key(&self, index: usize, task: &Task) -> Key {
        let batch = self.play.batch.first().filter(|_| task.is_pause());
        (task.id, self.items[index].place.clone(), batch.cloned())
    }
}
