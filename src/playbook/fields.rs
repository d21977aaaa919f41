//! The values of keywords: literal text, flags, conditions, words, variables.

use std::sync::Arc;

use super::parse::Reader;
use crate::diagnostic::Diagnostic;
use crate::name::is_identifier;
use crate::value::{Kind, Map, Value};

/// Variable names that mean something of their own; setting them is allowed and warned of.
const RESERVED: &[&str] = &[
    "ansible_check_mode",
    "ansible_facts",
    "environment",
    "group_names",
    "groups",
    "hostvars",
    "inventory_hostname",
    "item",
    "omit",
    "play_hosts",
    "playbook_dir",
    "vars",
];

/// Whether a text holds a template.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Whether a value holds no template anywhere.
pub fn is_literal(value: &Value) -> bool {
    match &value.kind {
        Kind::Str(text) => !is_template(text),
        Kind::List(items) => items.iter().all(is_literal),
        Kind::Map(map) => map
            .iter()
            .all(|(key, entry)| !is_template(key) && is_literal(&entry.value)),
        _ => true,
    }
}

impl Reader {
    /// Says that `key` has a value of the wrong type.
    pub(super) fn wrong(&mut self, key: &str, wanted: &str, value: &Value) {
        self.fault(Diagnostic::at(
            &value.span,
            format!("`{key}` must be {wanted}, not {}", value.type_name()),
        ));
    }

    /// Text without templates.
    pub(super) fn literal(&mut self, value: &Value, key: &str) -> Option<Arc<str>> {
        match &value.kind {
            Kind::Str(text) if is_template(text) => {
                self.fault(
                    Diagnostic::at(&value.span, format!("`{key}` cannot be a template"))
                        .help("it is read before any host is known; write it out"),
                );
                None
            }
            Kind::Str(text) if !text.is_empty() => Some(text.clone()),
            Kind::Str(_) => {
                self.fault(Diagnostic::at(&value.span, format!("`{key}` is empty")));
                None
            }
            _ => {
                self.wrong(key, "text", value);
                None
            }
        }
    }

    /// Text, perhaps a template; numbers are written out.
    pub(super) fn text(&mut self, key: &str, value: &Value) -> Option<Value> {
        match &value.kind {
            Kind::Null => None,
            Kind::Str(_) => Some(value.clone()),
            Kind::Int(_) | Kind::Float(_) => Some(Value::str(value.span.text(), &value.span)),
            _ => {
                self.wrong(key, "text", value);
                None
            }
        }
    }

