//! `meta`: what the engine itself does between tasks.

use super::parse::Reader;
use super::task::Outer;
use super::{Meta, keywords};
use crate::diagnostic::Diagnostic;
use crate::value::{Map, Value};

/// The words of `meta`.
const WORDS: &[(&str, Meta)] = &[
    ("clear_facts", Meta::ClearFacts),
    ("end_batch", Meta::EndBatch),
    ("end_host", Meta::EndHost),
    ("end_play", Meta::EndPlay),
    ("end_role", Meta::EndRole),
    ("flush_handlers", Meta::FlushHandlers),
    ("noop", Meta::Noop),
    ("reset_connection", Meta::ResetConnection),
];

impl Reader {
    pub(super) fn meta(&mut self, value: &Value) -> Option<Meta> {
        let word = self.literal(value, "meta")?;
        if let Some((_, meta)) = WORDS.iter().find(|(name, _)| *name == &*word) {
            return Some(*meta);
        }
        let fault = match keywords::refused_meta(&word) {
            Some(instead) => Diagnostic::at(
                &value.span,
                format!("hadeploy does not have `meta: {word}`"),
            )
            .help(instead),
            None => {
                let words = WORDS.iter().map(|(name, _)| *name);
                Diagnostic::at(&value.span, format!("unknown `meta: {word}`"))
                    .nearest(&word, words.clone())
                    .help(format!("it is {}", crate::diagnostic::list(words)))
            }
        };
        self.fault(fault);
        None
    }

    /// What stands beside a `meta` and has no effect, as in Ansible; and one that has no role around it.
    pub(super) fn check_meta(&mut self, meta: Meta, map: &Map, outer: &Outer, handler: bool) {
        let key = map.first().map(|(_, entry)| entry.key.clone());
        let takes_no_when = matches!(
            meta,
            Meta::FlushHandlers | Meta::Noop | Meta::ResetConnection
        );
        if let Some(when) = map.get("when").filter(|_| takes_no_when) {
            self.fault(
                Diagnostic::warning(&when.key, "`when` has no effect on this `meta`")
                    .help("Ansible passes it over as well; remove the line"),
            );
        }
        let Some(key) = key else { return };
        if meta == Meta::ResetConnection {
            self.fault(
                Diagnostic::warning(&key, "`meta: reset_connection` does nothing").help(
                    "the connection of a run stays; commands with `become` have new groups at once, the login user has them in the next run",
                ),
            );
        }
        let word = WORDS.iter().find(|(_, named)| *named == meta);
        if let Some((word, _)) = word.filter(|_| handler)
            && matches!(meta, Meta::FlushHandlers | Meta::EndRole)
        {
            self.fault(
                Diagnostic::at(&key, format!("`meta: {word}` cannot be a handler")).help(
                    "handlers that a handler notifies run behind it; `end_host` ends the play for a host",
                ),
            );
        } else if meta == Meta::EndRole && outer.role.is_none() {
            self.fault(
                Diagnostic::at(&key, "`meta: end_role` stands in no role")
                    .help("`end_host` ends the play for a host"),
            );
        }
    }
}
