//! One play.

use std::sync::Arc;

use super::fields::is_literal;
use super::parse::{OfPlay, Reader, at};
use super::role_folder;
use super::search::project_folder;
use super::task::Outer;
use super::vars_files::{chosen_vars_file, closed_vars_file};
use super::{Order, Play, PlayRoles, Privilege, Task, VarsFile, keywords};
use crate::diagnostic::Diagnostic;
use crate::value::{Map, Value};

/// Keywords that may be templates and decide what is done before any host is known.
const UNSETTLED: &[&str] = &[
    "gather_facts",
    "force_handlers",
    "any_errors_fatal",
    "max_fail_percentage",
];

/// What an `import_playbook` gives to the plays it imports.
#[derive(Clone, Default)]
pub(super) struct Around {
    pub(super) when: Vec<Value>,
    pub(super) vars: Map,
    pub(super) tags: Vec<Arc<str>>,
}

impl Reader {
    pub(super) fn play(&mut self, value: &Value, map: &Map, around: &Around) -> Option<Play> {
        let Some(hosts) = map.get("hosts") else {
            let place = map.first().map_or(&value.span, |(_, entry)| &entry.key);
            let fault = Diagnostic::at(place, "the play has no `hosts`");
            let looks_like_task = map.keys().any(|key| self.find_kind(key).is_some());
            self.fault(if looks_like_task {
                fault.help("this looks like a task: tasks stand below `tasks:` of a play")
            } else {
                fault.help("say which hosts it is for: `hosts: all`")
            });
            return None;
        };
        let mut play = Play {
            name: hosts.value.span.text().trim().into(),
            span: map
                .first()
                .map_or(&value.span, |(_, entry)| &entry.key)
                .clone(),
            hosts: hosts.value.clone(),
            gather_facts: true,
            vars: Map::new(),
            prompts: Vec::new(),
            vars_files: Vec::new(),
            privilege: Privilege::default(),
            remote_user: None,
            connection: None,
            port: None,
            environment: Vec::new(),
            tags: around.tags.clone(),
            when: around.when.clone(),
            free: false,
            order: Order::default(),
            force_handlers: false,
            ignore_unreachable: None,
            serial: Vec::new(),
            may_fail: None,
            rolling: None,
            unsettled: Vec::new(),
            pre_tasks: Vec::new(),
            tasks: Vec::new(),
            post_tasks: Vec::new(),
            handlers: Vec::new(),
            roles: PlayRoles::default(),
            folder: self.folder(),
        };
        if let Some(text) = hosts.value.as_str() {
            play.name = text.into();
        }
        self.play_keywords(map, &mut play);
        // As in Ansible, what stands beside the import is stronger than the play's own.
        play.vars.extend(around.vars.clone());
        // Tasks inherit the tags, so they come when all keywords of the play are known.
        let words = map
            .iter()
            .filter(|(key, _)| keywords::INHERITED.contains(&key.as_ref()));
        let words: Map = words.map(|(key, it)| (key.clone(), it.clone())).collect();
        let (_, inherited) = self.keywords(&words, &Outer::default());
        play.ignore_unreachable = inherited.ignore_unreachable.clone();
        let outer = Outer {
            when: play.when.clone(),
            tags: play.tags.clone(),
            ..inherited
        };
        let section = |reader: &mut Reader, name: &str, handler: bool| match map.get(name) {
            Some(entry) => reader.tasks(&entry.value, name, &outer, handler),
            None => Vec::new(),
        };
        self.bases = role_folder::bases(
            &play.folder,
            &self.root,
            project_folder(&self.root).as_deref(),
            &self.installed,
        );
        self.of_play = OfPlay::default();
        play.pre_tasks = section(self, "pre_tasks", false);
        if let Some(entry) = map.get("roles") {
            play.tasks = self.roles_of_play(&entry.value, &outer);
        }
        play.tasks.extend(section(self, "tasks", false));
        play.post_tasks = section(self, "post_tasks", false);
        play.handlers = section(self, "handlers", true);
        let mut of_play = std::mem::take(&mut self.of_play);
        let no_handlers = std::mem::take(&mut of_play.no_handlers);
        of_play.join(&mut play);
        self.check_notify(&play, &no_handlers);
        Some(play)
    }

