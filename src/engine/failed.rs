//! What is told of a step that failed: its last words, and what is known to be behind them.

use super::verdict::UnitEnd;
use crate::event::{Failure, Status};
use crate::node::PlacedStep;

/// Lines of output that a failure shows.
const LINES: usize = 20;

/// What a command's result says that never began, and the status it has then, as in ansible-core (`AnsibleModule.run_command`): the number of
/// the error. The shell that was to become the program says so as its only line.
pub(super) fn never_began(rc: i32, stdout: &[u8], stderr: &[u8]) -> Option<i32> {
    let said = String::from_utf8_lossy(stderr);
    let (_, said) = said.trim_end().split_once(": exec: ")?;
    if !stdout.is_empty() || said.contains('\n') {
        return None;
    }
    match rc {
        127 if said.ends_with(": not found") => Some(ENOENT),
        126 if said.ends_with(": Permission denied") => Some(EACCES),
        _ => None,
    }
}

const ENOENT: i32 = 2;
const EACCES: i32 = 13;

/// How a unit ended whose step did not end with 0.
pub(super) fn failed_step(
    mut end: UnitEnd,
    placed: &PlacedStep,
    rc: i32,
    stdout: &[u8],
    stderr: &[u8],
) -> UnitEnd {
    let seconds = placed.step.deadline.as_secs();
    let said = String::from_utf8_lossy(if stderr.trim_ascii().is_empty() {
        stdout
    } else {
        stderr
    })
    .into_owned();
    let lines: Vec<&str> = said.trim_end().lines().collect();
    let mut failure = Failure::new(match rc {
        124 | 137 if placed.step.act || seconds < crate::change::Step::DEADLINE.as_secs() => {
            format!("{} did not end within {seconds} s", placed.step.title)
        }
        _ if placed.step.act => format!("the command ended with status {rc}"),
        _ => match lines.last() {
            Some(last) => format!("{} failed: {last}", placed.step.title),
            None => format!("{} failed with status {rc}", placed.step.title),
        },
    });
    failure.rc = Some(rc);
    let title = &placed.step.title;
    let command = title.strip_prefix("run ").unwrap_or(title);
    failure.command = placed.step.act.then(|| command.to_owned());
    failure.output = lines
        .iter()
        .skip(lines.len().saturating_sub(LINES))
        .map(|line| (*line).to_owned())
        .collect();
    failure.help = cause(&said);
    end.status = Status::Failed;
    end.msg = failure.message.clone();
    end.rc = Some(rc);
    end.failure = Some(failure);
    end
}

/// The probable cause of words that nodes say often, and what to do.
fn cause(said: &str) -> Option<String> {
    let known = [
        (
            "No space left on device",
            "the disk is full: free some space on the node (`df -h`, `du -xsh /var/*`), then apply again; nothing was half written",
        ),
        (
            "Read-only file system",
            "the file system is mounted read-only: see `dmesg` on the node, mount it writable, then apply again",
        ),
        (
            "Permission denied",
            "the acting account may not do that: set `become: true` on the task or the play",
        ),
        (
            "Temporary failure resolving",
            "the node cannot resolve names: look at its /etc/resolv.conf",
        ),
        (
            "dpkg was interrupted",
            "run `dpkg --configure -a` on the node, then apply again",
        ),
    ];
    known
        .iter()
        .find(|(words, _)| said.contains(words))
        .map(|(_, help)| (*help).to_owned())
}