    /// True, false, or a template.
    pub(super) fn flag(&mut self, key: &str, value: &Value) -> Option<Value> {
        let word = match &value.kind {
            Kind::Null => return None,
            Kind::Bool(_) => return Some(value.clone()),
            Kind::Int(0) => Some(false),
            Kind::Int(1) => Some(true),
            Kind::Str(text) if is_template(text) => return Some(value.clone()),
            Kind::Str(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if word.is_none() {
            self.wrong(key, "true or false", value);
        }
        word.map(|word| Value::new(Kind::Bool(word), &value.span))
    }

    /// True or false, written out.
    pub(super) fn switch(&mut self, key: &str, value: &Value) -> Option<bool> {
        match self.flag(key, value)?.kind {
            Kind::Bool(flag) => Some(flag),
            _ => {
                self.fault(
                    Diagnostic::at(&value.span, format!("`{key}` cannot be a template"))
                        .help("it is read before any host is known; write it out"),
                );
                None
            }
        }
    }

    /// A number, or a template.
    pub(super) fn number(&mut self, key: &str, value: &Value) -> Option<Value> {
        match &value.kind {
            Kind::Null => None,
            Kind::Int(number) if *number >= 0 => Some(value.clone()),
            Kind::Float(number) if *number >= 0.0 => Some(value.clone()),
            Kind::Str(text) if is_template(text) || text.parse::<f64>().is_ok() => {
                Some(value.clone())
            }
            _ => {
                self.wrong(key, "a number of seconds", value);
                None
            }
        }
    }

    /// A whole number, or a template.
    pub(super) fn count(&mut self, key: &str, value: &Value) -> Option<Value> {
        match &value.kind {
            Kind::Null => None,
            Kind::Int(number) if *number >= 0 => Some(value.clone()),
            Kind::Str(text) if is_template(text) || text.trim().parse::<u32>().is_ok() => {
                Some(value.clone())
            }
            _ => {
                self.wrong(key, "a whole number", value);
                None
            }
        }
    }

    /// An expression, true or false, or a list of these.
    pub(super) fn conditions(&mut self, key: &str, value: &Value) -> Vec<Value> {
        let items = match &value.kind {
            Kind::List(items) => items.to_vec(),
            _ => vec![value.clone()],
        };
        items
            .into_iter()
            .filter(|item| match &item.kind {
                Kind::Bool(_) => true,
                Kind::Str(text) if !text.trim().is_empty() => true,
                Kind::Str(_) | Kind::Null => {
                    self.fault(
                        Diagnostic::at(&item.span, format!("`{key}` is empty")).help(
                            "write an expression, such as `ansible_facts.os_family == 'Debian'`",
                        ),
                    );
                    false
                }
                _ => {
                    self.wrong(key, "an expression or a list of them", item);
                    false
                }
            })
            .collect()
    }

    /// Literal words: a list, or text with commas.
    pub(super) fn words(&mut self, key: &str, value: &Value) -> Vec<Arc<str>> {
        let items = match &value.kind {
            Kind::List(items) => items.to_vec(),
            Kind::Null => Vec::new(),
            _ => vec![value.clone()],
        };
        let mut words = Vec::new();
        for item in items {
            let text = match &item.kind {
                Kind::Int(number) => Some(Arc::from(number.to_string())),
                _ => self.literal(&item, key),
            };
            if let Some(text) = text {
                words.extend(
                    text.split(',')
                        .map(str::trim)
                        .filter(|word| !word.is_empty())
                        .map(Arc::from),
                );
            }
        }
        words
    }

    /// Text or a list of texts, each perhaps a template.
    pub(super) fn texts(&mut self, key: &str, value: &Value) -> Vec<Value> {
        match &value.kind {
            Kind::Null => Vec::new(),
            Kind::List(items) => items
                .iter()
                .filter_map(|item| self.text(key, item))
                .collect(),
            _ => self.text(key, value).into_iter().collect(),
        }
    }

    /// A mapping of variables.
    pub(super) fn vars(&mut self, value: &Value) -> Map {
        let map = match &value.kind {
            Kind::Map(map) => map,
            Kind::Null => return Map::new(),
            _ => {
                self.wrong("vars", "a mapping", value);
                return Map::new();
            }
        };
        for (name, entry) in map.iter() {
            self.variable(name, &entry.key);
        }
        map.as_ref().clone()
    }

    /// Says when a name cannot be a variable's, or is taken.
    pub(super) fn variable(&mut self, name: &str, span: &crate::source::Span) -> bool {
        if !is_identifier(name) {
            self.fault(
                Diagnostic::at(span, format!("`{name}` cannot be the name of a variable"))
                    .help("a name begins with a letter or `_` and holds letters, digits and `_`"),
            );
            return false;
        }
        if RESERVED.contains(&name) {
            self.fault(
                Diagnostic::warning(span, format!("the name `{name}` is reserved"))
                    .help("choose another name; here it hides what the name usually means"),
            );
        }
        true
    }

    /// A name for a result.
    pub(super) fn register(&mut self, key: &str, value: &Value) -> Option<Arc<str>> {
        let name = self.literal(value, key)?;
        self.variable(&name, &value.span).then_some(name)
    }

    /// Mappings of environment variables, or templates of one.
    pub(super) fn environment(&mut self, value: &Value) -> Vec<Value> {
        let items = match &value.kind {
            Kind::Null => Vec::new(),
            Kind::List(items) => items.to_vec(),
            _ => vec![value.clone()],
        };
        items
            .into_iter()
            .filter(|item| match &item.kind {
                Kind::Map(_) => true,
                Kind::Str(text) if is_template(text) => true,
                _ => {
                    self.wrong("environment", "a mapping", item);
                    false
                }
            })
            .collect()
    }

    /// `sudo`, the only way.
    pub(super) fn method(&mut self, value: &Value) -> Option<Value> {
        let method = self.text("become_method", value)?;
        if is_literal(&method) && method.as_str() != Some("sudo") {
            self.fault(
                Diagnostic::at(
                    &value.span,
                    format!(
                        "`become_method` cannot be `{}`",
                        method.as_str().unwrap_or("")
                    ),
                )
                .help("only `sudo` is there"),
            );
            return None;
        }
        Some(method)
    }
}
