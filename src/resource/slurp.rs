//! `slurp`: the content of a file of the node, for `register`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::attributes::homeless;
use super::place::{state, trimmed};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::fact::path::TEXT_LIMIT;
use crate::fact::{Known, Missing, Question};

/// Reads a file of the node into a variable, in base64 as in Ansible: `{{ motd.content | b64decode }}` is its text. Reading never waits for
/// other hosts, and a plan reads it too.
///
/// # Differs from Ansible
/// - a file of more than 8 MiB is refused: `fetch` takes larger ones
///
/// # Returns
/// - `content`: what is in the file, in base64
/// - `encoding`: `base64`
/// - `source`: the path that was read
///
/// # Examples
/// ```yaml
/// - name: what is mounted
///   slurp: { src: /proc/mounts }
///   register: mounts
/// - name: it is shown
///   debug: { msg: "{{ mounts.content | b64decode }}" }
/// ```
pub static SLURP: Kind = Kind {
    name: "slurp",
    aliases: &["ansible.builtin.slurp", "ansible.legacy.slurp"],
    summary: "reads a file of the node, up to 8 MiB, for `register`",
    params: &[Param::new(
        "src",
        ParamType::Path,
        "The file. What is behind a link is read.",
    )
    .required()
    .aliases(&["path"])],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind: |args, controller| bind(args, controller),
};

/// A file that is read.
struct Slurp {
    src: Arc<str>,
}

fn bind(args: &Args, _: &dyn Controller) -> Bound {
    Ok(Box::new(Slurp {
        src: trimmed(args.str("src").unwrap_or_default()).into(),
    }))
}

impl Resource for Slurp {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([
            Question::Path(self.src.clone()),
            Question::Text(self.src.clone()),
        ])?;
        let info = known.path(&self.src)?;
        if let Some(change) = homeless(info) {
            return Ok(change);
        }
        if let Some(bytes) = known.text(&self.src)? {
            return Ok(Change::none("read")
                .result("content", STANDARD.encode(bytes))
                .result("encoding", "base64")
                .result("source", &*info.abs));
        }
        let kind = info.stat.as_ref().map(|stat| stat.target_kind);
        Ok(match kind {
            None | Some('N' | 'L') => {
                Change::blocked(format!("no file `{}` is on the node", self.src))
                    .help("correct the path, or put a `stat` before it and a `when` on this task")
            }
            Some('f') => Change::failed(format!(
                "`{}` is larger than {} MiB, or cannot be read",
                self.src,
                TEXT_LIMIT >> 20
            ))
            .help("`fetch` takes files of up to 64 MiB; give `become: true` for a file of another account"),
            Some(_) => Change::failed(format!(
                "`{}` is a {}, not a file",
                self.src,
                state(info.stat.as_ref())
            ))
            .help("`find` lists what is in a folder"),
        })
    }
}
