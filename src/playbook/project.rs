//! A project: playbooks, inventory and options resolved against each other, before anything is connected.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexSet;

use super::idle::Idle;
use super::parse::folder_of;
use super::select::{self, TagChoice};
use super::{
    Answers, BatchSize, Blank, Installed, Nobody, Play, Playbook, Search, Task, check, cluster,
    handler_names, parse_playbook, placing, project_folder, prompts, rolling, spec_values,
    undefined, unsettled,
};
use crate::diagnostic::Diagnostic;
use crate::inventory::{Inventory, read_vars};
use crate::name::HostName;
use crate::resource::{self, KINDS};
use crate::template::Templates;
use crate::value::{Map, parse_extra};
use crate::vault::Keyring;

/// Playbooks and inventory, resolved.
#[derive(Clone)]
pub struct Project {
    /// All hosts, with the variables beside inventory and playbooks.
    pub inventory: Inventory,
    /// The playbooks' paths as the user gave them.
    pub playbooks: Vec<String>,
    /// Every play in order, also those without hosts.
    pub plays: Vec<Scheduled>,
    /// `-e`, later ones over earlier ones; stronger than everything else.
    pub extra: Arc<Map>,
    /// Which tasks run; those of includes are chosen when they are included.
    pub tags: TagChoice,
    /// `--limit` as it was given.
    pub limit: Option<String>,
    /// The folder of the project, for sources that many playbooks share.
    pub folder: Option<PathBuf>,
    /// What opens its vaults.
    pub keyring: Keyring,
}

/// A play with its hosts.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The play; of its tasks, those that tags and `--start-at-task` leave.
    pub play: Play,
    /// Which one it is among those of the run.
    pub number: usize,
    /// Its hosts in inventory order; empty when it is skipped.
    pub hosts: Vec<HostName>,
    /// Hosts that its pattern selects and `--limit` leaves out: never changed.
    pub beyond: Vec<HostName>,
    /// The sizes of its batches, the last one for all that follow; none for one batch of all.
    pub batches: Vec<BatchSize>,
    /// The folder of the playbook it was given with: `playbook_dir`.
    pub playbook_folder: PathBuf,
}

/// What the command line asks for.
#[derive(Clone)]
pub struct Options {
    /// `--tags` and `--skip-tags`.
    pub tags: TagChoice,
    /// `--limit`.
    pub limit: Option<String>,
    /// Each `-e` as written: `k=v …`, `{…}` or `@file`.
    pub extra: Vec<String>,
    /// `--start-at-task`.
    pub start_at_task: Option<String>,
    /// The table of kinds.
    pub kinds: &'static [&'static resource::Kind],
    /// What opens vaults.
    pub keyring: Keyring,
    /// Where roles and collections are, behind those of the project.
    pub installed: Installed,
    /// Who answers `vars_prompt`.
    pub answers: Arc<dyn Answers>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            tags: TagChoice::default(),
            limit: None,
            extra: Vec::new(),
            start_at_task: None,
            kinds: KINDS,
            keyring: Keyring::default(),
            installed: Installed::default(),
            answers: Arc::new(Nobody),
        }
    }
}

impl Project {
    /// Hosts alone: what is done with them stands in no playbook.
    pub fn of_hosts(inventory: Inventory, keyring: Keyring) -> Project {
        Project {
            inventory,
            playbooks: Vec::new(),
            plays: Vec::new(),
            extra: Arc::default(),
            tags: TagChoice::default(),
            limit: None,
            folder: None,
            keyring,
        }
    }

