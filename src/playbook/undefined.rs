//! Names that nothing defines, found before anything is connected. Only what no source could define is said.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::fields::is_template;
use super::idle::Idle;
use super::magic::{LOOP, MAGIC, RESCUE, ROLE, is_fact};
use super::project::{Project, Scheduled};
use super::uses::{self, Use};
use super::{Part, Task, TaskAction, VarsFile, check};
use crate::diagnostic::Diagnostic;
use crate::fact::gather;
use crate::resource::{RenderOptions, may_bring};
use crate::source::{Source, Span};
use crate::template::{FreeName, Templates};
use crate::value::{Kind, Map, Value, place};

/// The faults of all names in a project.
pub(super) fn names(project: &Project, templates: &Templates, idle: &Idle<'_>) -> Vec<Diagnostic> {
    let run = &idle.run;
    let mut faults = Vec::new();
    for scheduled in &project.plays {
        let mut reader = Reader {
            templates,
            run,
            known: definitions(project, scheduled),
            open: run.open
                || scheduled.hosts.is_empty()
                || scheduled.play.has_closed_files()
                || scheduled
                    .play
                    .vars_files
                    .iter()
                    .any(|file| matches!(file, VarsFile::Template(_))),
            asked: Vec::new(),
            visited: HashSet::new(),
            faults: Vec::new(),
        };
        reader.play(scheduled);
        for task in scheduled.play.tasks_and_handlers() {
            let before = reader.faults.len();
            reader.task(task, check::template_files(project, scheduled, task));
            idle.forgive(task, &mut reader.faults, before);
        }
        faults.append(&mut reader.faults);
    }
    faults
}

/// What tasks define while they run.
pub(super) struct Run {
    pub(super) names: HashSet<Arc<str>>,
    /// Whether a name is itself a template, so that it can be any.
    pub(super) open: bool,
}

impl Run {
    pub(super) fn of(project: &Project) -> Run {
        let mut run = Run {
            names: HashSet::new(),
            open: false,
        };
        let tasks = project
            .plays
            .iter()
            .flat_map(|scheduled| scheduled.play.tasks_and_handlers());
        for task in tasks {
            run.names.extend(task.register.clone());
            if task.within.iter().any(|within| within.part == Part::Rescue) {
                run.names.extend(RESCUE.iter().map(|name| Arc::from(*name)));
            }
            // Variables of a file that is chosen in the run lie, as far as can be told, beside those it may be.
            let told = matches!(&task.action, TaskAction::Vars(ask) if !ask.possible.is_empty());
            run.open |= task.is_open() && !told;
            if let TaskAction::Vars(ask) = &task.action {
                let possible = ask.possible.iter().flat_map(|map| map.keys());
                run.names.extend(possible.cloned());
                run.names.extend(ask.names().into_iter().flatten());
            }
            for name in set_by(task) {
                run.open |= is_template(&name);
                run.names.insert(name);
            }
        }
        run
    }
}

