//! The arguments of one task, checked against the parameters of its kind.

mod coerce;
mod omitted;

use indexmap::IndexMap;

use self::coerce::coerce;
use super::{Kind, Param, ParamType};
use crate::diagnostic::{Diagnostic, list};
use crate::source::Span;
use crate::value::{Entry, Kind as ValueKind, Map, Value};

/// Arguments by the canonical names of their parameters. After [`Args::coerce`] each has the type its parameter says.
#[derive(Debug, Clone)]
pub struct Args {
    /// The kind they are for.
    pub kind: &'static Kind,
    /// Where the kind's name stands.
    pub span: Span,
    values: IndexMap<&'static str, Entry>,
    open: IndexMap<String, Entry>,
}

impl Args {
    /// Names checked: unknown and refused parameters, duplicates under two names, missing required ones.
    pub fn new(kind: &'static Kind, span: &Span, map: &Map) -> Result<Args, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut values: IndexMap<&'static str, Entry> = IndexMap::new();
        let mut open = IndexMap::new();
        for (name, entry) in map {
            let Some(param) = find(kind, name).filter(|param| param.name != Param::OPEN) else {
                let refused = is_refused(kind, name);
                if refused && omitted::means_nothing(name, &entry.value) {
                    continue;
                }
                let may_be_omitted = refused && omitted::perhaps_nothing(name, &entry.value);
                if may_be_omitted || (!refused && find(kind, Param::OPEN).is_some()) {
                    open.insert(name.to_string(), entry.clone());
                    continue;
                }
                faults.push(unknown(kind, name, &entry.key));
                continue;
            };
            if let Some(earlier) = values.get(param.name) {
                faults.push(
                    Diagnostic::at(&entry.key, format!("`{name}` is given twice"))
                        .label(format!(
                            "`{name}` and `{}` are one parameter",
                            earlier.key.text()
                        ))
                        .related(&earlier.key, "first given here"),
                );
                continue;
            }
            values.insert(param.name, entry.clone());
        }
        let args = Args {
            kind,
            span: span.clone(),
            values,
            open,
        };
        for param in kind.params.iter().filter(|param| param.required) {
            if !args.has(param.name) {
                faults.push(
                    Diagnostic::at(span, format!("`{}` needs `{}`", kind.name, param.name))
                        .help(format!("`{}`: {}", param.name, param.doc)),
                );
            }
        }
        if faults.is_empty() {
            Ok(args)
        } else {
            Err(faults)
        }
    }

    /// The types of all arguments whose value is settled, that is for which `settled` says true (bound values, literals).
    pub fn coerce(&mut self, settled: impl Fn(&Value) -> bool) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for (name, entry) in &mut self.values {
            let param = find(self.kind, name).expect("only known names are entered");
            if param.ty == ParamType::Expression || !settled(&entry.value) {
                continue;
            }
            match coerce(param, &entry.value) {
                Ok(value) => entry.value = value,
                Err(fault) => faults.push(*fault),
            }
        }
        faults
    }

    /// Whether a parameter is given and is not null.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A given argument that is not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        debug_assert!(find(self.kind, name).is_some(), "no parameter `{name}`");
        self.values
            .get(name)
            .map(|entry| &entry.value)
            .filter(|value| !value.is_null())
    }

    /// All given arguments with the places of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        self.values.iter().map(|(name, entry)| (*name, entry))
    }

    /// Arguments with names of the user's own, of a kind with the parameter [`Param::OPEN`], and those of parameters that hadeploy refuses but that
    /// may turn out to be omitted. They are bound as the others are.
    pub fn open(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.open.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Replaces the value of an argument with a name of the user's own; `None` drops it (`omit`).
    pub fn set_open(&mut self, name: &str, value: Option<Value>) {
        match (value, self.open.get_mut(name)) {
            (Some(value), Some(entry)) => entry.value = value,
            (None, _) => {
                self.open.shift_remove(name);
            }
            _ => {}
        }
    }

    /// Replaces a name of the user's own that was a template.
    pub fn rename_open(&mut self, name: &str, new: String) {
        if let Some(entry) = self.open.shift_remove(name) {
            self.open.insert(new, entry);
        }
    }

    /// Replaces a value, as binding does; `None` drops it (`omit`).
    pub fn set(&mut self, name: &'static str, value: Option<Value>) {
        match value {
            Some(value) => {
                if let Some(entry) = self.values.get_mut(name) {
                    entry.value = value;
                }
            }
            None => {
                self.values.shift_remove(name);
            }
        }
    }

    /// Where a parameter's name stands, or the kind's when it is not given.
    pub fn place(&self, name: &str) -> &Span {
        self.values.get(name).map_or(&self.span, |entry| &entry.key)
    }

    /// Where a parameter's value stands, or the kind's name when it is not given.
    pub fn value_place(&self, name: &str) -> &Span {
        self.values
            .get(name)
            .map_or(&self.span, |entry| &entry.value.span)
    }

    /// Text.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Text that holds no template, so that a check before binding may read it.
    pub fn literal(&self, name: &str) -> Option<&str> {
        self.str(name)
            .filter(|text| !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)))
    }

    /// A boolean, or its default.
    pub fn bool(&self, name: &str, default: bool) -> bool {
        match self.get(name).map(|value| &value.kind) {
            Some(ValueKind::Bool(value)) => *value,
            _ => default,
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name).map(|value| &value.kind) {
            Some(ValueKind::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A list of texts; empty when it is not given.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .and_then(Value::as_list)
            .map(|items| items.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    }

    /// The faults of giving more than one of `names`.
    pub fn at_most_one_of(&self, names: &[&str]) -> Vec<Diagnostic> {
        let given: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| self.has(name))
            .collect();
        match given.as_slice() {
            [first, second, ..] => vec![
                Diagnostic::at(
                    self.place(second),
                    format!("{} exclude each other", list(given.iter().copied())),
                )
                .related(self.place(first), "given here"),
            ],
            _ => Vec::new(),
        }
    }

    /// The fault of giving none of `names`.
    pub fn one_of_required(&self, names: &[&str]) -> Vec<Diagnostic> {
        if names.iter().any(|name| self.has(name)) {
            return Vec::new();
        }
        vec![Diagnostic::at(
            &self.span,
            format!(
                "`{}` needs one of {}",
                self.kind.name,
                list(names.iter().copied())
            ),
        )]
    }
}

fn find(kind: &'static Kind, name: &str) -> Option<&'static Param> {
    kind.params
        .iter()
        .find(|param| param.name == name || param.aliases.contains(&name))
}

fn is_refused(kind: &'static Kind, name: &str) -> bool {
    kind.refused.iter().any(|(refused, _)| *refused == name)
}

fn unknown(kind: &'static Kind, name: &str, key: &Span) -> Diagnostic {
    if let Some((_, instead)) = kind.refused.iter().find(|(refused, _)| *refused == name) {
        return Diagnostic::at(
            key,
            format!("hadeploy's `{}` does not have `{name}`", kind.name),
        )
        .help(*instead)
        .absent();
    }
    let names = kind
        .params
        .iter()
        .flat_map(|param| std::iter::once(param.name).chain(param.aliases.iter().copied()));
    Diagnostic::at(
        key,
        format!("unknown parameter `{name}` for `{}`", kind.name),
    )
    .nearest(name, names)
    .help(format!(
        "`{}` takes {}",
        kind.name,
        list(kind.params.iter().map(|param| param.name))
    ))
}