    /// Reads and resolves everything. Nothing is to be connected while one of the diagnostics is an error. `templates`
    /// checks the templates, and keeps them compiled for the run.
    pub fn load(
        playbooks: &[String],
        inventories: &[String],
        options: &Options,
        templates: &Templates,
    ) -> (Project, Vec<Diagnostic>) {
        let mut faults = Vec::new();
        let extra = Arc::new(extra_vars(&options.extra, &options.keyring, &mut faults));
        let mut read: Vec<Playbook> = Vec::new();
        let mut next_id = 0;
        for path in playbooks {
            let (playbook, mut found) = parse_playbook(
                path,
                options.kinds,
                next_id,
                &options.keyring,
                &options.installed,
            );
            faults.append(&mut found);
            let last = playbook
                .plays
                .iter()
                .flat_map(Play::tasks_and_handlers)
                .map(|task| task.id + 1)
                .max();
            next_id = last.unwrap_or(next_id);
            read.push(playbook);
        }
        let folders: Vec<PathBuf> = playbooks
            .iter()
            .map(|path| folder_of(Path::new(path)))
            .collect();
        let (mut inventory, mut found) = Inventory::load(inventories, &folders, &options.keyring);
        let mut inventory_is_whole = !found.iter().any(Diagnostic::is_error);
        faults.append(&mut found);
        let mut project = Project {
            playbooks: playbooks.to_vec(),
            plays: read
                .into_iter()
                .zip(&folders)
                .flat_map(|(playbook, folder)| {
                    playbook.plays.into_iter().map(|play| Scheduled {
                        play,
                        number: 0,
                        hosts: Vec::new(),
                        beyond: Vec::new(),
                        batches: Vec::new(),
                        playbook_folder: folder.clone(),
                    })
                })
                .collect(),
            extra,
            tags: options.tags.clone(),
            limit: options.limit.clone(),
            folder: folders.first().and_then(|folder| project_folder(folder)),
            inventory: std::mem::take(&mut inventory),
            keyring: options.keyring.clone(),
        };
        for (number, scheduled) in project.plays.iter_mut().enumerate() {
            scheduled.number = number;
        }
        // Nobody is asked for the sake of files that are wrong.
        let answers: &dyn Answers = match faults.iter().any(Diagnostic::is_error) {
            true => &Blank,
            false => &*options.answers,
        };
        let asking = project.plays.iter_mut().map(|it| &mut it.play);
        prompts::ask(asking, &project.extra, answers, &mut faults);
        // Names missing from a broken inventory would be said twice.
        if inventory_is_whole {
            let limit = options.limit.as_deref();
            let plays = project.plays.iter_mut().map(|it| &mut it.play);
            for play in plays.filter(|play| play.places_by_files()) {
                faults.append(&mut play.open_vars_files(&options.keyring));
            }
            unsettled::settle(&mut project, templates, &mut faults);
            handler_names::fill_in(&mut project, templates, &mut faults);
            placing::hosts(&mut project, inventories, limit, templates, &mut faults);
            inventory_is_whole = project.open_vaults(&mut faults);
            placing::check_connections(&project, &mut faults);
        }
        let idle = Idle::of(&project, templates);
        faults.append(&mut idle.faults());
        faults.append(&mut check::templates(&project, templates, &idle));
        faults.append(&mut cluster::check(&project));
        faults.append(&mut rolling::check(&project));
        if inventory_is_whole {
            faults.append(&mut undefined::names(&project, templates, &idle));
        }
        project.choose_tasks(options, &mut faults);
        if inventory_is_whole {
            faults.append(&mut spec_values::faults(&project));
        }
        (project, once(faults))
    }

    /// Where a task's relative sources are looked for.
    pub fn search(&self, scheduled: &Scheduled, task: &Task) -> Search {
        Search {
            roles: task.role.as_ref().map_or(Vec::new(), |role| role.folders()),
            task: task.folder.clone(),
            playbook: scheduled.playbook_folder.clone(),
            project: self.folder.clone(),
        }
    }

    /// Opens what is encrypted among the variables of the hosts of all plays, and in the vars files of plays that read them; the rest stays as it
    /// is. False where something that is needed stays closed.
    fn open_vaults(&mut self, faults: &mut Vec<Diagnostic>) -> bool {
        let hosts: IndexSet<HostName> = self
            .plays
            .iter()
            .flat_map(|play| play.hosts.iter().cloned())
            .collect();
        let mut found = self.inventory.open(&hosts, &self.keyring);
        for scheduled in &mut self.plays {
            if scheduled.reads_files(&self.tags) {
                found.append(&mut scheduled.play.open_vars_files(&self.keyring));
            }
        }
        let whole = !found.iter().any(Diagnostic::is_error);
        faults.append(&mut found);
        whole
    }

    fn choose_tasks(&mut self, options: &Options, faults: &mut Vec<Diagnostic>) {
        let plays: Vec<&Play> = self.plays.iter().map(|scheduled| &scheduled.play).collect();
        faults.extend(options.tags.check(&plays));
        for Scheduled { play, .. } in &mut self.plays {
            for tasks in [&mut play.pre_tasks, &mut play.tasks, &mut play.post_tasks] {
                tasks.retain(|task| options.tags.takes(&task.tags));
            }
        }
        if let Some(name) = &options.start_at_task {
            let mut plays: Vec<&mut Play> = self
                .plays
                .iter_mut()
                .map(|scheduled| &mut scheduled.play)
                .collect();
            if let Err(fault) = select::start_at(&mut plays, name) {
                faults.push(*fault);
            }
        }
    }
}

/// All `-e` in order.
fn extra_vars(words: &[String], keyring: &Keyring, faults: &mut Vec<Diagnostic>) -> Map {
    let mut vars = Map::new();
    for word in words {
        let read = match word.strip_prefix('@') {
            Some(path) => read_vars(Path::new(path), keyring).map(|map| map.as_ref().clone()),
            None => parse_extra(word),
        };
        match read {
            Ok(map) => vars.extend(map),
            Err(mut found) => faults.append(&mut found),
        }
    }
    vars
}

/// A file that is imported twice has its faults once.
fn once(faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said = HashSet::new();
    faults
        .into_iter()
        .filter(|fault| said.insert((fault.one_line(), fault.label.clone())))
        .collect()
}
