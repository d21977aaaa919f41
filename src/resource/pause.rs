//! `pause`: some time goes by before what comes next, or somebody is asked.

use std::time::Duration;

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Aside, Change, Interpreted, Reading, Step};
use crate::diagnostic::Diagnostic;
use crate::event::Mode;
use crate::fact::{Known, Missing};

/// The longest pause: a day.
const LONGEST: f64 = 86_400.0;

/// What is asked when the task says nothing.
const ENTER: &str = "Press Enter to go on, or Ctrl-C to stop here.";

/// Waits for some time, up to a day, before what comes next; or, without `seconds` and `minutes`, until somebody at the terminal has answered. A plan neither
/// waits nor asks. For something that can be asked about, `wait_for` and `uri` with `until` wait no longer than needed.
///
/// One host of each batch asks for all of them, when all have come so far, and all get the answer. Where nobody can be asked (no terminal, `CI=true`,
/// `--output json`) that is warned of, and the answer is empty. Ctrl-C while it asks stops the run as it does everywhere. A `timeout` fails the task when nobody answers in time.
///
/// # Differs from Ansible
/// - with `seconds` or `minutes` each host waits by itself, and nothing that is typed ends the wait
/// - every host has the answer in its `register`, not only the first one
///
/// # Returns
/// - `user_input`: what was typed; empty where nobody was asked
/// - `delta`: the seconds that it waited; 0 in a plan
/// - `echo`: whether what is typed is shown
///
/// # Examples
/// ```yaml
/// - name: the name servers take notice
///   pause: { minutes: 2 }
///
/// - name: with a word for who reads along
///   pause: { seconds: 30, prompt: the caches fill }
///
/// - name: ask
///   pause: { prompt: "Which release? (Enter for the newest)" }
///   register: wanted
///
/// - name: ask for what nobody reads along
///   pause: { prompt: the pin of the key, echo: false }
///   register: pin
///   no_log: true
/// ```
pub static PAUSE: Kind = Kind {
    name: "pause",
    aliases: &["ansible.builtin.pause", "ansible.legacy.pause"],
    summary: "waits for some time on each host, or for an answer; a plan does neither",
    params: &[
        Param::new("seconds", ParamType::Str, "How many seconds."),
        Param::new("minutes", ParamType::Str, "How many minutes."),
        Param::new(
            "prompt",
            ParamType::Str,
            "What is asked; with `seconds` or `minutes`, what it waits for, for who reads the output.",
        ),
        Param::new(
            "echo",
            ParamType::Bool,
            "Whether what is typed is shown. When not, it is kept out of everything that is told.",
        )
        .default("true"),
    ],
    free_form: None,
    refused: &[],
    check: |args| args.at_most_one_of(&["seconds", "minutes"]),
    bind: |args, controller| bind(args, controller.mode()),
};

struct Pause {
    seconds: f64,
    prompt: String,
    echo: bool,
    waits: bool,
}

struct Ask {
    prompt: String,
    echo: bool,
}

fn bind(args: &Args, mode: Mode) -> Bound {
    let prompt = args.str("prompt").unwrap_or_default().to_owned();
    let echo = args.bool("echo", true);
    let (name, factor) = match (args.has("minutes"), args.has("seconds")) {
        (true, _) => ("minutes", 60.0),
        (_, true) => ("seconds", 1.0),
        _ => return Ok(Box::new(Ask { prompt, echo })),
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
        prompt,
        echo,
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
            return Ok(unanswered(Change::none(words), self.echo).result("delta", 0));
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
        if !self.prompt.is_empty() {
            change = change.aside(Aside::Words(self.prompt.clone()));
        }
        Ok(unanswered(change, self.echo))
    }
}

impl Resource for Ask {
    fn diff(&self, _: &Known) -> Result<Change, Missing> {
        let words = match self.prompt.trim() {
            "" => ENTER,
            prompt => prompt,
        };
        let change = Change::none(format!("asks: {words}")).aside(Aside::Question {
            words: words.to_owned(),
            hidden: !self.echo,
        });
        Ok(unanswered(change, self.echo))
    }
}

/// What `register` gets as long as nobody has answered.
fn unanswered(change: Change, echo: bool) -> Change {
    change.result("user_input", "").result("echo", echo)
}
