//! Carries the events of a run from the engine to the reporters, on a thread of its own: a slow terminal never holds hosts up.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::watch::Watch;
use super::{exit, panic};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Mode, Recap};
use crate::report::{Reporter, Reporters};

/// What is done with the end of a run before it is told, and what is told before it.
pub type Saver = Box<dyn FnOnce(&mut Recap) -> Option<Event> + Send>;

/// Tells events until the run has finished.
pub struct Teller {
    watch: Arc<Mutex<Watch>>,
    events: UnboundedSender<Event>,
    thread: JoinHandle<Told>,
}

/// What was told in the end.
pub struct Told {
    /// The exit status; none when the run never finished.
    pub exit_code: Option<u8>,
    /// Why some of the output is missing.
    pub trouble: Option<String>,
}

impl Teller {
    /// Starts to tell. `detailed` turns a plan with pending changes into exit status 2; `save` comes before the end.
    pub fn start(mode: Mode, detailed: bool, reporters: Reporters, save: Option<Saver>) -> Teller {
        let (events, received) = mpsc::unbounded_channel();
        let watch = Arc::new(Mutex::new(Watch::new(mode)));
        let seen = watch.clone();
        let thread = thread::spawn(move || tell(received, &seen, detailed, reporters, save));
        Teller {
            watch,
            events,
            thread,
        }
    }

    /// Tells notes, and for programs the warnings that people were shown already.
    pub fn begin(&self, notes: Vec<String>, warnings: Vec<Diagnostic>, machine: bool) {
        for message in notes {
            let _ = self.events.send(Event::Warning {
                host: None,
                message,
            });
        }
        for warning in warnings.into_iter().filter(|_| machine) {
            let _ = self.events.send(Event::Diagnostic(Box::new(warning)));
        }
    }

    /// Where events go.
    pub fn events(&self) -> UnboundedSender<Event> {
        self.events.clone()
    }

    /// What is known of the run so far.
    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    /// Waits until everything is told. The senders of events must be gone, or the end of the run sent.
    pub fn finish(self) -> Told {
        drop(self.events);
        self.thread.join().unwrap_or(Told {
            exit_code: None,
            trouble: None,
        })
    }
}

fn tell(
    mut events: UnboundedReceiver<Event>,
    watch: &Mutex<Watch>,
    detailed: bool,
    mut reporters: Reporters,
    mut save: Option<Saver>,
) -> Told {
    let mut exit_code = None;
    while let Some(mut event) = events.blocking_recv() {
        lock(watch).note(&event);
        if let Event::RunFinished(recap) = &mut event {
            if let Some(save) = save.take()
                && let Some(saved) = save(recap)
            {
                reporters.event(&saved);
            }
            if detailed {
                pending(recap);
            }
            if panic::happened() {
                recap.exit_code = exit::BUG;
                recap.reason = "a bug in hadeploy; please report it".to_owned();
            }
            exit_code = Some(recap.exit_code);
        }
        reporters.event(&event);
        if exit_code.is_some() {
            break;
        }
    }
    reporters.finish();
    Told {
        exit_code,
        trouble: reporters.trouble(),
    }
}

/// `--detailed-exitcode`: a good plan with changes ends in a status of its own.
fn pending(recap: &mut Recap) {
    let open = recap
        .hosts
        .values()
        .any(|tally| tally.changed + tally.unknown > 0);
    if recap.exit_code == exit::DONE && open {
        recap.exit_code = exit::PENDING;
        recap.reason = "changes are pending".to_owned();
    }
}

/// What is kept is whole at every moment, also after a panic.
fn lock(watch: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    watch
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
