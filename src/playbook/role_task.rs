//! `import_role`, and the parameters that it shares with `include_role`.

use std::sync::Arc;

use super::action::Asked;
use super::parse::Reader;
use super::role::{Own, Role};
use super::role_use::{Origin, RoleAsk, Used};
use super::task::Outer;
use super::{Task, keywords};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// Parameters that name a file of the role, and the folder it lies in.
const FROM: &[(&str, &str)] = &[
    ("tasks_from", "tasks"),
    ("vars_from", "vars"),
    ("defaults_from", "defaults"),
    ("handlers_from", "handlers"),
];

const PARAMETERS: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "allow_duplicates",
    "public",
    "rolespec_validate",
    "apply",
];

/// `import_role` or `include_role`, if a key is one of them.
pub(super) fn role_word(key: &str) -> Option<&'static str> {
    let short = ["ansible.builtin.", "ansible.legacy."]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))
        .unwrap_or(key);
    ["import_role", "include_role"]
        .into_iter()
        .find(|word| *word == short)
}

impl Reader {
    /// The parameters of an import or include of a role.
    pub(super) fn asked_role(
        &mut self,
        word: &'static str,
        value: &Value,
        span: &Span,
        args: Option<&Entry>,
    ) -> Option<Asked> {
        let mut parameters = Map::new();
        for given in [Some(value), args.map(|entry| &entry.value)]
            .into_iter()
            .flatten()
        {
            match &given.kind {
                Kind::Map(map) => parameters.extend(map.as_ref().clone()),
                Kind::Null => {}
                Kind::Str(text) if text.contains('=') => {
                    let fault = Diagnostic::at(
                        &given.span,
                        format!("the parameters of `{word}` are a mapping, not text"),
                    );
                    self.fault(fault.help(format!("write `{word}: {{name: ROLE}}`")));
                    return None;
                }
                // Ansible wants the mapping; the short form can mean nothing else.
                _ => {
                    let entry = Entry {
                        key: span.clone(),
                        value: given.clone(),
                    };
                    parameters.insert("name".into(), entry);
                }
            }
        }
        let mut asked = RoleAsk {
            name: Value::new(Kind::Null, span),
            origin: Origin::Task,
            given: Map::new(),
            params: Map::new(),
            from: Vec::new(),
            again: Some(true),
            public: None,
            checked: true,
            beside: String::new(),
        };
        let mut apply = None;
        let before = self.faults.len();
        for (key, entry) in &parameters {
            let value = &entry.value;
            match key.as_ref() {
                "name" => asked.name = value.clone(),
                "role" if !parameters.contains_key("name") => asked.name = value.clone(),
                "role" => {}
                "allow_duplicates" => asked.again = self.switch(key, value).or(Some(true)),
                "public" => asked.public = self.switch(key, value),
                "rolespec_validate" => asked.checked = self.switch(key, value).unwrap_or(true),
                "apply" if word == "include_role" => apply = Some(value.clone()),
                "apply" => self.fault(
                    Diagnostic::at(&entry.key, "`apply` does not go with `import_role`")
                        .help("what stands beside an import goes to all its tasks"),
                ),
                key => match FROM.iter().find(|(name, _)| *name == key) {
                    Some((_, folder)) => match value.as_str() {
                        Some(_) => asked.from.push((folder, value.clone())),
                        None => self.wrong(key, "the name of a file of the role", value),
                    },
                    None => self.fault(
                        Diagnostic::at(
                            &entry.key,
                            format!("unknown parameter `{key}` for `{word}`"),
                        )
                        .nearest(key, PARAMETERS.iter().copied())
                        .help("values for the role go below `vars:`"),
                    ),
                },
            }
        }
        match &asked.name.kind {
            Kind::Null if self.faults.len() > before => None,
            Kind::Null => {
                self.fault(
                    Diagnostic::at(span, format!("`{word}` needs `name`"))
                        .help(format!("write `{word}: {{name: ROLE}}`")),
                );
                None
            }
            Kind::Str(_) => Some(Asked {
                file: asked.name.clone(),
                apply,
                role: Some(asked),
            }),
            _ => {
                self.wrong("name", "the name of a role", &asked.name);
                None
            }
        }
    }

    /// Puts the tasks of a role in the place of an import.
    pub(super) fn import_role(
        &mut self,
        span: &Span,
        mut ask: RoleAsk,
        map: &Map,
        outer: &Outer,
        handler: bool,
    ) -> Vec<Task> {
        if handler {
            self.no_role_as_handler(span, map);
            return Vec::new();
        }
        for (key, entry) in map {
            if keywords::TASK.contains(&key.as_ref()) && !keywords::IMPORT.contains(&key.as_ref()) {
                let fault = Diagnostic::at(
                    &entry.key,
                    format!("`{key}` does not go with `import_role`"),
                );
                self.fault(fault.help(match key.as_ref() {
                    "loop" | "loop_control" => {
                        "an import happens once, before any host is known; `include_role` goes with a loop"
                    }
                    key if key.starts_with("with_") => {
                        "an import happens once, before any host is known; `include_role` goes with a loop"
                    }
                    _ => "write it on the tasks of the role",
                }));
            }
        }
        let (_, inherited) = self.keywords(map, outer);
        for (_, value) in &ask.from {
            if !super::is_literal(value) {
                self.fault(
                    Diagnostic::at(&value.span, "an import takes no template here").help(
                        "it is read before any host is known; `include_role` takes a template",
                    ),
                );
                return Vec::new();
            }
        }
        if self.role_name(&ask.name).is_none() {
            return Vec::new();
        }
        if let Some(vars) = inherited.vars[outer.vars.len()..].first() {
            ask.given = vars.as_ref().clone();
        }
        let Some(used) = self.role_of_task(&ask, &inherited) else {
            return Vec::new();
        };
        if ask.public != Some(false) {
            self.of_play.imported.push(used.role);
        }
        self.of_play.late.extend(used.handlers);
        used.tasks
    }

    /// The role that a task imports or includes, used by the role of that task.
    pub(super) fn role_of_task(&mut self, ask: &RoleAsk, outer: &Outer) -> Option<Used> {
        let (chain, parents) = around(outer.role.as_deref());
        self.use_role(ask, outer, &chain, &parents)
    }
}

/// The roles around the tasks of a role, outer first, and the roles whose tasks include them, inner first.
fn around(role: Option<&Role>) -> (Vec<Arc<Own>>, Vec<Arc<Own>>) {
    let Some(role) = role else {
        return (Vec::new(), Vec::new());
    };
    let chain = role.chain.iter().chain([&role.own]).cloned().collect();
    let parents = [&role.own].into_iter().chain(&role.parents);
    (chain, parents.cloned().collect())
}
