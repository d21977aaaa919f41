//! One host that is looked at again and again, over one connection as long as that holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::question;
use crate::cluster::Answer;
use crate::engine::connect;
use crate::engine::state::{HostState, Run};
use crate::event::{Event, Failure};
use crate::node::{Node, NodeError, nonce};

/// What came of a look at a host.
pub(super) enum Said {
    /// It was not asked, or its answer is on its way.
    NotYet,
    /// It could not be asked, or gave no answer in time.
    Nothing(Failure),
    /// One answer a question.
    All(Vec<Answer>),
}

impl Said {
    /// Whether it could not be looked at.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Said::Nothing(_))
    }
}

/// Asks one host.
pub(super) struct Worker {
    pub run: Arc<Run>,
    pub host: Arc<HostState>,
    pub question: Vec<String>,
    pub patience: Duration,
}

impl Worker {
    /// Looks each time that `rounds` changes, until nobody is there to change it.
    pub(super) async fn work(
        self,
        index: usize,
        mut rounds: watch::Receiver<u64>,
        said: mpsc::UnboundedSender<(usize, Said)>,
    ) {
        let mut node = None;
        while rounds.changed().await.is_ok() {
            rounds.borrow_and_update();
            let permit = self.run.forks.acquire().await;
            let looked = tokio::select! {
                looked = tokio::time::timeout(self.patience, self.look(&mut node)) => looked,
                () = self.run.stop.cancelled() => break,
            };
            drop(permit);
            let answer = match looked {
                Ok(Ok(answers)) => Said::All(answers),
                Ok(Err(error)) => {
                    node = None;
                    let mut failure = Failure::new(error.to_string());
                    failure.help = error.help();
                    Said::Nothing(failure)
                }
                Err(_) => {
                    // Its answer may still come, and would be taken for the next one.
                    node = None;
                    let seconds = self.patience.as_secs();
                    Said::Nothing(Failure::new(format!("no answer within {seconds} s")))
                }
            };
            if said.send((index, answer)).is_err() {
                break;
            }
        }
        if let Some(node) = &mut node {
            node.close().await;
        }
    }

    async fn look(&self, node: &mut Option<Node>) -> Result<Vec<Answer>, NodeError> {
        if node.is_none() {
            *node = Some(connect::open(&self.run, &self.host).await?);
            self.run.say(Event::HostConnected {
                host: self.host.name.clone(),
            });
        }
        let Some(node) = node else {
            unreachable!("it was connected above");
        };
        let mark = nonce();
        let before = node.round_trips;
        let output = node.read(&question::compile(&self.question, &mark)).await;
        self.host.tally().round_trips += node.round_trips - before;
        Ok(question::parse(&output?, self.question.len(), &mark))
    }
}
