//! One task, or one import of tasks.

use std::sync::Arc;

use super::action::Action;
use super::module_defaults::Defaults;
use super::never::never_holds;
use super::parse::Reader;
use super::role::Role;
use super::{Loop, Privilege, Rollout, RunOnce, Task, TaskAction, Until, Within, keywords};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Kind, Map, Value};

/// What imports, and the play, give to a task.
#[derive(Debug, Clone, Default)]
pub(super) struct Outer {
    pub(super) when: Vec<Value>,
    pub(super) vars: Vec<Arc<Map>>,
    /// `vars` of includes, which are stronger than what tasks set.
    pub(super) params: Vec<Arc<Map>>,
    /// The role whose files are read.
    pub(super) role: Option<Arc<Role>>,
    pub(super) tags: Vec<Arc<str>>,
    pub(super) privilege: Privilege,
    pub(super) environment: Vec<Value>,
    pub(super) no_log: Option<Value>,
    pub(super) check_mode: Option<Value>,
    pub(super) diff: Option<Value>,
    pub(super) ignore_errors: Option<Value>,
    pub(super) ignore_unreachable: Option<Value>,
    pub(super) timeout: Option<Value>,
    pub(super) throttle: Option<Value>,
    pub(super) remote_user: Option<Value>,
    pub(super) rollout: Option<Rollout>,
    pub(super) run_once: RunOnce,
    pub(super) fatal: bool,
    /// The collections whose roles short names may mean.
    pub(super) collections: Vec<Arc<str>>,
    /// `module_defaults`, outer first.
    pub(super) defaults: Vec<Defaults>,
    pub(super) delegate: Option<Value>,
    pub(super) delegate_facts: Option<Value>,
    pub(super) notify: Vec<Value>,
    pub(super) within: Vec<Within>,
    /// Variables of the loops of includes.
    pub(super) given: Vec<Arc<str>>,
    /// How many includes are around.
    pub(super) includes: usize,
    /// Whether a handler includes the file that is read.
    pub(super) in_handler: bool,
}

/// The keywords that only a task has, not an import.
#[derive(Default)]
pub(super) struct Own {
    name: Option<Value>,
    register: Option<Arc<str>>,
    pub(super) notify: Vec<Value>,
    listen: Vec<Arc<str>>,
    changed_when: Vec<Value>,
    failed_when: Vec<Value>,
    until: Option<Until>,
}

impl Reader {
    /// Reads one entry of a list of tasks into `tasks`. What is wrong with one that no node does is nobody's fault.
    pub(super) fn task(
        &mut self,
        value: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        tasks: &mut Vec<Task>,
    ) {
        let renamed = super::loops::with_short_name(map);
        let map = renamed.as_ref().unwrap_or(map);
        let before = (self.faults.len(), tasks.len());
        self.live_task(value, map, outer, handler, tasks);
        let when = map.get("when");
        let conditional = when.is_some() || !outer.when.is_empty() || outer.includes > 0;
        if when.is_some_and(|when| never_holds(&when.value))
            || (conditional && self.is_absent(before.0))
        {
            self.never(before, value, map, outer, handler, tasks);
        }
    }

    fn live_task(
        &mut self,
        value: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        tasks: &mut Vec<Task>,
    ) {
        if super::block::is_block(map) {
            return self.block(value, map, outer, handler, tasks);
        }
        let defaults = match map.get("module_defaults") {
            Some(entry) => {
                // What is wrong with them is said with the other keywords.
                let own = self.quietly(|reader| reader.module_defaults(&entry.value));
                outer.defaults.iter().cloned().chain(own).collect()
            }
            None => outer.defaults.clone(),
        };
        let Some(action) = self.action(value, map, &defaults) else {
            // The keywords are read all the same, for what is wrong with them.
            self.keywords(map, &outer.clone());
            self.repeat(map);
            return;
        };
        let action = match action {
            Action::ImportRole(span, ask) => {
                let imported = self.import_role(&span, ask, map, outer, handler);
                return tasks.extend(imported);
            }
            Action::Import(file) => return self.import(&file, map, outer, handler, tasks),
            Action::Include(asked) => {
                return self.include(value, map, outer, handler, asked, tasks);
            }
            Action::Vars(ask) => {
                let (_, inherited) = self.quietly(|reader| reader.keywords(map, outer));
                let may_fail = inherited.ignore_errors.is_some()
                    || !inherited.within.is_empty()
                    || map.contains_key("failed_when")
                    || map.contains_key("until")
                    || !inherited.when.is_empty();
                self.read_include_vars(ask, outer, may_fail)
            }
            Action::Run(action) => {
                if let TaskAction::Meta(meta) = action {
                    self.check_meta(meta, map, outer, handler);
                }
                action
            }
        };
        let (own, inherited) = self.keywords(map, outer);
        let repeat = self.repeat(map);
        if !own.listen.is_empty() && !handler {
            let span = map.get("listen").map_or(&value.span, |entry| &entry.key);
            self.fault(
                Diagnostic::at(span, "only handlers listen")
                    .help("move the task below `handlers:`, or remove `listen`"),
            );
        }
        self.check_included_handler(map, outer);
        let spot = super::play::spot(map, value);
        tasks.push(self.made(spot, action, own, inherited, repeat, handler));
    }

