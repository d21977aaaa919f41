//! `ping`: the node answers.

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::fact::{Known, Missing, Question};

/// Has the node answer, which shows that it can be logged in to.
///
/// # Differs from Ansible
/// - no Python is needed on the node
///
/// # Returns
/// - `ping`: the answer
///
/// # Examples
/// ```yaml
/// - name: it answers
///   ping:
/// ```
pub static PING: Kind = Kind {
    name: "ping",
    aliases: &["ansible.builtin.ping"],
    summary: "has the node answer",
    params: &[
        Param::new("data", ParamType::Str, "What it answers; `crash` fails.").default("pong"),
    ],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

struct Ping {
    data: String,
}

fn bind(args: &Args) -> Bound {
    Ok(Box::new(Ping {
        data: args.str("data").unwrap_or("pong").to_owned(),
    }))
}

impl Resource for Ping {
    /// Asks the cheapest question there is, so that a node that does not answer is noticed.
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Path("/".into())])?;
        if self.data == "crash" {
            return Ok(Change::failed("boom"));
        }
        Ok(Change::none(self.data.clone()).result("ping", self.data.clone()))
    }
}
