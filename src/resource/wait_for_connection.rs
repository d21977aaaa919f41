//! `wait_for_connection`: the node answers.

use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};

/// Waits until the node can be reached. An apply makes its connections before any task, so that is where it waits: for each host of a play that has
/// this task before all others that act on the node, as long as `timeout` says. Behind a restart or a cut, hadeploy makes the connection again by
/// itself; there the task only has the node answer. Where something with `ignore_unreachable` passed over the host, it waits as well.
///
/// # Differs from Ansible
/// - a plan does not wait: a host that does not answer is unreachable
/// - `connect_timeout` is accepted; a try that gets no answer ends with the run's own timeout
/// - a changed or unknown host key ends the waiting at once
///
/// # Returns
/// - `elapsed`: 0; the time before the first task is not counted
///
/// # Examples
/// ```yaml
/// - name: the machine has just been ordered
///   wait_for_connection: { timeout: 300 }
/// - name: now its facts are known
///   setup:
/// ```
pub static WAIT_FOR_CONNECTION: Kind = Kind {
    name: "wait_for_connection",
    aliases: &[
        "ansible.builtin.wait_for_connection",
        "ansible.legacy.wait_for_connection",
    ],
    summary: "waits until the node can be reached",
    params: &[
        Param::new(
            "timeout",
            ParamType::Int,
            "Seconds after which it is unreachable.",
        )
        .default("600"),
        Param::new("delay", ParamType::Int, "Seconds before the first try.").default("0"),
        Param::new("sleep", ParamType::Int, "Seconds between tries.").default("1"),
        Param::new(
            "connect_timeout",
            ParamType::Int,
            "Accepted; a try lasts as long as for every host.",
        )
        .default("5"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let names = ["timeout", "delay", "sleep", "connect_timeout"];
    let negative = |name: &&str| args.int(name).is_some_and(|seconds| seconds < 0);
    let faults = names.into_iter().filter(negative).map(|name| {
        Diagnostic::at(
            args.value_place(name),
            format!("`{name}` cannot be less than 0"),
        )
    });
    faults.collect()
}

fn bind(args: &Args, _: &dyn Controller) -> Bound {
    match check(args).into_iter().next() {
        Some(fault) => Err(fault.into()),
        None => Ok(Box::new(Answers)),
    }
}

/// A node that answers.
struct Answers;

impl Resource for Answers {
    /// Asks the cheapest question there is, so that a node that does not answer is noticed.
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Path("/".into())])?;
        Ok(Change::none("the node answers").result("elapsed", 0))
    }
}
