//! Carries the events of a run from the engine to the reporters, on a thread of its own: a slow terminal never holds hosts up.

use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::watch::{AT_ONCE, Watch};
use super::{exit, panic};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Mode, Recap};
use crate::report::{Reporter, Reporters};

/// What is done with the end of a run before it is told, and what is told before it.
pub type Saver = Box<dyn FnOnce(&mut Recap) -> Option<Event> + Send>;

/// Tells events until the run has finished.
pub struct Teller {
    events: UnboundedSender<Event>,
    thread: JoinHandle<Told>,
}

/// What was told in the end.
pub struct Told {
    /// The exit status; none when the run never finished.
    pub exit_code: Option<u8>,
    /// Why some of the output is missing.
    pub trouble: Option<String>,
    /// Of a run that was stopped at once, what to say of the hosts that were at work.
    pub left: Option<String>,
}

impl Teller {
    /// Starts to tell. `detailed` turns a plan with pending changes into exit status 2; `save` comes before the end.
    pub fn start(mode: Mode, detailed: bool, reporters: Reporters, save: Option<Saver>) -> Teller {
        let (events, received) = mpsc::unbounded_channel();
        let watch = Watch::new(mode);
        let thread = thread::spawn(move || tell(received, watch, detailed, reporters, save));
        Teller { events, thread }
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

    /// Ends what is told: the run was stopped at once. What that left is known behind all that it had said before.
    pub fn stop(&self) {
        let _ = self.events.send(Event::RunFinished(Watch::at_once()));
    }

    /// Waits until everything is told. The senders of events must be gone, or the end of the run sent.
    pub fn finish(self) -> Told {
        drop(self.events);
        self.thread.join().unwrap_or(Told {
            exit_code: None,
            trouble: None,
            left: None,
        })
    }
}

fn tell(
    mut events: UnboundedReceiver<Event>,
    mut watch: Watch,
    detailed: bool,
    mut reporters: Reporters,
    mut save: Option<Saver>,
) -> Told {
    let mut exit_code = None;
    let mut left = None;
    while let Some(mut event) = events.blocking_recv() {
        watch.note(&event);
        if let Event::RunFinished(recap) = &mut event {
            if recap.reason == AT_ONCE {
                *recap = watch.stopped();
                left = Some(watch.left());
            }
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
        left,
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