    /// Reads something without keeping what is wrong with it: it is read again.
    pub(super) fn quietly<T>(&mut self, read: impl FnOnce(&mut Reader) -> T) -> T {
        let before = self.faults.len();
        let read = read(self);
        self.faults.truncate(before);
        read
    }

    /// A task of what was read.
    pub(super) fn made(
        &mut self,
        (span, at): (Span, Arc<str>),
        action: TaskAction,
        own: Own,
        inherited: Outer,
        repeat: Option<Loop>,
        handler: bool,
    ) -> Task {
        let role = inherited.role;
        let named = own.name.as_ref().and_then(Value::as_str);
        let plain = named.unwrap_or(action.name());
        let included = match &action {
            TaskAction::Include(include) if named.is_none() => include.role_name(),
            _ => None,
        };
        // As in Ansible, one that has no name says which role it includes, and not of which role it is.
        let label = match (included, &role) {
            (Some(name), _) => format!("{plain} : {name}").into(),
            (None, Some(role)) => format!("{} : {plain}", role.own.name).into(),
            (None, None) => plain.into(),
        };
        let of_role = |layers: fn(&Role) -> &Vec<Arc<Map>>| {
            role.iter().flat_map(move |role| layers(role)).cloned()
        };
        let run_once = match inherited.rollout == Some(Rollout::Once) || action.asks() {
            true => RunOnce::Yes,
            false => inherited.run_once,
        };
        Task {
            id: self.task_id(),
            label,
            name: own.name,
            at,
            span,
            action,
            when: inherited.when,
            vars: of_role(|role| &role.vars).chain(inherited.vars).collect(),
            params: of_role(|role| &role.params)
                .chain(inherited.params)
                .collect(),
            repeat,
            register: own.register,
            notify: if own.notify.is_empty() {
                inherited.notify
            } else {
                own.notify
            },
            listen: own.listen,
            changed_when: own.changed_when,
            failed_when: own.failed_when,
            until: own.until,
            ignore_errors: inherited.ignore_errors,
            ignore_unreachable: inherited.ignore_unreachable,
            tags: inherited.tags,
            privilege: inherited.privilege,
            environment: inherited.environment,
            no_log: inherited.no_log,
            check_mode: inherited.check_mode,
            diff: inherited.diff,
            timeout: inherited.timeout,
            throttle: inherited.throttle,
            remote_user: inherited.remote_user,
            rollout: inherited.rollout,
            fatal: inherited.fatal,
            run_once,
            delegate: inherited.delegate,
            delegate_facts: inherited.delegate_facts,
            handler,
            within: inherited.within.into(),
            given: inherited.given,
            folder: self.folder(),
            role,
        }
    }

    fn import(
        &mut self,
        file: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        tasks: &mut Vec<Task>,
    ) {
        for (key, entry) in map {
            let is_import = super::action::is_import(key);
            if keywords::TASK.contains(&key.as_ref())
                && !is_import
                && !keywords::IMPORT.contains(&key.as_ref())
            {
                let fault = Diagnostic::at(
                    &entry.key,
                    format!("`{key}` does not go with `import_tasks`"),
                );
                self.fault(match key.as_ref() {
                    key if super::loops::is_loop(key) => {
                        fault.help("an import happens once, before any host is known: loop over the tasks in the file, or use `include_tasks`")
                    }
                    _ => fault.help("write it on the tasks in the file"),
                });
            }
        }
        let (own, inherited) = self.keywords(map, outer);
        if handler {
            self.of_play.no_handlers.imports.extend(own.name);
        }
        let part = if handler { "handlers" } else { "tasks" };
        let role = outer.role.as_ref().map(|role| role.own.path.join(part));
        let Some(path) = self.imported(file, "import_tasks", role.as_deref()) else {
            return;
        };
        if let Some(value) = self.enter(&path, Some(file)) {
            let what = format!("`{}`", path.display());
            tasks.extend(self.tasks(&value, &what, &inherited, handler));
            self.leave();
        }
    }

