//! What the command line asked for, as variables.

use minijinja::Value as Native;
use serde_json::json;

use crate::engine::native;
use crate::engine::state::Run;
use crate::template::Lookup;

/// The release of ansible-core whose language hadeploy speaks; projects ask for it to refuse what is too old for them.
const LANGUAGE: (u32, u32, u32) = (2, 19, 0);

/// None when the variable is none of these.
pub(super) fn asked(run: &Run, name: &str) -> Option<Lookup> {
    let project = &run.project;
    let value = match name {
        "ansible_forks" => native(run.settings.forks),
        "ansible_limit" => match &project.limit {
            Some(limit) => Native::from(limit.as_str()),
            None => return Some(Lookup::Undefined),
        },
        "ansible_run_tags" if project.tags.only.is_empty() => native(["all"]),
        "ansible_run_tags" => native(&project.tags.only),
        "ansible_skip_tags" => native(&project.tags.skip),
        "ansible_verbosity" => native(run.settings.verbosity),
        "ansible_version" => {
            let (major, minor, revision) = LANGUAGE;
            let text = format!("{major}.{minor}.{revision}");
            native(json!({
                "full": text, "string": text, "major": major, "minor": minor, "revision": revision,
            }))
        }
        _ => return None,
    };
    Some(Lookup::Ready(value))
}