/// The names a `set_fact` sets; of a fact that a task brings, both its names.
fn set_by(task: &Task) -> Vec<Arc<str>> {
    match &task.action {
        TaskAction::Kind { kind, args } if kind.name != "set_fact" => may_bring(kind, args)
            .into_iter()
            .flat_map(|name| [brought(&name).into(), name.into()])
            .collect(),
        TaskAction::Kind { kind, args } if kind.name == "set_fact" => {
            let facts = may_bring(kind, args).into_iter();
            let facts = facts.map(|name| brought(&name).into());
            facts
                .chain(args.open().map(|(name, _)| name.into()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The name of a fact that a task brings, among those that tasks define.
fn brought(name: &str) -> String {
    format!("ansible_facts.{name}")
}

/// All values a name can have on some host of the play, those of tasks apart.
fn definitions(project: &Project, scheduled: &Scheduled) -> HashMap<Arc<str>, Vec<Value>> {
    let mut known: HashMap<Arc<str>, Vec<Value>> = HashMap::new();
    let mut maps: HashSet<*const Map> = HashSet::new();
    let mut add = |map: &Map| {
        for (name, entry) in map {
            known
                .entry(name.clone())
                .or_default()
                .push(entry.value.clone());
        }
    };
    for host in &scheduled.hosts {
        let layers = project.inventory.hosts.get(host).map(|host| &host.layers);
        for layer in layers.into_iter().flatten() {
            if maps.insert(Arc::as_ptr(&layer.vars)) {
                add(&layer.vars);
            }
        }
    }
    let public = scheduled.play.roles.public.iter();
    let included = scheduled.play.tasks_and_handlers().filter_map(|task| {
        let TaskAction::Include(include) = &task.action else {
            return None;
        };
        Some(&include.read.as_ref()?.public)
    });
    for role in public.chain(included.flatten()) {
        role.shown_defaults.iter().for_each(|map| add(map));
        role.shown_vars.iter().for_each(|map| add(map));
    }
    add(&scheduled.play.vars);
    for file in &scheduled.play.vars_files {
        if let VarsFile::Read { vars, .. } = file {
            add(vars);
        }
    }
    add(&project.extra);
    known
}

struct Reader<'a> {
    templates: &'a Templates,
    run: &'a Run,
    known: HashMap<Arc<str>, Vec<Value>>,
    /// Whether anything may be defined, so that nothing is said of names.
    open: bool,
    /// Facts that the task asks for only where they are there.
    asked: Vec<&'static str>,
    /// Values followed already, by their place.
    visited: HashSet<(*const Source, u32, String)>,
    faults: Vec<Diagnostic>,
}

/// What a task adds to the names of its play.
struct Local<'a> {
    /// Weakest first.
    vars: Vec<&'a Arc<Map>>,
    names: Vec<&'a str>,
}

impl Local<'_> {
    const NONE: Local<'static> = Local {
        vars: Vec::new(),
        names: Vec::new(),
    };

    fn defines(&self, name: &str) -> bool {
        self.names.contains(&name) || self.vars.iter().any(|map| map.contains_key(name))
    }
}

impl Reader<'_> {
    fn play(&mut self, scheduled: &Scheduled) {
        let play = &scheduled.play;
        let values = play
            .environment
            .iter()
            .chain(&play.remote_user)
            .chain(uses::of_privilege(&play.privilege));
        for value in values {
            self.facts(value, Use::Template);
            self.names(self.templates.free_names(value), &Local::NONE);
        }
    }

    fn task(&mut self, task: &Task, templates: Vec<Arc<Source>>) {
        self.asked = asked(&task.when);
        let mut local = Local {
            vars: task.role.iter().flat_map(|role| &role.defaults).collect(),
            names: task.given.iter().map(Arc::as_ref).collect(),
        };
        local.vars.extend(task.vars.iter().chain(&task.params));
        if task.role.is_some() {
            local.names.extend(ROLE);
        }
        if let Some(repeat) = &task.repeat {
            local.names.push(&repeat.var);
            local.names.extend(repeat.index_var.as_deref());
            local.names.extend(LOOP);
        }
        let conditional = !task.when.is_empty();
        let mut first_when = true;
        for (value, how) in uses::of(task) {
            self.facts(value, how);
            let names = match how {
                Use::Template => self.templates.free_names(value),
                Use::Expression | Use::When => self.templates.free_names_of_condition(value),
            };
            // A condition is only sure to be read when it is the first; the rest of the task only without one.
            let sure = match how {
                Use::When => std::mem::take(&mut first_when),
                _ => !conditional,
            };
            if sure {
                self.names(names, &local);
            } else {
                self.fact_variables(&names, &local);
            }
        }
        if let TaskAction::Kind { kind, .. } = &task.action
            && kind.name == "config_tree"
        {
            local.names.push("config_tree_id");
        }
        for source in templates {
            self.facts_in(source.text(), &|start, end| Span::new(&source, start, end));
            let names = self
                .templates
                .free_names_of_source(&source, &RenderOptions::default());
            // `template` tells its file about itself.
            local.names.extend([
                "template_path",
                "template_host",
                "template_uid",
                "template_mtime",
                "template_run_date",
                "template_fullpath",
                "template_destpath",
            ]);
            if conditional {
                self.fact_variables(&names, &local);
            } else {
                self.names(names, &local);
            }
        }
    }

    /// Says which names nothing defines, and follows the others into their values.
    fn names(&mut self, names: Vec<FreeName>, local: &Local<'_>) {
        self.fact_variables(&names, local);
        for name in names.into_iter().filter(|name| !name.guarded) {
            if let Some(values) = self.values(&name.name, local) {
                for value in values {
                    let source: *const Source = Arc::as_ptr(value.span.source());
                    // A value with two meanings of a name inside is followed once for each name it came from.
                    if self
                        .visited
                        .insert((source, value.span.start(), name.name.clone()))
                    {
                        self.facts(&value, Use::Template);
                        self.names(self.templates.free_names(&value), local);
                    }
                }
            } else if !self.open
                && !self.is_set(&name.name, local)
                && !name.name.starts_with("ansible_")
            {
                self.undefined(&name, local);
            }
        }
    }

    /// The written values of a name; none when it has no written ones.
    fn values(&self, name: &str, local: &Local<'_>) -> Option<Vec<Value>> {
        if local.names.contains(&name) || self.run.names.contains(name) {
            return None;
        }
        if let Some(entry) = local.vars.iter().rev().find_map(|map| map.get(name)) {
            return Some(vec![entry.value.clone()]);
        }
        self.known.get(name).cloned()
    }

    fn is_set(&self, name: &str, local: &Local<'_>) -> bool {
        local.defines(name)
            || self.run.names.contains(name)
            || self.known.contains_key(name)
            || MAGIC.contains(&name)
    }

    fn undefined(&mut self, name: &FreeName, local: &Local<'_>) {
        let words = self
            .known
            .keys()
            .chain(&self.run.names)
            .map(Arc::as_ref)
            .chain(local.names.iter().copied())
            .chain(
                local
                    .vars
                    .iter()
                    .flat_map(|map| map.keys().map(Arc::as_ref)),
            )
            .chain(MAGIC.iter().copied());
        let mut fault = Diagnostic::at(&name.span, format!("`{}` is not defined", name.name))
            .nearest(&name.name, words);
        fault = if gather::NAMES.contains(&name.name.as_str()) {
            fault.help(format!(
                "the fact of that name is `ansible_facts.{}`",
                name.name
            ))
        } else {
            fault.help(
                "no host of the play has it, and no task sets it; give it a value, or a `default`",
            )
        };
        self.faults.push(fault);
    }

    /// `ansible_NAME` that is neither a fact, nor set, nor a variable of the run.
    fn fact_variables(&mut self, names: &[FreeName], local: &Local<'_>) {
        for name in names {
            let Some(fact) = gather::of_variable(&name.name) else {
                continue;
            };
            let known = is_fact(fact)
                || self.is_set(&name.name, local)
                || crate::inventory::is_connection_variable(&name.name);
            if !known {
                self.faults.push(
                    Diagnostic::at(&name.span, format!("unknown fact `{}`", name.name))
                        .nearest(fact, gather::NAMES.iter().copied())
                        .help("a task `debug: var=ansible_facts` shows those of a host")
                        .absent(),
                );
            }
        }
    }

    /// `ansible_facts.NAME` in all texts of a value.
    fn facts(&mut self, value: &Value, how: Use) {
        match &value.kind {
            Kind::Str(text) if how != Use::Template || is_template(text) => {
                self.facts_in(text, &|start, end| {
                    place(&value.span, text, start as usize..end as usize)
                });
            }
            Kind::List(items) => items.iter().for_each(|item| self.facts(item, how)),
            Kind::Map(map) => map.values().for_each(|entry| self.facts(&entry.value, how)),
            _ => {}
        }
    }

    fn facts_in(&mut self, text: &str, spot: &dyn Fn(u32, u32) -> Span) {
        static FACT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r#"\bansible_facts(?:\.([A-Za-z_]\w*)\b(\s*\()?|\[\s*['"]([^'"]+)['"]\s*\])"#,
            )
            .expect("the expression is constant")
        });
        // Most texts name none, and the expression need not be compiled for them.
        if !text.contains("ansible_facts") {
            return;
        }
        for found in FACT.captures_iter(text) {
            // `ansible_facts.get(…)` and `.items()` are methods; `result.ansible_facts` is what a task brought.
            let before = &text[..found.get(0).map_or(0, |all| all.start())];
            if found.get(2).is_some() || (before.ends_with('.') && !is_of_host(before)) {
                continue;
            }
            let Some(fact) = found.get(1).or(found.get(3)) else {
                continue;
            };
            let known = is_fact(fact.as_str())
                || self.asked.iter().any(|name| **name == *fact.as_str())
                || self.run.names.contains(brought(fact.as_str()).as_str());
            if !known {
                let span = spot(fact.start() as u32, fact.end() as u32);
                self.faults.push(
                    Diagnostic::at(&span, format!("unknown fact `{}`", fact.as_str()))
                        .nearest(fact.as_str(), gather::NAMES.iter().copied())
                        .help("a task `debug: var=ansible_facts` shows those of a host")
                        .absent(),
                );
            }
        }
    }
}

/// The facts brought by tasks, which may be another role's, that some conditions only go on with where they are there.
fn asked(when: &[Value]) -> Vec<&'static str> {
    static ASKED: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
        let pattern = |fact: &str| {
            Regex::new(&format!(
                r#"ansible_facts(?:\.{fact}|\[['"]{fact}['"]\])(?:\.\w+|\[[^\]]*\])*\s*(?:is\s+defined|\|\s*(?:default|d)\b)"#
            ))
            .expect("the expression is constant")
        };
        ["services", "packages"]
            .map(|fact| (fact, pattern(fact)))
            .into()
    });
    let texts: Vec<&str> = when
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| text.contains("ansible_facts"))
        .collect();
    if texts.is_empty() {
        return Vec::new();
    }
    let found = ASKED
        .iter()
        .filter(|(_, asks)| texts.iter().any(|text| asks.is_match(text)));
    found.map(|(fact, _)| *fact).collect()
}

/// Whether a host's facts follow: `hostvars[…].`.
fn is_of_host(before: &str) -> bool {
    let index = before.strip_suffix("].");
    let opened = index.and_then(|index| Some(&index[..index.rfind('[')?]));
    opened.is_some_and(|before| before.ends_with("hostvars"))
}
