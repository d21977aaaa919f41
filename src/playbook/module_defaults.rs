//! `module_defaults`: parameters that all tasks of a kind have, unless they say otherwise.

use super::action::is_engine_word;
use super::parse::Reader;
use crate::diagnostic::Diagnostic;
use crate::resource::Kind;
use crate::value::{Map, Value};

/// The defaults of one kind.
#[derive(Debug, Clone)]
pub(super) struct Defaults {
    kind: &'static Kind,
    parameters: Map,
}

impl Reader {
    /// Reads `module_defaults`; later ones count.
    pub(super) fn module_defaults(&mut self, value: &Value) -> Vec<Defaults> {
        let mut read = Vec::new();
        let items = match value.as_list() {
            Some(items) => items.to_vec(),
            None if value.is_null() => Vec::new(),
            None => vec![value.clone()],
        };
        for item in &items {
            let Some(map) = item.as_map() else {
                self.wrong("module_defaults", "a mapping", item);
                continue;
            };
            for (name, entry) in map {
                let Some(kind) = self.find_kind(name) else {
                    self.no_kind(name, &entry.key);
                    continue;
                };
                match entry.value.as_map() {
                    Some(parameters) => {
                        for (key, given) in parameters {
                            if canonical(kind, key).is_none() {
                                let names = kind.params.iter().map(|param| param.name);
                                let message =
                                    format!("unknown parameter `{key}` for `{}`", kind.name);
                                self.fault(Diagnostic::at(&given.key, message).nearest(key, names));
                            }
                        }
                        read.push(Defaults {
                            kind,
                            parameters: parameters.clone(),
                        });
                    }
                    None => self.wrong("module_defaults", "a mapping of parameters", &entry.value),
                }
            }
        }
        read
    }

    fn no_kind(&mut self, name: &str, span: &crate::source::Span) {
        // What has no parameters of its own here is refused where it is used.
        if is_engine_word(name) || super::modules::refused_module(name).is_some() {
            return;
        }
        let names = self.kinds.iter().map(|kind| kind.name);
        let fault = match name.starts_with("group/") {
            true => Diagnostic::at(span, "groups of modules have no defaults here")
                .help("name each module: `module_defaults: {get_url: {…}, uri: {…}}`"),
            false => Diagnostic::at(span, format!("hadeploy does not have the module `{name}`"))
                .nearest(name, names),
        };
        self.fault(fault);
    }
}

/// The name of a parameter without aliases.
fn canonical(kind: &Kind, name: &str) -> Option<&'static str> {
    let is_called =
        |param: &&crate::resource::Param| param.name == name || param.aliases.contains(&name);
    kind.params.iter().find(is_called).map(|param| param.name)
}

/// Adds to the parameters of a task what it does not give itself.
pub(super) fn fill(kind: &'static Kind, defaults: &[Defaults], map: &mut Map) {
    let Some(found) = defaults.iter().rfind(|it| it.kind.name == kind.name) else {
        return;
    };
    let given: Vec<Option<&str>> = map.keys().map(|name| canonical(kind, name)).collect();
    let missing: Vec<_> = found
        .parameters
        .iter()
        .filter(|(name, _)| {
            let name = canonical(kind, name);
            name.is_some() && !given.contains(&name)
        })
        .map(|(name, entry)| (name.clone(), entry.clone()))
        .collect();
    map.extend(missing);
}
