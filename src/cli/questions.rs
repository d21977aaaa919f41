//! Questions on the way of a run, asked between what is told: nothing else is written to the terminal meanwhile.

use std::io::{self, BufRead};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
};

use super::say;
use crate::engine::Questions;
use crate::event::Event;
use crate::report::Reporter;

/// How long it takes at most until a question is given up of which nobody wants the answer any more.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Asks at the terminal. It stands behind all other reporters.
pub struct Asker(pub Arc<Questions>);

impl Reporter for Asker {
    fn event(&mut self, event: &Event) {
        let Event::Paused {
            task,
            words,
            hidden: Some(hidden),
        } = event
        else {
            return;
        };
        let Some(place) = self.0.take() else { return };
        // What was typed before the question is no answer to it.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        say::ask(&asked(task, words));
        match line(*hidden, || place.is_closed()) {
            Some(answer) => drop(place.send(answer)),
            None => say::err(""),
        }
    }

    fn finish(&mut self) {}
}

/// The question with its task, open for an answer.
fn asked(task: &str, words: &str) -> String {
    let clean = |text: &str| text.replace(|c: char| c.is_control() && c != '\n', " ");
    let words = clean(words.trim());
    let end = match words.ends_with([':', '?', '>', ']', ')', '.', '!']) {
        true => " ",
        false => ": ",
    };
    format!("{}\n{words}{end}", clean(task))
}

/// One line without its end; empty when the input ended. None when it was given up, which Ctrl-C brings about.
fn line(hidden: bool, given_up: impl Fn() -> bool) -> Option<String> {
    let stdin = io::stdin();
    let quiet = hidden.then(Quiet::begin).flatten();
    loop {
        if given_up() {
            return None;
        }
        // A terminal is ready when a whole line was typed.
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(_) => return Some(String::new()),
        }
    }
    let mut answer = String::new();
    let _ = stdin.lock().read_line(&mut answer);
    if quiet.is_some() || !answer.ends_with('\n') {
        say::err("");
    }
    Some(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// The terminal does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> Option<Quiet> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &modes).ok()?;
        Some(Quiet(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_stands_below_its_task() {
        assert_eq!(asked("ask", "Go on?\n"), "ask\nGo on? ");
        assert_eq!(asked("ask", "release"), "ask\nrelease: ");
        assert_eq!(asked("a\x1b[2J", "x:"), "a [2J\nx: ");
    }
}
