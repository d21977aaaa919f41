//! `loop` and the forms of `with_`: what they go over, and how.

use super::fields::is_literal;
use super::parse::Reader;
use super::{Loop, LoopKind};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Kind, Map, Value};

/// The words of loops. A lookup of templates needs no more than a row, here and in the tables of keywords.
const LOOPS: &[(&str, LoopKind)] = &[
    ("loop", LoopKind::List),
    ("with_items", LoopKind::Items),
    ("with_dict", LoopKind::Dict),
    ("with_list", LoopKind::List),
    ("with_flattened", LoopKind::Flattened),
    ("with_together", LoopKind::Together),
    ("with_nested", LoopKind::Nested),
    ("with_cartesian", LoopKind::Nested),
    ("with_indexed_items", LoopKind::Indexed),
    ("with_subelements", LoopKind::Subelements),
    ("with_sequence", LoopKind::Sequence),
    ("with_csvfile", LoopKind::Lookup("csvfile")),
    ("with_env", LoopKind::Lookup("env")),
    ("with_file", LoopKind::Lookup("file")),
    ("with_fileglob", LoopKind::Lookup("fileglob")),
    ("with_first_found", LoopKind::Lookup("first_found")),
    ("with_ini", LoopKind::Lookup("ini")),
    (
        "with_inventory_hostnames",
        LoopKind::Lookup("inventory_hostnames"),
    ),
    ("with_lines", LoopKind::Lookup("lines")),
    ("with_password", LoopKind::Lookup("password")),
    ("with_pipe", LoopKind::Lookup("pipe")),
    ("with_template", LoopKind::Lookup("template")),
    ("with_unvault", LoopKind::Lookup("unvault")),
    ("with_varnames", LoopKind::Lookup("varnames")),
    ("with_vars", LoopKind::Lookup("vars")),
];

const CONTROLS: &[&str] = &[
    "loop_var",
    "index_var",
    "label",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
];

/// Whether a key makes a loop.
pub(super) fn is_loop(key: &str) -> bool {
    LOOPS.iter().any(|(name, _)| *name == key)
}

/// The collections whose lookups `with_` may name in full.
const COLLECTIONS: &[&str] = &["ansible.builtin.", "ansible.legacy.", "community.general."];

/// A task whose loop is named in full, such as `with_community.general.flattened`, with its short name; none for all others.
pub(super) fn with_short_name(map: &Map) -> Option<Map> {
    let short = |key: &str| -> Option<String> {
        let lookup = key.strip_prefix("with_")?;
        let name = COLLECTIONS
            .iter()
            .find_map(|collection| lookup.strip_prefix(collection))?;
        Some(format!("with_{name}")).filter(|short| is_loop(short))
    };
    map.keys().any(|key| short(key).is_some()).then(|| {
        map.iter()
            .map(|(key, entry)| match short(key) {
                Some(short) => (short.into(), entry.clone()),
                None => (key.clone(), entry.clone()),
            })
            .collect()
    })
}

impl Reader {
    pub(super) fn repeat(&mut self, map: &Map) -> Option<Loop> {
        let mut found: Option<(LoopKind, &Value, &Span)> = None;
        for (key, kind) in LOOPS.iter().copied() {
            let Some(entry) = map.get(key) else { continue };
            if let Some((_, _, first)) = found {
                self.fault(
                    Diagnostic::at(&entry.key, "a task has one loop").related(first, "the first"),
                );
                continue;
            }
            found = Some((kind, &entry.value, &entry.key));
            self.check_items(key, kind, &entry.value);
        }
        let control = map.get("loop_control");
        let Some((kind, items, _)) = found else {
            if let Some(control) = control {
                self.fault(Diagnostic::at(
                    &control.key,
                    "`loop_control` without a loop",
                ));
            }
            return None;
        };
        let mut repeat = Loop {
            items: items.clone(),
            kind,
            var: "item".into(),
            index_var: None,
            label: None,
            pause: None,
            extended: false,
            allitems: true,
            break_when: Vec::new(),
        };
        if let Some(control) = control {
            self.loop_control(&control.value, &mut repeat);
        }
        Some(repeat)
    }

    fn check_items(&mut self, key: &str, kind: LoopKind, value: &Value) {
        let template = matches!(&value.kind, Kind::Str(_)) && !is_literal(value);
        let fits = match kind {
            LoopKind::List => matches!(value.kind, Kind::List(_)),
            LoopKind::Items => !matches!(value.kind, Kind::Map(_) | Kind::Null),
            LoopKind::Dict => matches!(value.kind, Kind::Map(_)),
            LoopKind::Sequence => matches!(value.kind, Kind::Str(_) | Kind::Int(_) | Kind::List(_)),
            LoopKind::Lookup(_) => !matches!(value.kind, Kind::Null),
            _ => matches!(value.kind, Kind::List(_)),
        };
        if fits || template {
            return;
        }
        let wanted = match kind {
            LoopKind::Dict => "a mapping or a template",
            _ => "a list or a template",
        };
        let fault = Diagnostic::at(
            &value.span,
            format!("`{key}` must be {wanted}, not {}", value.type_name()),
        );
        self.fault(match (&value.kind, kind) {
            (Kind::Str(text), _) => fault.help(format!(
                "write a list, or the variable as a template: `\"{{{{ {text} }}}}\"`"
            )),
            (Kind::Map(_), LoopKind::List) => {
                fault.help("go over a mapping with the filter `dict2items`, or with `with_dict`")
            }
            _ => fault,
        });
    }

    fn loop_control(&mut self, value: &Value, repeat: &mut Loop) {
        let Some(map) = value.as_map() else {
            self.wrong("loop_control", "a mapping", value);
            return;
        };
        for (key, entry) in map {
            let value = &entry.value;
            match key.as_ref() {
                "loop_var" if value.as_str() == Some("item") => {}
                "loop_var" => {
                    if let Some(name) = self.register("loop_var", value) {
                        repeat.var = name;
                    }
                }
                "index_var" => repeat.index_var = self.register("index_var", value),
                "label" => repeat.label = Some(value.clone()),
                "pause" => repeat.pause = self.number("pause", value),
                "extended" => repeat.extended = self.switch("extended", value).unwrap_or(false),
                "extended_allitems" => {
                    repeat.allitems = self.switch(key, value).unwrap_or(true);
                }
                "break_when" => repeat.break_when = self.conditions(key, value),
                other => self.fault(
                    Diagnostic::at(
                        &entry.key,
                        format!("unknown key `{other}` of `loop_control`"),
                    )
                    .nearest(other, CONTROLS.iter().copied()),
                ),
            }
        }
    }
}
