//! The names that complete: hosts and groups of the inventories, tags of the playbook, playbooks, kinds, runs.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::collections;
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::cli::runs;
use crate::cli::words::TOPICS;
use crate::inventory::Inventory;
use crate::playbook::parse_playbook;
use crate::resource::KINDS;
use crate::vault::Keyring;

/// What completes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Hosts and groups.
    Hosts,
    /// Tags of tasks and plays.
    Tags,
    /// Files in YAML, and folders on the way to them.
    Files,
    /// Kinds of tasks, and the other pages of `hadeploy doc`.
    Pages,
    /// Runs that left a log.
    Runs,
}

impl Kind {
    /// By the name of an argument, which is the same in all subcommands.
    pub fn of(argument: &str) -> Option<Kind> {
        match argument {
            "limit" | "pattern" | "to" | "node" | "host" | "hosts" => Some(Kind::Hosts),
            "tags" | "skip_tags" => Some(Kind::Tags),
            "playbook" | "playbooks" | "inventory" => Some(Kind::Files),
            "names" => Some(Kind::Pages),
            "run" => Some(Kind::Runs),
            _ => None,
        }
    }
}

/// All names; of files those in the folder that `begun` leads to. What cannot be read has none.
pub fn of(kind: Kind, env: &Environment, begun: &str) -> BTreeSet<String> {
    match kind {
        Kind::Hosts => hosts(env).unwrap_or_default(),
        Kind::Tags => tags(env),
        Kind::Files => files(env, begun),
        Kind::Runs => {
            let paths = runs::folder(env).ok().and_then(|it| runs::paths(&it).ok());
            let paths = paths.unwrap_or_default();
            let names = paths.iter().map(|path| runs::run_of(path).to_owned());
            names.chain(["last".to_owned()]).collect()
        }
        Kind::Pages => {
            let kinds = KINDS.iter().map(|kind| kind.name);
            let all = kinds.chain(TOPICS.iter().map(|topic| topic.name));
            all.map(str::to_owned).collect()
        }
    }
}

/// The values of an option on the line that is being completed.
fn given(env: &Environment, long: &str, short: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = env.words.iter();
    while let Some(word) = words.next() {
        if word == long || word == short {
            values.extend(words.next().cloned());
        } else if let Some(value) = word.strip_prefix(&format!("{long}=")) {
            values.push(value.to_owned());
        }
    }
    values
}

fn hosts(env: &Environment) -> Option<BTreeSet<String>> {
    let inventories = Defaults::read(env)
        .ok()?
        .inventories(&given(env, "--inventory", "-i"));
    let (inventory, _) = Inventory::load(&inventories, &[], &Keyring::default());
    let hosts = inventory.hosts.keys().map(ToString::to_string);
    let groups = inventory.groups.keys().map(ToString::to_string);
    Some(hosts.chain(groups).collect())
}

/// Tags of the playbooks that stand on the line, else of the usual one.
fn tags(env: &Environment) -> BTreeSet<String> {
    let is_yaml = |word: &&String| word.ends_with(".yml") || word.ends_with(".yaml");
    let inventories = given(env, "--inventory", "-i");
    let named = env.words.iter().filter(is_yaml);
    let mut playbooks: Vec<String> = named
        .filter(|word| !inventories.contains(word))
        .cloned()
        .collect();
    if playbooks.is_empty() {
        let usual = Defaults::read(env)
            .ok()
            .and_then(|defaults| defaults.playbook);
        playbooks.extend(usual);
    }
    let mut tags = BTreeSet::new();
    for path in playbooks {
        let installed = collections::installed(env, std::slice::from_ref(&path));
        let (playbook, _) = parse_playbook(&path, KINDS, 0, &Keyring::default(), &installed);
        let plays = playbook.plays.iter();
        let all = plays.flat_map(|play| play.tasks_and_handlers().flat_map(|task| &task.tags));
        tags.extend(all.map(ToString::to_string));
    }
    tags
}

fn files(env: &Environment, begun: &str) -> BTreeSet<String> {
    let (folder, _) = begun.split_at(begun.rfind('/').map_or(0, |at| at + 1));
    let place = env.folder.join(&*env.expand(Path::new(folder)));
    let Ok(entries) = std::fs::read_dir(place) else {
        return BTreeSet::new();
    };
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let hidden = name.starts_with('.') && !begun.ends_with('.');
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        match entry.path().is_dir() {
            true if !hidden => Some(format!("{folder}{name}/")),
            false if yaml && !hidden => Some(format!("{folder}{name}")),
            _ => None,
        }
    });
    names.collect()
}
