//! The tables against those that files are read with.

use std::collections::BTreeSet;

use super::{TOPICS, Word, files, play, task};
use crate::inventory::connection;
use crate::playbook::keywords;
use crate::rollout::settings as rolling;
use crate::settings;

fn same(what: &str, words: &[Word], read: &[&str]) {
    let names: BTreeSet<&str> = words.iter().map(|word| word.name).collect();
    let read: BTreeSet<&str> = read.iter().copied().collect();
    let lacking: Vec<_> = read.difference(&names).collect();
    let dead: Vec<_> = names.difference(&read).collect();
    assert!(
        lacking.is_empty() && dead.is_empty(),
        "{what}: cli::words has no row for {lacking:?}, and rows for {dead:?}, which nobody reads"
    );
    assert_eq!(names.len(), words.len(), "{what}: a row stands there twice");
    for word in words {
        assert!(
            word.doc.ends_with('.'),
            "{what}: `{}`: {}",
            word.name,
            word.doc
        );
    }
}

#[test]
fn each_word_that_is_read_has_a_row() {
    same("a play", play::PLAY, keywords::PLAY);
    same("a task", task::TASK, keywords::TASK);
    same("a block", task::BLOCK, keywords::BLOCK);
    // What goes with an import goes with an entry of `roles`, but for `args`.
    let beside = keywords::IMPORT.iter().copied();
    let mut role: Vec<&str> = beside.filter(|key| *key != "args").collect();
    role.push("role");
    same("an entry of roles", play::ROLE, &role);
    let mut import = keywords::IMPORT_PLAYBOOK.to_vec();
    import.push("import_playbook");
    same("import_playbook", play::IMPORT_PLAYBOOK, &import);
    same("rolling", play::ROLLING, rolling::KEYS);
    same("health", play::HEALTH, rolling::HEALTH);
    same("release", play::RELEASE, rolling::RELEASE);
    same("settings", files::SETTINGS, settings::KEYS);
    let variables: Vec<&str> = connection::VARIABLES
        .iter()
        .map(|(name, _)| *name)
        .collect();
    same("inventory", files::CONNECTION, &variables);
}

#[test]
fn topics_are_no_kinds() {
    for topic in TOPICS {
        assert!(
            crate::resource::kind(topic.name).is_none(),
            "{}",
            topic.name
        );
    }
}
