//! The parameters under one provider's name, checked and typed.

use std::time::Duration;

use super::param::{Param, Provider, READINESS, Type};
use crate::diagnostic::{Diagnostic, list};
use crate::source::Span;
use crate::template::is_template;
use crate::value::{Kind, Map, Value};

/// Reads one mapping; what is wrong is collected. A parameter that is missing, wrong or still a template reads as nothing.
pub(super) struct Reader<'a> {
    provider: &'static Provider,
    map: &'a Map,
    /// Whether templates may stand in it.
    tolerant: bool,
    pub(super) faults: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Names are checked at once. `span` is where the provider is named.
    pub(super) fn new(
        provider: &'static Provider,
        map: &'a Map,
        span: &Span,
        tolerant: bool,
    ) -> Reader<'a> {
        let mut faults = Vec::new();
        for (name, entry) in map {
            if provider.param(name).is_none() {
                let names: Vec<&str> = provider.all().map(|param| param.name).collect();
                faults.push(
                    Diagnostic::at(
                        &entry.key,
                        format!(
                            "unknown parameter `{name}` for balancer `{}`",
                            provider.name
                        ),
                    )
                    .nearest(name, names.iter().copied())
                    .help(format!("`{}` takes {}", provider.name, list(names))),
                );
            }
        }
        for param in provider.all().filter(|param| param.required) {
            if map
                .get(param.name)
                .is_none_or(|entry| entry.value.is_null())
            {
                faults.push(
                    Diagnostic::at(
                        span,
                        format!("balancer `{}` needs `{}`", provider.name, param.name),
                    )
                    .help(format!("`{}`: {}", param.name, param.doc)),
                );
            }
        }
        Reader {
            provider,
            map,
            tolerant,
            faults,
        }
    }

    fn typed<T>(&mut self, name: &str, read: impl Fn(&Value, Type) -> Option<T>) -> Option<T> {
        // What the provider does not take of the node's settings has its default.
        let own = self.provider.param(name);
        let param: &Param = own.or_else(|| READINESS.param(name))?;
        let given = own.and_then(|_| self.given(name));
        let given = given.filter(|value| !value.is_null());
        let default = Value::str(param.default, &Span::synthetic("default"));
        let value = match given {
            Some(value) if self.tolerant && is_template(value) => return None,
            Some(value) => value,
            None if param.default.is_empty() => return None,
            None => &default,
        };
        let found = read(value, param.ty);
        if found.is_none() {
            self.wrong(name, value, &format!("must be {}", param.ty.words()));
        }
        found
    }

    /// Says what is wrong with a value.
    pub(super) fn wrong(&mut self, name: &str, value: &Value, what: &str) {
        let shown = match self.provider.param(name).map(|param| param.ty) {
            Some(Type::Secret) => value.type_name().to_owned(),
            _ => match &value.kind {
                Kind::Str(text) => format!("`{text}`"),
                Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => format!("`{}`", value.to_json()),
                _ => value.type_name().to_owned(),
            },
        };
        self.faults.push(Diagnostic::at(
            &value.span,
            format!("`{name}` {what}, not {shown}"),
        ));
    }

    /// The value as it is written, for more checks.
    pub(super) fn given(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).map(|entry| &entry.value)
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.typed(name, |value, ty| {
            let text = text(value)?;
            (ty != Type::Path || text.starts_with('/')).then_some(text)
        })
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.typed(name, |value, _| match &value.kind {
            Kind::Bool(flag) => Some(*flag),
            Kind::Str(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        })
    }

    /// A number from 1.
    pub(super) fn count(&mut self, name: &str) -> Option<u32> {
        self.typed(name, |value, _| {
            let number: u32 = text(value)?.parse().ok()?;
            (number > 0).then_some(number)
        })
    }

    /// A time that is longer than nothing.
    pub(super) fn time(&mut self, name: &str) -> Option<Duration> {
        self.typed(name, |value, _| {
            value.duration().filter(|time| !time.is_zero())
        })
    }

    /// Texts, at least one.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let tolerant = self.tolerant;
        self.typed(name, |value, _| words(value, tolerant))
    }

    /// Port numbers, at least one.
    pub(super) fn ports(&mut self, name: &str) -> Option<Vec<u16>> {
        let tolerant = self.tolerant;
        self.typed(name, |value, _| {
            words(value, tolerant)?
                .iter()
                .filter(|word| !(tolerant && word.contains("{{")))
                .map(|word| word.parse().ok().filter(|port| *port > 0))
                .collect()
        })
    }

    /// A program and its arguments; text goes to `sh`.
    pub(super) fn argv(&mut self, name: &str) -> Option<Vec<String>> {
        let tolerant = self.tolerant;
        self.typed(name, |value, _| match &value.kind {
            Kind::List(_) => words(value, tolerant),
            Kind::Str(text) if !text.trim().is_empty() => {
                Some(vec!["sh".into(), "-c".into(), text.to_string()])
            }
            _ => None,
        })
    }
}

fn text(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Str(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Kind::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn words(value: &Value, tolerant: bool) -> Option<Vec<String>> {
    let words: Vec<String> = match &value.kind {
        Kind::List(items) => items
            .iter()
            .map(|item| match item.as_str() {
                // A template may render to anything.
                Some(text) if tolerant && is_template(item) => Some(text.to_owned()),
                _ => text(item),
            })
            .collect::<Option<_>>()?,
        Kind::Str(text) => text
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect(),
        Kind::Int(number) => vec![number.to_string()],
        _ => return None,
    };
    (!words.is_empty()).then_some(words)
}
