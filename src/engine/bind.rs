//! Binding: a task with its templates becomes resources, one for each item of its loop.

use std::sync::Arc;
use std::time::Duration;

use minijinja::Value as Native;

use super::acting::shell_user;
use super::around::Around;
use super::controller::TaskController;
use super::items::extended;
use super::scope::{PlayScope, TaskScope};
use super::state::HostState;
use crate::diagnostic::Diagnostic;
use crate::inventory::Method;
use crate::playbook::{Loaded, ReadVars, Task, TaskAction, is_template};
use crate::resource::{Kind, Param, ParamType, Resource};
use crate::template::{Scope, Stop, Surroundings, is_omit, to_native};
use crate::value::{Kind as ValueKind, Value};

/// One thing to do on one host: a task, or one item of its loop.
pub struct Unit {
    /// The item's label; none without a loop.
    pub label: Option<String>,
    /// Its names.
    pub scope: Arc<TaskScope>,
    /// The wanted state; none when its condition is false.
    pub resource: Option<Box<dyn Resource>>,
    /// Of an include: what it includes; none when its condition is false.
    pub included: Option<Arc<Loaded>>,
    /// Of an `include_vars`: what it reads; none when its condition is false.
    pub vars: Option<Arc<ReadVars>>,
    /// The account that acts; none for the shell's own.
    pub user: Option<String>,
    /// The host that acts in place of the task's own.
    pub delegate: Option<Arc<HostState>>,
    /// `delegate_facts`: what it sets belongs to that host.
    pub facts_there: bool,
    /// `environment`.
    pub env: Vec<(String, String)>,
    /// `timeout`.
    pub timeout: Option<u64>,
    /// `throttle`.
    pub throttle: Option<usize>,
    /// `no_log`.
    pub secret: bool,
    /// `until`: how often it is tried again, and after how long.
    pub retry: Option<(u32, Duration)>,
    /// `ignore_errors`.
    pub ignore: bool,
    /// `ignore_unreachable`.
    pub passes: bool,
    /// `check_mode: false`: it runs in a plan too.
    pub reads: bool,
    /// `check_mode: true`: nothing is done in an apply either.
    pub dry: bool,
    /// The item, for the registered result.
    pub item: Option<serde_json::Value>,
}

impl Unit {
    /// Whether its condition is false.
    pub fn is_skipped(&self) -> bool {
        self.resource.is_none() && self.included.is_none() && self.vars.is_none()
    }
}

/// Binds tasks of one play for one host.
pub struct Binder {
    /// The play for the host.
    pub play: Arc<PlayScope>,
}