    /// All keywords of a task or import but its action and loop; what imports hand on, laid over `outer`.
    pub(super) fn keywords(&mut self, map: &Map, outer: &Outer) -> (Own, Outer) {
        let mut own = Own::default();
        let mut inner = outer.clone();
        let mut privilege = Privilege::default();
        for (key, entry) in map {
            let value = &entry.value;
            match key.as_ref() {
                "name" => own.name = self.text("name", value),
                "when" => inner.when.extend(self.conditions("when", value)),
                "register" => own.register = self.register("register", value),
                "notify" => own.notify = self.texts("notify", value),
                "listen" => own.listen = self.topics(value),
                "changed_when" => own.changed_when = self.conditions("changed_when", value),
                "failed_when" => own.failed_when = self.conditions("failed_when", value),
                "ignore_errors" => {
                    inner.ignore_errors = self.flag(key, value).or(inner.ignore_errors);
                }
                "ignore_unreachable" => {
                    inner.ignore_unreachable = self.flag(key, value).or(inner.ignore_unreachable);
                }
                "tags" => inner.tags.extend(self.words("tags", value)),
                "vars" => {
                    let vars = self.vars(value);
                    inner.vars.push(Arc::new(vars));
                }
                "environment" => inner.environment.extend(self.environment(value)),
                "become" => privilege.become_ = self.flag("become", value),
                "become_user" => privilege.user = self.text("become_user", value),
                "become_method" => privilege.method = self.method(value),
                "remote_user" => {
                    inner.remote_user = self.text("remote_user", value).or(inner.remote_user);
                }
                "no_log" => inner.no_log = self.flag("no_log", value).or(inner.no_log),
                "check_mode" => {
                    inner.check_mode = self.flag("check_mode", value).or(inner.check_mode);
                }
                "diff" => inner.diff = self.flag("diff", value).or(inner.diff),
                "any_errors_fatal" => {
                    inner.fatal = self.switch(key, value).unwrap_or(inner.fatal);
                }
                "collections" => inner.collections = self.collections(value),
                "module_defaults" => inner.defaults.extend(self.module_defaults(value)),
                "run_once" => {
                    inner.run_once = match self.flag(key, value).map(|flag| flag.kind) {
                        Some(Kind::Bool(true)) => RunOnce::Yes,
                        Some(Kind::Bool(false)) => RunOnce::No,
                        Some(_) => RunOnce::If(value.clone()),
                        None => inner.run_once,
                    };
                }
                "delegate_to" => {
                    inner.delegate = self.text("delegate_to", value).or(inner.delegate);
                }
                "local_action" => inner.delegate = Some(Value::str("localhost", &entry.key)),
                "delegate_facts" => {
                    inner.delegate_facts = self.flag(key, value).or(inner.delegate_facts);
                }
                "rollout" => inner.rollout = self.rollout(value).or(inner.rollout),
                "throttle" => inner.throttle = self.count("throttle", value).or(inner.throttle),
                "timeout" => inner.timeout = self.number("timeout", value).or(inner.timeout),
                _ => {}
            }
        }
        own.until = self.until(map);
        inner.privilege = privilege.over(&outer.privilege);
        (own, inner)
    }

    /// `until`, `retries` and `delay`. Retries alone wait for success.
    fn until(&mut self, map: &Map) -> Option<Until> {
        let conditions = map
            .get("until")
            .map(|entry| self.conditions("until", &entry.value));
        let retries = map.get("retries");
        let delay = map.get("delay");
        if conditions.is_none()
            && retries.is_none()
            && let Some(delay) = delay
        {
            self.fault(
                Diagnostic::at(&delay.key, "`delay` without `until` or `retries`")
                    .help("say what is waited for with `until`"),
            );
            return None;
        }
        let retries = retries.and_then(|entry| self.count("retries", &entry.value));
        let delay = delay.and_then(|entry| self.number("delay", &entry.value));
        if conditions.is_none() && retries.is_none() {
            return None;
        }
        Some(Until {
            conditions: conditions.unwrap_or_default(),
            retries,
            delay,
        })
    }

    fn rollout(&mut self, value: &Value) -> Option<Rollout> {
        if value.is_null() {
            return None;
        }
        match self.literal(value, "rollout")?.as_ref() {
            "before" => Some(Rollout::Before),
            "once" => Some(Rollout::Once),
            word => {
                self.fault(
                    Diagnostic::at(&value.span, format!("`rollout` cannot be `{word}`"))
                        .nearest(word, ["before", "once"])
                        .help(
                            "it is `before` (on all nodes) or `once` (on one), both ahead of the first drain",
                        ),
                );
                None
            }
        }
    }

    /// Topics: unlike tags, they may hold commas and spaces.
    fn topics(&mut self, value: &Value) -> Vec<Arc<str>> {
        let items = match &value.kind {
            Kind::List(items) => items.to_vec(),
            Kind::Null => Vec::new(),
            _ => vec![value.clone()],
        };
        items
            .iter()
            .filter_map(|item| self.literal(item, "listen"))
            .collect()
    }
}
