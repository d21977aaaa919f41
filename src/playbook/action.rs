//! What a task does: the one key that names a kind, with its parameters however they are written.

use super::fields::{is_literal, is_template};
use super::free_form;
use super::include_vars::{VarsAsk, is_include_vars};
use super::module_defaults::{Defaults, fill};
use super::parse::Reader;
use super::role_task::role_word;
use super::role_use::RoleAsk;
use super::{TaskAction, keywords, modules};
use crate::diagnostic::Diagnostic;
use crate::resource::{Args, Kind};
use crate::source::Span;
use crate::value::{Entry, Kind as ValueKind, Map, Value, place};

/// What the action of a task turned out to be.
pub(super) enum Action {
    /// A kind or a `meta`.
    Run(TaskAction),
    /// The file of an `import_tasks`.
    Import(Value),
    /// An `include_vars`.
    Vars(VarsAsk),
    /// An `import_role`.
    ImportRole(Span, RoleAsk),
    /// An `include_tasks` or `include_role`.
    Include(Asked),
}

/// The parameters of an `include_tasks` or `include_role`.
pub(super) struct Asked {
    /// The file, or the name of the role.
    pub(super) file: Value,
    pub(super) apply: Option<Value>,
    pub(super) role: Option<RoleAsk>,
}

/// What a key of a task names.
#[derive(Clone, Copy)]
enum Named {
    Kind(&'static Kind),
    Meta,
    Import,
    Include,
    Vars,
    Role(&'static str),
}

/// Whether a name is one of the engine's own tasks.
pub(super) fn is_engine_word(name: &str) -> bool {
    is_import(name)
        || is_include(name)
        || is_include_vars(name)
        || role_word(name).is_some()
        || name.rsplit('.').next() == Some("meta")
}

/// Whether a key imports tasks.
pub(super) fn is_import(key: &str) -> bool {
    matches!(
        key,
        "import_tasks" | "ansible.builtin.import_tasks" | "ansible.legacy.import_tasks"
    )
}

/// Whether a key includes tasks.
pub(super) fn is_include(key: &str) -> bool {
    matches!(
        key,
        "include_tasks" | "ansible.builtin.include_tasks" | "ansible.legacy.include_tasks"
    )
}

fn no_module(key: &str, span: &Span) -> Diagnostic {
    Diagnostic::at(span, format!("hadeploy does not have the module `{key}`"))
}

impl Reader {
    /// The kind of that name in the table that is read with.
    pub(super) fn find_kind(&self, name: &str) -> Option<&'static Kind> {
        let find = |name: &str| {
            self.kinds
                .iter()
                .find(|kind| kind.name == name || kind.aliases.contains(&name))
                .copied()
        };
        find(name).or_else(|| find(name.strip_prefix("ansible.legacy.")?))
    }

    fn named(&self, name: &str) -> Option<Named> {
        if matches!(
            name,
            "meta" | "ansible.builtin.meta" | "ansible.legacy.meta"
        ) {
            return Some(Named::Meta);
        }
        if is_import(name) {
            return Some(Named::Import);
        }
        if is_include(name) {
            return Some(Named::Include);
        }
        if is_include_vars(name) {
            return Some(Named::Vars);
        }
        if let Some(word) = role_word(name) {
            return Some(Named::Role(word));
        }
        self.find_kind(name).map(Named::Kind)
    }

    /// Finds the action among the keys of a task; unknown keys, a second action and none at all are faults.
    pub(super) fn action(
        &mut self,
        value: &Value,
        map: &Map,
        defaults: &[Defaults],
    ) -> Option<Action> {
        let mut found: Option<(Named, Value, Span)> = None;
        let mut broken = false;
        for (key, entry) in map {
            let candidate = if matches!(key.as_ref(), "action" | "local_action") {
                let action = self.written_out(&entry.value);
                broken |= action.is_none();
                action
            } else if keywords::TASK.contains(&key.as_ref()) {
                None
            } else if let Some(named) = self.named(key) {
                Some((named, entry.value.clone(), entry.key.clone()))
            } else {
                broken |= self.unknown_key(key, &entry.key);
                None
            };
            let Some(candidate) = candidate else { continue };
            match &found {
                Some((_, _, first)) => {
                    let (one, two) = (first.text().to_owned(), candidate.2.text().to_owned());
                    self.fault(
                        Diagnostic::at(
                            &candidate.2,
                            format!("a task does one thing, not `{one}` and `{two}`"),
                        )
                        .related(first, "the first")
                        .help("make two tasks of it"),
                    );
                    broken = true;
                }
                None => found = Some(candidate),
            }
        }
        let Some((named, arguments, span)) = found else {
            if !broken {
                let (spot, _) = super::play::spot(map, value);
                self.fault(
                    Diagnostic::at(&spot, "the task does nothing")
                        .help(format!("name a kind, such as `apt:`; {}", self.there_are())),
                );
            }
            return None;
        };
        self.read_action(named, &arguments, &span, map.get("args"), defaults)
    }

    /// The kinds of tasks, for help.
    fn there_are(&self) -> String {
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.name).collect();
        format!(
            "the kinds of tasks are {}, import_role, import_tasks, include_role, include_tasks, include_vars and meta",
            names.join(", ")
        )
    }

