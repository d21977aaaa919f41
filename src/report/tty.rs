//! Human output on a terminal: the same lines as without one, and below them a live line for each working host.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::human::Human;
use super::{Plain, ReportOptions, Reporter, text};
use crate::diagnostic::count;
use crate::event::{Event, Status, TaskResult};

/// Hosts with a live line of their own.
const LIVE: usize = 8;
/// How often a live line moves.
const TICK: Duration = Duration::from_millis(120);
/// A live line shows how long it has stood there from this on.
const PATIENCE: Duration = Duration::from_secs(3);

/// Human output where `target` can be drawn on, else plain lines to `writer`. The bars are there for [`super::LogWriter`].
pub fn human(
    options: ReportOptions,
    target: ProgressDrawTarget,
    writer: Box<dyn Write + Send>,
) -> (Box<dyn Reporter>, Option<MultiProgress>) {
    match target.is_hidden() {
        true => (Box::new(Plain::new(options, writer)), None),
        false => {
            let tty = Tty::new(options, target);
            let bars = tty.bars();
            (Box::new(tty), Some(bars))
        }
    }
}

/// Draws on a terminal.
pub struct Tty {
    human: Human,
    live: Live,
}

impl Tty {
    /// `target` must not be hidden: what is told to a hidden one is lost. [`human`] chooses.
    pub fn new(options: ReportOptions, target: ProgressDrawTarget) -> Tty {
        let human = Human::new(options);
        Tty {
            live: Live::new(MultiProgress::with_draw_target(target)),
            human,
        }
    }

    /// The bars, to be suspended while something else writes to the terminal.
    pub fn bars(&self) -> MultiProgress {
        self.live.bars.clone()
    }
}

impl Reporter for Tty {
    fn event(&mut self, event: &Event) {
        match event {
            Event::HostWorking { host, what } if what.is_empty() => self.live.remove(host),
            Event::HostWorking { host, what } => self.live.set(host, &text::clean(what)),
            Event::CommandOutput { host, line, .. } if !self.human.tells_lines() => {
                self.live.set(host, &text::clean(line));
            }
            Event::HostUnreachable { host, .. } => self.live.remove(host),
            Event::TaskFinished(result) if stops(result) => self.live.remove(&result.host),
            // The terminal belongs to the question until it is answered.
            Event::RunFinished(_)
            | Event::Paused {
                hidden: Some(_), ..
            } => self.live.clear(),
            _ => {}
        }
        if matches!(event, Event::HostWorking { .. }) {
            return;
        }
        let told = self.human.tell(event);
        if let Some(told) = told.strip_suffix('\n') {
            self.live.print(told);
        }
    }

    fn finish(&mut self) {
        self.live.clear();
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.live.clear();
    }
}

/// Whether the host does no more after it.
fn stops(result: &TaskResult) -> bool {
    let failed = matches!(result.status, Status::Failed | Status::Unreachable);
    failed && !result.ignored && !result.rescued
}

/// The live lines.
struct Live {
    bars: MultiProgress,
    /// What each host works on, in the order they began.
    hosts: IndexMap<Arc<str>, String>,
    /// The hosts that have a line.
    lines: IndexMap<Arc<str>, ProgressBar>,
    /// The line below them, when there are more.
    more: Option<ProgressBar>,
}

impl Live {
    fn new(bars: MultiProgress) -> Live {
        Live {
            bars,
            hosts: IndexMap::new(),
            lines: IndexMap::new(),
            more: None,
        }
    }

    /// Prints above the live lines. A terminal that went away is no reason to stop a run.
    fn print(&self, told: &str) {
        let _ = self.bars.println(told);
    }

    fn set(&mut self, host: &Arc<str>, what: &str) {
        let old = self.hosts.insert(host.clone(), what.to_owned());
        if old.as_deref() == Some(what) {
            return;
        }
        if let Some(line) = self.lines.get(host) {
            line.reset_elapsed();
            line.set_message(message(host, what));
        } else if self.lines.len() < LIVE {
            self.show(host, what);
        }
        self.count_more();
    }

    fn remove(&mut self, host: &Arc<str>) {
        if self.hosts.shift_remove(host).is_none() {
            return;
        }
        if let Some(line) = self.lines.shift_remove(host) {
            line.disable_steady_tick();
            self.bars.remove(&line);
            let waiting = self
                .hosts
                .iter()
                .find(|(host, _)| !self.lines.contains_key(*host))
                .map(|(host, what)| (host.clone(), what.clone()));
            if let Some((host, what)) = waiting {
                self.show(&host, &what);
            }
        }
        self.count_more();
    }

    fn clear(&mut self) {
        self.hosts.clear();
        for (_, line) in self.lines.drain(..) {
            line.disable_steady_tick();
            self.bars.remove(&line);
        }
        self.count_more();
        let _ = self.bars.clear();
    }

    fn show(&mut self, host: &Arc<str>, what: &str) {
        let line = self
            .bars
            .insert(self.lines.len(), ProgressBar::new_spinner());
        line.set_style(style());
        line.set_message(message(host, what));
        line.enable_steady_tick(TICK);
        self.lines.insert(host.clone(), line);
    }

    fn count_more(&mut self) {
        let hidden = self.hosts.len() - self.lines.len();
        if hidden == 0 {
            if let Some(more) = self.more.take() {
                self.bars.remove(&more);
            }
            return;
        }
        let more = self.more.get_or_insert_with(|| {
            let more = self.bars.add(ProgressBar::new_spinner());
            more.set_style(plain_style());
            more
        });
        more.set_message(format!("… and {}", count(hidden, "more host")));
    }
}

fn message(host: &str, what: &str) -> String {
    format!("{}  {what}", text::clean(host))
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg} {since}")
        .expect("the template is well formed")
        .with_key(
            "since",
            |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                if state.elapsed() >= PATIENCE {
                    let seconds = state.elapsed().as_secs() * 1000;
                    // Writing into the line's own text cannot fail.
                    let _ = out.write_str(&text::duration(seconds));
                }
            },
        )
}

fn plain_style() -> ProgressStyle {
    ProgressStyle::with_template("  {wide_msg}").expect("the template is well formed")
}
