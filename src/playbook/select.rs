//! Which tasks of a play run: `--tags`, `--skip-tags` and `--start-at-task`, as Ansible reads them.

use std::sync::Arc;

use super::{Play, Task, TaskAction};
use crate::diagnostic::{Diagnostic, list};

/// Words of `--tags` that are no tags.
const SPECIAL: &[&str] = &["all", "tagged", "untagged", "always", "never"];

/// Tags asked for and tags left out.
#[derive(Debug, Clone, Default)]
pub struct TagChoice {
    /// `--tags`; none means `all`.
    pub only: Vec<String>,
    /// `--skip-tags`.
    pub skip: Vec<String>,
}

impl TagChoice {
    /// Whether a task with these tags runs.
    pub fn takes(&self, tags: &[Arc<str>]) -> bool {
        let has = |word: &str| tags.iter().any(|tag| &**tag == word);
        let any = |words: &[String]| {
            words
                .iter()
                .any(|word| has(word) || (word == "untagged" && tags.is_empty()))
        };
        let asked = |word: &str| self.only.iter().any(|only| only == word);
        let skipped = |word: &str| self.skip.iter().any(|skip| skip == word);
        let all = self.only.is_empty() || asked("all");
        let chosen = has("always")
            || (all && !has("never"))
            || any(&self.only)
            || (asked("tagged") && !tags.is_empty() && !has("never"));
        let left_out = if skipped("all") {
            !has("always") || skipped("always")
        } else {
            any(&self.skip) || (skipped("tagged") && !tags.is_empty())
        };
        chosen && !left_out
    }

    /// Says which asked tags no task has.
    pub(super) fn check(&self, plays: &[&Play]) -> Vec<Diagnostic> {
        let mut tasks = plays.iter().flat_map(|play| play.tasks_and_handlers());
        if tasks
            .any(|task| matches!(&task.action, TaskAction::Include(include) if include.is_open()))
        {
            // Their tags are known when they are included.
            return Vec::new();
        }
        let known: Vec<&str> = plays
            .iter()
            .flat_map(|play| play.tasks_and_handlers())
            .flat_map(|task| &task.tags)
            .map(Arc::as_ref)
            .collect();
        let unknown =
            |tag: &&String| !SPECIAL.contains(&tag.as_str()) && !known.contains(&tag.as_str());
        let said = |tag: &String, option: &str| {
            let fault = Diagnostic::error(format!("no task has the tag `{tag}` of `{option}`"))
                .nearest(tag, known.iter().copied());
            let mut words: Vec<&str> = known.clone();
            words.sort_unstable();
            words.dedup();
            if words.is_empty() {
                fault.help("no task has any tag")
            } else {
                fault.help(format!("there are {}", list(words)))
            }
        };
        let only = self
            .only
            .iter()
            .filter(unknown)
            .map(|tag| said(tag, "--tags"));
        let skip = self.skip.iter().filter(unknown).map(|tag| {
            let mut fault = said(tag, "--skip-tags");
            fault.severity = crate::diagnostic::Severity::Warning;
            fault
        });
        only.chain(skip).collect()
    }
}

/// Drops all tasks before the one of that name (or that a glob of Ansible's kind matches), over all plays in order.
pub(super) fn start_at(plays: &mut [&mut Play], name: &str) -> Result<(), Box<Diagnostic>> {
    let glob = globset::Glob::new(name)
        .ok()
        .map(|glob| glob.compile_matcher());
    let fits = |task: &Task| {
        task.is_called(name)
            || glob
                .as_ref()
                .is_some_and(|glob| glob.is_match(&*task.label))
    };
    let Some(first) = plays
        .iter()
        .flat_map(|play| play.all_tasks())
        .find(|task| fits(task))
        .map(|task| task.id)
    else {
        let labels = plays
            .iter()
            .flat_map(|play| play.all_tasks())
            .map(|task| &*task.label);
        return Err(Box::new(
            Diagnostic::error(format!("no task is called `{name}`"))
                .nearest(name, labels)
                .help("`--list-tasks` shows their names"),
        ));
    };
    for play in plays {
        for tasks in [&mut play.pre_tasks, &mut play.tasks, &mut play.post_tasks] {
            tasks.retain(|task| task.id >= first);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(only: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let tags: Vec<Arc<str>> = tags.iter().map(|tag| Arc::from(*tag)).collect();
        TagChoice {
            only: owned(only),
            skip: owned(skip),
        }
        .takes(&tags)
    }

    #[test]
    fn tags_mean_what_they_mean_in_ansible() {
        for (only, skip, tags, wanted) in [
            (&[][..], &[][..], &[][..], true),
            (&[], &[], &["never"], false),
            (&[], &[], &["never", "debug"], false),
            (&["debug"], &[], &["never", "debug"], true),
            (&["never"], &[], &["never"], true),
            (&["a"], &[], &["a", "b"], true),
            (&["a"], &[], &["b"], false),
            (&["a"], &[], &[], false),
            (&["a"], &[], &["always"], true),
            (&["tagged"], &[], &["b"], true),
            (&["tagged"], &[], &[], false),
            (&["tagged"], &[], &["never"], false),
            (&["untagged"], &[], &[], true),
            (&["untagged"], &[], &["b"], false),
            (&["all"], &[], &["never"], false),
            (&[], &["a"], &["a"], false),
            (&[], &["a"], &["always", "a"], false),
            (&[], &["always"], &["always"], false),
            (&[], &["all"], &["always"], true),
            (&[], &["all"], &["b"], false),
            (&[], &["tagged"], &["b"], false),
            (&[], &["tagged"], &[], true),
            (&[], &["untagged"], &[], false),
            (&["a"], &["b"], &["a", "b"], false),
        ] {
            assert_eq!(
                takes(only, skip, tags),
                wanted,
                "{only:?} {skip:?} {tags:?}"
            );
        }
    }
}
