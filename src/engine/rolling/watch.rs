//! Notices when a node that should serve no longer does, while another one is worked on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::fleet::Fleet;
use crate::engine::state::lock;
use crate::rollout::{Member, Seen};

/// Between two looks at a node.
const PAUSE: Duration = Duration::from_secs(2);

/// A node is missing when it is not there so often in a row: one probe of a balancer may be late.
const TIMES: u32 = 2;

/// Looks at every node that nobody works on.
pub(super) struct Watch {
    skip: Arc<Mutex<HashSet<usize>>>,
    found: Mutex<mpsc::UnboundedReceiver<(usize, Seen)>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to look.
    pub(super) fn start(fleet: Arc<Fleet>) -> Watch {
        // Until the first act nobody is missed.
        let skip: HashSet<usize> = (0..fleet.names().len()).collect();
        let skip = Arc::new(Mutex::new(skip));
        let (tell, found) = mpsc::unbounded_channel();
        let task = tokio::spawn(look(fleet, skip.clone(), tell));
        Watch {
            skip,
            found: Mutex::new(found),
            task,
        }
    }

    /// These are worked on now, and those that do not serve are not missed.
    pub(super) fn busy(&self, busy: impl IntoIterator<Item = usize>, members: &[Member]) {
        let mut skip: HashSet<usize> = busy.into_iter().collect();
        let out = members
            .iter()
            .enumerate()
            .filter(|(_, member)| !member.state.serves());
        skip.extend(out.map(|(index, _)| index));
        *lock(&self.skip) = skip;
    }

    /// Who was missed since the last time.
    pub(super) fn missing(&self) -> Vec<(usize, Seen)> {
        let mut found = lock(&self.found);
        std::iter::from_fn(|| found.try_recv().ok()).collect()
    }

    /// No more.
    pub(super) fn stop(self) {
        self.task.abort();
    }
}

async fn look(
    fleet: Arc<Fleet>,
    skip: Arc<Mutex<HashSet<usize>>>,
    tell: mpsc::UnboundedSender<(usize, Seen)>,
) {
    let mut absent = vec![0; fleet.names().len()];
    loop {
        tokio::time::sleep(PAUSE).await;
        for (index, absent) in absent.iter_mut().enumerate() {
            if lock(&skip).contains(&index) {
                *absent = 0;
                continue;
            }
            match fleet.see(index).await {
                Ok(Seen::InService) => *absent = 0,
                // Whoever came to be worked on meanwhile is not missed.
                _ if lock(&skip).contains(&index) => *absent = 0,
                // That the balancer does not answer is seen by who needs it.
                Err(_) => {}
                Ok(seen) => {
                    *absent += 1;
                    if *absent == TIMES {
                        let _ = tell.send((index, seen));
                    }
                }
            }
        }
    }
}
