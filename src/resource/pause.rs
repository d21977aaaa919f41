//! `pause`: some time goes by before what comes next.

use std::time::Duration;

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Interpreted, Reading, Step};
use crate::diagnostic::Diagnostic;
use crate::event::Mode;
use crate::fact::{Known, Missing};

/// The longest pause: a day.
const LONGEST: f64 = 86_400.0;

/// Waits for some time, up to a day, before what comes next. Each host waits by itself, and a plan does not wait. For something that can be asked about,
/// `wait_for` and `uri` with `until` wait no longer than needed.
///
/// # Differs from Ansible
/// - a run never asks: `prompt` needs `seconds` or `minutes` beside it, and `echo` is refused
/// - the play does not pause as a whole: each host waits by itself
///
/// # Returns
/// - `delta`: the seconds that it waits; 0 in a plan
///
/// # Examples
/// ```yaml
/// - name: the name servers take notice
///   pause: { minutes: 2 }
///
/// - name: with a word for who reads along
///   pause: { seconds: 30, prompt: the caches fill }
/// ```
pub static PAUSE: Kind = Kind {
    name: "pause",
    aliases: &["ansible.builtin.pause", "ansible.legacy.pause"],
    summary: "waits for some time on each host; a plan does not wait",
    params: &[
        Param::new("seconds", ParamType::Str, "How many seconds."),
        Param::new("minutes", ParamType::Str, "How many minutes."),
        Param::new(
            "prompt",
            ParamType::Str,
            "What it waits for, for who reads the output. A run never asks: `seconds` or `minutes` must say how long.",
        ),
    ],
    free_form: None,
    refused: &[("echo", "a run never asks; remove the line")],
    check,
    bind: |args, controller| bind(args, controller.mode()),
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["seconds", "minutes"]);
    if !args.has("seconds") && !args.has("minutes") {
        let (place, what) = match args.has("prompt") {
            true => (
                args.place("prompt"),
                "`prompt` without `seconds` or `minutes`",
            ),
            false => (args.place("pause"), "`pause` needs `seconds` or `minutes`"),
        };
        faults.push(Diagnostic::at(place, what).help(
            "a run never asks: an apply asks once before it begins, and `vars_prompt` takes answers",
        ));
    }
    faults
}

struct Pause {
    seconds: f64,
    prompt: String,
    waits: bool,
}

fn bind(args: &Args, mode: Mode) -> Bound {
    let (name, factor) = match args.has("minutes") {
        true => ("minutes", 60.0),
        false => ("seconds", 1.0),
    };
    let text = args.str(name).unwrap_or_default().trim();
    let number: Option<f64> = text.parse().ok();
    // As in Ansible, part of a second counts as none and less than nothing as one second.
    let seconds = number.map(|number| (number * factor).trunc().max(0.0));
    let Some(seconds) = seconds.filter(|seconds| *seconds <= LONGEST) else {
        let message = format!("`{text}` is no number of {name} up to a day");
        return Err(Diagnostic::at(args.value_place(name), message).into());
    };
    Ok(Box::new(Pause {
        seconds,
        prompt: args.str("prompt").unwrap_or_default().to_owned(),
        waits: mode.may_change(),
    }))
}

impl Resource for Pause {
    fn diff(&self, _: &Known) -> Result<Change, Missing> {
        let words = match self.prompt.is_empty() {
            true => format!("waits {} s", self.seconds),
            false => format!("waits {} s: {}", self.seconds, self.prompt),
        };
        if !self.waits || self.seconds < 1.0 {
            return Ok(Change::none(words).result("delta", 0));
        }
        let mut step = Step::new(words, format!("sleep {}\n", self.seconds)).cut();
        step.act = true;
        step.deadline = Duration::from_secs_f64(self.seconds + 60.0);
        let seconds = self.seconds as u64;
        let mut change = Change::new(Action::Run)
            .step(step)
            .reading(Reading::new(move |_| {
                let mut read = Interpreted::default();
                read.result.insert("delta".to_owned(), seconds.into());
                Some(read)
            }));
        change.result.insert("delta".to_owned(), seconds.into());
        Ok(change)
    }
}