    /// `action: copy src=a dest=/b` and `action: {module: copy, src: a}`.
    fn written_out(&mut self, value: &Value) -> Option<(Named, Value, Span)> {
        let (name, rest, span) = match &value.kind {
            ValueKind::Str(text) => {
                let trimmed = text.trim_start();
                let start = text.len() - trimmed.len();
                let length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
                let name = trimmed[..length].to_owned();
                let behind = trimmed[length..].trim_start();
                let span = place(&value.span, text, start..start + length);
                let rest = if behind.is_empty() {
                    Value::new(ValueKind::Null, &value.span)
                } else {
                    let from = text.len() - behind.len();
                    Value::str(behind, &place(&value.span, text, from..text.len()))
                };
                (name, rest, span)
            }
            ValueKind::Map(map) => {
                let Some(module) = map.get("module") else {
                    self.fault(
                        Diagnostic::at(&value.span, "`action` has no `module`")
                            .help("write the kind as the key: `copy:`"),
                    );
                    return None;
                };
                let name = self.literal(&module.value, "module")?.to_string();
                let mut rest = map.as_ref().clone();
                rest.shift_remove("module");
                let rest = Value::new(ValueKind::Map(rest.into()), &value.span);
                (name, rest, module.value.span.clone())
            }
            _ => {
                self.wrong("action", "text or a mapping", value);
                return None;
            }
        };
        match self.named(&name) {
            Some(named) => Some((named, rest, span)),
            None => {
                self.unknown_key(&name, &span);
                None
            }
        }
    }

    /// Says what is wrong with a key; true when it would have been the task's action.
    fn unknown_key(&mut self, key: &str, span: &Span) -> bool {
        if let Some(instead) = keywords::refused_in_task(key) {
            self.fault(
                Diagnostic::at(span, format!("hadeploy does not have `{key}` on a task"))
                    .help(instead),
            );
            return false;
        }
        if let Some(instead) = modules::refused_module(key) {
            self.fault(no_module(key, span).help(instead).absent());
            return true;
        }
        if let Some(name) = modules::renamed_module(key) {
            self.fault(
                no_module(key, span)
                    .label(format!("it is called `{name}` now"))
                    .help(format!(
                        "write `{name}`; `hadeploy doc {name}` shows its parameters"
                    )),
            );
            return true;
        }
        // `ns.collection.name` can be nothing but a module.
        if let [_, _, short] = key.split('.').collect::<Vec<_>>()[..] {
            let names = self.kinds.iter().map(|kind| kind.name);
            let mut fault = no_module(key, span).nearest(short, names);
            // Those of Ansible that are not here are told by name: another is misspelt, as is one that is nearly a kind.
            fault.absent = !key.starts_with("ansible.") && fault.label.is_none();
            self.fault(fault.help(modules::OF_OTHERS));
            return true;
        }
        let names = self.kinds.iter().map(|kind| kind.name).chain([
            "meta",
            "import_role",
            "import_tasks",
            "include_role",
            "include_tasks",
            "include_vars",
        ]);
        let near_kind = crate::diagnostic::nearest(key, names.clone());
        let fault = Diagnostic::at(span, format!("unknown key or module `{key}` of a task"))
            .nearest(key, keywords::TASK.iter().copied().chain(names));
        self.fault(fault.help(modules::OF_OTHERS));
        // Perhaps this was meant as the action: then a missing action is no second fault.
        near_kind.is_some()
            || crate::diagnostic::nearest(key, keywords::TASK.iter().copied()).is_none()
    }