    fn play_keywords(&mut self, map: &Map, play: &mut Play) {
        for (key, entry) in map {
            let value = &entry.value;
            let unsettled = UNSETTLED.iter().find(|word| **word == key.as_ref());
            if let Some(word) = unsettled.filter(|_| is_template(value)) {
                play.unsettled.push((word, value.clone()));
                continue;
            }
            match key.as_ref() {
                "hosts" | "pre_tasks" | "roles" | "tasks" | "post_tasks" | "handlers" => {}
                "name" => {
                    if let Some(name) = self.text("name", value) {
                        play.name = name.as_str().unwrap_or("").into();
                    }
                }
                "gather_facts" => {
                    play.gather_facts = self.switch("gather_facts", value).unwrap_or(true);
                }
                // All facts are read in one script, whichever are wanted.
                "gather_subset" => drop(self.texts("gather_subset", value)),
                "gather_timeout" => drop(self.number("gather_timeout", value)),
                "force_handlers" => {
                    play.force_handlers = self.switch("force_handlers", value).unwrap_or(false);
                }
                "serial" => play.serial = self.serial(value),
                "max_fail_percentage" => {
                    if let Some(percentage) = self.percentage(value) {
                        play.may_fail = Some(play.may_fail.unwrap_or(percentage).min(percentage));
                    }
                }
                "any_errors_fatal" => {
                    if self.switch("any_errors_fatal", value) == Some(true) {
                        play.may_fail = Some(0.0);
                    }
                }
                // A variable may hold the whole mapping, for several playbooks.
                "strategy" => play.free = self.strategy(value),
                "order" => play.order = self.order(value),
                key if keywords::INHERITED.contains(&key) => {}
                "rolling" if value.as_map().is_some() || is_template(value) => {
                    play.rolling = Some(value.clone());
                }
                "rolling" if value.is_null() => {}
                "rolling" => self.wrong("rolling", "a mapping", value),
                "become" => play.privilege.become_ = self.flag("become", value),
                "become_user" => play.privilege.user = self.text("become_user", value),
                "become_method" => play.privilege.method = self.method(value),
                "remote_user" => play.remote_user = self.text("remote_user", value),
                "connection" => play.connection = self.connection(value),
                "port" => play.port = self.number("port", value),
                "vars" => play.vars.extend(self.vars(value)),
                "vars_prompt" => play.prompts = self.prompts(value),
                "vars_files" => play.vars_files = self.vars_files(value),
                "environment" => play.environment = self.environment(value),
                "tags" => play.tags.extend(self.words("tags", value)),
                other => self.unknown_in_play(other, &entry.key),
            }
        }
    }

    fn unknown_in_play(&mut self, key: &str, span: &crate::source::Span) {
        self.fault(match keywords::refused_in_play(key) {
            Some(instead) => {
                Diagnostic::at(span, format!("hadeploy does not have `{key}` on a play"))
                    .help(instead)
            }
            None if self.find_kind(key).is_some() => {
                Diagnostic::at(span, format!("`{key}` is a task, not a key of a play"))
                    .help("tasks stand below `tasks:`")
            }
            None => Diagnostic::at(span, format!("unknown key `{key}` of a play"))
                .nearest(key, keywords::PLAY.iter().copied()),
        });
    }

    fn connection(&mut self, value: &Value) -> Option<Value> {
        let connection = self.text("connection", value)?;
        let word = connection.as_str().unwrap_or("");
        if is_literal(&connection) && !["ssh", "smart", "local"].contains(&word) {
            self.fault(
                Diagnostic::at(&value.span, format!("`connection` cannot be `{word}`"))
                    .nearest(word, ["ssh", "local"])
                    .help("it is `ssh` or `local`"),
            );
            return None;
        }
        Some(connection)
    }

    fn vars_files(&mut self, value: &Value) -> Vec<VarsFile> {
        let items = match (&value.kind, value.as_list()) {
            (_, Some(items)) => items.to_vec(),
            _ if value.is_null() => Vec::new(),
            _ => vec![value.clone()],
        };
        let folder = self.folder();
        let mut files = Vec::new();
        for item in items {
            let literal = match item.as_list() {
                Some(choice) => choice.iter().all(is_literal),
                None => is_literal(&item),
            };
            if !literal {
                files.push(VarsFile::Template(item));
                continue;
            }
            let read = chosen_vars_file(&folder, &item)
                .and_then(|name| Ok((closed_vars_file(&folder, &name)?, name)));
            match read {
                Ok((vars, name)) => files.push(VarsFile::Read { name, vars }),
                Err(mut faults) => self.faults.append(&mut faults),
            }
        }
        files
    }

    /// The tasks of a list, those of imports in their place.
    pub(super) fn tasks(
        &mut self,
        value: &Value,
        section: &str,
        outer: &Outer,
        handler: bool,
    ) -> Vec<Task> {
        let mut tasks = Vec::new();
        let items = match value.as_list() {
            Some(items) => items,
            None if value.is_null() => &[],
            None => {
                let fault = Diagnostic::at(
                    &value.span,
                    format!(
                        "{section} must be a list of tasks, not {}",
                        value.type_name()
                    ),
                );
                self.fault(fault.help("begin each task with a dash: `- name: …`"));
                &[]
            }
        };
        for item in items {
            if self.is_full(&item.span) {
                break;
            }
            match item.as_map() {
                Some(map) if !map.is_empty() => self.task(item, map, outer, handler, &mut tasks),
                _ => self.fault(
                    Diagnostic::at(
                        &item.span,
                        match item.as_map() {
                            Some(_) => "the task is empty".to_owned(),
                            None if item.is_null() => "the task is empty".to_owned(),
                            None => format!("a task is a mapping, not {}", item.type_name()),
                        },
                    )
                    .help("a task is written `- apt: {name: nginx}`"),
                ),
            }
        }
        tasks
    }
}

/// The place of a task, as text.
pub(super) fn spot(map: &Map, value: &Value) -> (crate::source::Span, Arc<str>) {
    let span = map
        .first()
        .map_or(&value.span, |(_, entry)| &entry.key)
        .clone();
    let at = at(&span);
    (span, at)
}

fn is_template(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("{{"))
}