impl Binder {
    /// The units of a task, to which the includes around it give some names. A loop over nothing has none.
    pub fn bind(&self, task: &Task, given: &[(Arc<str>, Native)]) -> Result<Vec<Arc<Unit>>, Stop> {
        let Some(repeat) = &task.repeat else {
            let scope = self.scope(task, given.to_vec());
            return Ok(vec![Arc::new(self.unit(task, scope, None, None)?)]);
        };
        let plain = self.scope(task, given.to_vec());
        // A condition that does not read the item and is false spares the list.
        let items = match self.items(repeat, &plain) {
            Ok(items) => items,
            Err(Stop::Fault(fault)) => {
                return match self.holds(task, &plain) {
                    Ok(false) => Ok(vec![Arc::new(self.unit(task, plain, None, None)?)]),
                    _ => Err(Stop::Fault(fault)),
                };
            }
            Err(stop) => return Err(stop),
        };
        let all: Vec<Native> = match repeat.extended {
            true => items.iter().map(to_native).collect(),
            false => Vec::new(),
        };
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let native = to_native(&item);
                let mut own = given.to_vec();
                own.push((repeat.var.clone(), native.clone()));
                if let Some(name) = &repeat.index_var {
                    own.push((name.clone(), Native::from(index)));
                }
                if repeat.extended {
                    let about = extended(index, &all, repeat.allitems);
                    own.push(("ansible_loop".into(), about));
                }
                own.push(("ansible_loop_var".into(), Native::from(repeat.var.as_ref())));
                let scope = self.scope(task, own);
                let label = self.label(repeat, &item, &scope)?;
                self.unit(task, scope, Some(label), Some(item.to_json()))
                    .map(Arc::new)
            })
            .collect()
    }

    pub(super) fn scope(&self, task: &Task, own: Vec<(Arc<str>, Native)>) -> Arc<TaskScope> {
        Arc::new(TaskScope {
            play: self.play.clone(),
            vars: task.vars.clone(),
            params: task.params.clone(),
            role: task.role.clone(),
            own,
            around: Around::of_task(&self.play.run, &self.play.play, task),
        })
    }

    pub(super) fn holds(&self, task: &Task, scope: &Arc<TaskScope>) -> Result<bool, Stop> {
        let names: Arc<dyn Scope> = scope.clone();
        for condition in &task.when {
            if !self.play.run.templates.test(condition, &names)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn render(&self, value: &Value, scope: &Arc<TaskScope>) -> Result<Value, Stop> {
        let names: Arc<dyn Scope> = scope.clone();
        self.play.run.templates.render(value, &names)
    }

    pub(super) fn flag(
        &self,
        value: &Option<Value>,
        name: &str,
        scope: &Arc<TaskScope>,
    ) -> Result<Option<bool>, Stop> {
        let Some(value) = value else { return Ok(None) };
        let value = self.render(value, scope)?;
        match &value.kind {
            ValueKind::Bool(flag) => Ok(Some(*flag)),
            ValueKind::Null => Ok(None),
            ValueKind::Str(text)
                if matches!(text.to_lowercase().as_str(), "true" | "yes" | "on" | "1") =>
            {
                Ok(Some(true))
            }
            ValueKind::Str(text)
                if matches!(text.to_lowercase().as_str(), "false" | "no" | "off" | "0") =>
            {
                Ok(Some(false))
            }
            _ => Err(Diagnostic::at(
                &value.span,
                format!("`{name}` must be true or false, not {}", value.type_name()),
            )
            .into()),
        }
    }

    fn unit(
        &self,
        task: &Task,
        scope: Arc<TaskScope>,
        label: Option<String>,
        item: Option<serde_json::Value>,
    ) -> Result<Unit, Stop> {
        let mut unit = Unit {
            label,
            scope: scope.clone(),
            resource: None,
            included: None,
            vars: None,
            dry: false,
            user: None,
            delegate: None,
            facts_there: false,
            env: Vec::new(),
            timeout: None,
            throttle: None,
            retry: None,
            secret: self.flag(&task.no_log, "no_log", &scope)?.unwrap_or(false),
            ignore: false,
            passes: false,
            reads: false,
            item,
        };
        if !self.holds(task, &scope)? {
            return Ok(unit);
        }
        if let TaskAction::Never(why) = &task.action
            && let Some(why) = why.first()
        {
            return Err(why.clone().into());
        }
        unit.ignore = self
            .flag(&task.ignore_errors, "ignore_errors", &scope)?
            .unwrap_or(false);
        unit.passes = self.passes_over(task, &scope)?;
        if let TaskAction::Include(include) = &task.action {
            unit.included = Some(self.included(task, include, &scope)?);
            return Ok(unit);
        }
        if let TaskAction::Vars(ask) = &task.action {
            unit.vars = Some(self.read_vars(task, ask, &scope)?);
            return Ok(unit);
        }
        let check_mode = self.flag(&task.check_mode, "check_mode", &scope)?;
        unit.reads = check_mode == Some(false);
        unit.dry = check_mode == Some(true);
        unit.env = self.environment(task, &scope)?;
        unit.timeout = self.timeout(task, &scope)?;
        unit.throttle = self.throttle(task, &scope)?;
        unit.retry = self.retry(task, &scope)?;
        unit.delegate = self.delegate(task, &scope)?;
        unit.facts_there = self
            .flag(&task.delegate_facts, "delegate_facts", &scope)?
            .unwrap_or(false);
        if unit.dry && (unit.delegate.is_some() || task.action.name().ends_with("_cluster")) {
            let span = task
                .check_mode
                .as_ref()
                .map_or(&task.span, |value| &value.span);
            return Err(Diagnostic::at(
                span,
                "`check_mode: true` goes neither with a delegated task nor with a cluster",
            )
            .help("`hadeploy plan` shows what it would change")
            .into());
        }
        let on = unit.delegate.clone().unwrap_or(self.play.host.clone());
        let actor = self.actor(&task.privilege, &scope, &on)?;
        unit.resource = Some(self.resource(task, &scope, &actor, &on)?);
        unit.user = (actor != shell_user(&on)).then_some(actor);
        Ok(unit)
    }

    /// The same unit for another attempt: its item stays, its templates are rendered anew.
    pub fn again(&self, task: &Task, unit: &Unit) -> Result<Unit, Stop> {
        self.unit(
            task,
            unit.scope.clone(),
            unit.label.clone(),
            unit.item.clone(),
        )
    }

    /// `~/x` of a task that acts as another account than the shell is that account's.
    fn own_home(
        &self,
        kind: &Kind,
        name: &str,
        value: Value,
        actor: &str,
        on: &HostState,
    ) -> Value {
        let is_path = |param: &&Param| param.name == name && param.ty == ParamType::Path;
        if actor == shell_user(on) || !kind.params.iter().any(|param| is_path(&param)) {
            return value;
        }
        match value.as_str().and_then(|path| path.strip_prefix('~')) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                Value::str(&format!("~{actor}{rest}"), &value.span)
            }
            _ => value,
        }
    }

    /// Where commands begin on a host, as in Ansible: a login begins in its home, and sudo keeps the folder.
    fn folder(&self, on: &HostState, around: &Around) -> String {
        match on.connection.method {
            Method::Ssh => format!("~{}", on.login),
            Method::Local => around.playbook().to_string_lossy().into_owned(),
        }
    }

    fn resource(
        &self,
        task: &Task,
        scope: &Arc<TaskScope>,
        actor: &str,
        on: &HostState,
    ) -> Result<Box<dyn Resource>, Stop> {
        let TaskAction::Kind { kind, args } = &task.action else {
            return Err(Diagnostic::at(&task.span, "this task is the engine's own").into());
        };
        let mut bound = args.clone();
        for (name, entry) in args.iter() {
            if kind
                .params
                .iter()
                .any(|param| param.name == name && param.ty == ParamType::Expression)
            {
                continue;
            }
            let value = self.own_home(kind, name, self.render(&entry.value, scope)?, actor, on);
            bound.set(name, (!is_omit(&value)).then_some(value));
        }
        for (name, entry) in args.open() {
            let value = self.render(&entry.value, scope)?;
            bound.set_open(name, (!is_omit(&value)).then_some(value));
            if is_template(name) {
                let new = self.render(&Value::str(name, &entry.key), scope)?;
                let new = new
                    .as_str()
                    .map_or_else(|| new.to_json().to_string(), str::to_owned);
                bound.rename_open(name, new);
            }
        }
        let mut faults = bound.coerce(|_| true);
        faults.extend(bound.refused());
        if faults.is_empty() {
            faults = (kind.check)(&bound);
        }
        if let Some(fault) = faults.into_iter().find(Diagnostic::is_error) {
            return Err(fault.into());
        }
        // A home without a name is that of the account that acts; the questions are asked by the shell's own.
        for param in kind
            .params
            .iter()
            .filter(|param| param.ty == ParamType::Path)
        {
            let Some(rest) = bound
                .str(param.name)
                .and_then(|path| path.strip_prefix('~'))
            else {
                continue;
            };
            if rest.is_empty() || rest.starts_with('/') {
                let path = format!("~{actor}{rest}");
                let place = bound.value_place(param.name).clone();
                bound.set(param.name, Some(Value::str(&path, &place)));
            }
        }
        let controller = TaskController {
            binder: self,
            task,
            scope: scope.clone(),
            actor: actor.to_owned(),
            folder: self.folder(on, &scope.around),
        };
        (kind.bind)(&bound, &controller)
    }
}