    fn read_action(
        &mut self,
        named: Named,
        value: &Value,
        span: &Span,
        args: Option<&Entry>,
        defaults: &[Defaults],
    ) -> Option<Action> {
        match named {
            Named::Meta => self.meta(value).map(TaskAction::Meta).map(Action::Run),
            Named::Import => {
                let file = match value.as_map() {
                    Some(map) => match map.get("file") {
                        Some(file) if map.len() == 1 => file.value.clone(),
                        _ => {
                            self.fault(
                                Diagnostic::at(&value.span, "`import_tasks` takes only `file`")
                                    .help("write `import_tasks: FILE`"),
                            );
                            return None;
                        }
                    },
                    None => value.clone(),
                };
                Some(Action::Import(file))
            }
            Named::Role(word) => {
                let asked = self.asked_role(word, value, span, args)?;
                Some(match (word, asked) {
                    (
                        "import_role",
                        Asked {
                            role: Some(role), ..
                        },
                    ) => Action::ImportRole(span.clone(), role),
                    (_, asked) => Action::Include(asked),
                })
            }
            Named::Vars => self.include_vars(value, span, args).map(Action::Vars),
            Named::Include => self.asked(value, span, args).map(Action::Include),
            Named::Kind(kind) => {
                let mut map = self.parameters(kind, value, span, args)?;
                fill(kind, defaults, &mut map);
                let args = self.checked(kind, span, &map)?;
                Some(Action::Run(TaskAction::Kind { kind, args }))
            }
        }
    }

    fn asked(&mut self, value: &Value, span: &Span, args: Option<&Entry>) -> Option<Asked> {
        let mut asked = Asked {
            file: Value::new(ValueKind::Null, span),
            apply: None,
            role: None,
        };
        let maps = [Some(value), args.map(|entry| &entry.value)];
        for given in maps.into_iter().flatten() {
            match given.as_map() {
                Some(map) => {
                    for (key, entry) in map {
                        match key.as_ref() {
                            "file" | "_raw_params" => asked.file = entry.value.clone(),
                            "apply" => asked.apply = Some(entry.value.clone()),
                            other => self.fault(
                                Diagnostic::at(
                                    &entry.key,
                                    format!("unknown parameter `{other}` for `include_tasks`"),
                                )
                                .nearest(other, ["file", "apply"])
                                .help("values for the tasks in the file go below `vars:`"),
                            ),
                        }
                    }
                }
                None if given.is_null() => {}
                None => asked.file = given.clone(),
            }
        }
        match asked.file.as_str() {
            Some(_) => Some(asked),
            None if asked.file.is_null() => {
                self.fault(
                    Diagnostic::at(span, "`include_tasks` needs `file`")
                        .help("write `include_tasks: FILE`"),
                );
                None
            }
            None => {
                self.wrong("file", "the name of a file", &asked.file);
                None
            }
        }
    }

    /// The parameters as one mapping: those of the key, those written as text, and those of `args`.
    fn parameters(
        &mut self,
        kind: &'static Kind,
        value: &Value,
        span: &Span,
        args: Option<&Entry>,
    ) -> Option<Map> {
        let mut map = match &value.kind {
            ValueKind::Null => Map::new(),
            ValueKind::Map(map) => map.as_ref().clone(),
            ValueKind::Str(text) => match kind.free_form {
                Some(parameter) => free_form::command(kind, parameter, text, &value.span),
                None if is_template(text.trim()) && text.trim().starts_with("{{") => {
                    self.fault(
                        Diagnostic::at(
                            &value.span,
                            format!("the parameters of `{}` cannot be one template", kind.name),
                        )
                        .help("write each parameter out; a value may be a template"),
                    );
                    return None;
                }
                None => match free_form::key_values(kind, text, &value.span) {
                    Ok(map) => map,
                    Err(mut faults) => {
                        self.faults.append(&mut faults);
                        return None;
                    }
                },
            },
            _ => {
                self.fault(
                    Diagnostic::at(
                        &value.span,
                        format!(
                            "the parameters of `{}` are a mapping, not {}",
                            kind.name,
                            value.type_name()
                        ),
                    )
                    .related(span, "of this task"),
                );
                return None;
            }
        };
        let Some(args) = args else { return Some(map) };
        match &args.value.kind {
            ValueKind::Null => {}
            ValueKind::Map(more) => {
                for (name, entry) in more.iter() {
                    if let Some(first) = map.get(name) {
                        self.fault(
                            Diagnostic::at(&entry.key, format!("`{name}` is given twice"))
                                .related(&first.key, "first given here"),
                        );
                        continue;
                    }
                    map.insert(name.clone(), entry.clone());
                }
            }
            ValueKind::Str(_) if !is_literal(&args.value) => self.fault(
                Diagnostic::at(&args.value.span, "`args` cannot be a template")
                    .help("write each parameter out; a value may be a template"),
            ),
            _ => self.wrong("args", "a mapping", &args.value),
        }
        Some(map)
    }

    /// Names, types of literal values, and the kind's own rules.
    pub(super) fn checked(&mut self, kind: &'static Kind, span: &Span, map: &Map) -> Option<Args> {
        match Args::new(kind, span, map) {
            Ok(mut args) => {
                let mut faults = args.coerce(is_literal);
                if faults.is_empty() {
                    faults = args.surely_wrong();
                }
                self.faults.extend(faults);
                Some(args)
            }
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }
}
