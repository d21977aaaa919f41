//! `fail`: ends the host's run with a message.

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::fact::{Known, Missing};

/// Ends the host's run with a message; mostly with `when`.
///
/// # Returns
/// - `msg`: the message
///
/// # Examples
/// ```yaml
/// - name: only Debian 12 and later
///   fail: { msg: "this node is too old" }
///   when: ansible_distribution_major_version | int < 12
/// ```
pub static FAIL: Kind = Kind {
    name: "fail",
    aliases: &["ansible.builtin.fail"],
    summary: "fails with a message",
    params: &[
        Param::new("msg", ParamType::Str, "What to say.").default("Failed as requested from task")
    ],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

struct Fail {
    message: String,
}

fn bind(args: &Args) -> Bound {
    Ok(Box::new(Fail {
        message: args
            .str("msg")
            .unwrap_or("Failed as requested from task")
            .to_owned(),
    }))
}

impl Resource for Fail {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        Ok(Change::failed(self.message.clone()).result("msg", self.message.clone()))
    }
}
