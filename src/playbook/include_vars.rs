//! `include_vars`: variables of files, read when their turn has come. What is named literally is read and checked with everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::is_literal;
use super::parse::Reader;
use super::role::Role;
use super::role_folder::files_of;
use super::search::{Search, project_folder};
use super::task::Outer;
use super::{TaskAction, check};
use crate::diagnostic::Diagnostic;
use crate::inventory::read_vars;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};
use crate::vault::Keyring;

const PARAMETERS: &[&str] = &[
    "file",
    "dir",
    "name",
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
];

/// What an `include_vars` reads.
#[derive(Debug)]
pub struct VarsAsk {
    /// Its parameters, perhaps templates.
    pub parameters: Map,
    /// What is read, where all of it is literal and there.
    pub read: Option<ReadVars>,
    /// What it may read, as far as that lies where files of variables lie.
    pub possible: Vec<Arc<Map>>,
    span: Span,
    search: Search,
    keyring: Keyring,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct ReadVars {
    /// The files, in their order.
    pub files: Vec<PathBuf>,
    /// What they set.
    pub vars: Arc<Map>,
}

/// Whether a key is `include_vars`.
pub(super) fn is_include_vars(key: &str) -> bool {
    matches!(
        key,
        "include_vars" | "ansible.builtin.include_vars" | "ansible.legacy.include_vars"
    )
}

impl VarsAsk {
    /// The names it sets, as far as they are known; none where it may set any.
    pub fn names(&self) -> Option<Vec<Arc<str>>> {
        if let Some(read) = &self.read {
            return Some(read.vars.keys().cloned().collect());
        }
        let name = self.parameters.get("name").map(|entry| &entry.value);
        let name = name.filter(|name| is_literal(name))?.as_str()?;
        Some(vec![name.into()])
    }

    /// Reads what the rendered parameters name.
    pub fn load(&self, parameters: &Map) -> Result<ReadVars, Vec<Diagnostic>> {
        let get = |name: &str| parameters.get(name).map(|entry| &entry.value);
        let files = match (get("file"), get("dir")) {
            (Some(file), None) => vec![self.find(file)?],
            (None, Some(dir)) => self.below(dir, parameters)?,
            _ => {
                return Err(vec![Diagnostic::at(
                    &self.span,
                    "`include_vars` needs `file` or `dir`, and not both",
                )]);
            }
        };
        let mut vars = Map::new();
        for file in &files {
            vars.extend(read_vars(file, &self.keyring)?.as_ref().clone());
        }
        if let Some(name) = get("name").filter(|name| !name.is_null()) {
            let Some(word) = name
                .as_str()
                .filter(|word| crate::name::is_identifier(word))
            else {
                return Err(vec![Diagnostic::at(
                    &name.span,
                    "`name` must be the name of a variable",
                )]);
            };
            let entry = Entry {
                key: name.span.clone(),
                value: Value::new(Kind::Map(Arc::new(vars)), &name.span),
            };
            vars = [(Arc::from(word), entry)].into_iter().collect();
        } else if let Some((name, entry)) = vars
            .iter()
            .find(|(name, _)| !crate::name::is_identifier(name))
        {
            let message = format!("`{name}` cannot be the name of a variable");
            return Err(vec![Diagnostic::at(&entry.key, message)]);
        }
        Ok(ReadVars {
            files,
            vars: Arc::new(vars),
        })
    }

    fn find(&self, file: &Value) -> Result<PathBuf, Vec<Diagnostic>> {
        let name = file.as_str().unwrap_or_default();
        match self.search.find(name, "vars") {
            Ok(path) if path.is_file() => Ok(path),
            Ok(path) => Err(vec![
                Diagnostic::at(&file.span, format!("`{}` is not a file", path.display()))
                    .help("write `include_vars: {dir: …}` for all files of a folder"),
            ]),
            Err(places) => Err(vec![check::missing("include_vars", name, file, &places)]),
        }
    }

    /// The files of a folder that are meant, in the order of their names, those of a folder before what lies deeper.
    fn below(&self, dir: &Value, parameters: &Map) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
        let name = dir.as_str().unwrap_or_default();
        let folder = match self.search.find(name, "vars") {
            Ok(path) if path.is_dir() => path,
            Ok(path) => {
                let message = format!("`{}` is not a folder", path.display());
                return Err(vec![Diagnostic::at(&dir.span, message)]);
            }
            Err(places) => {
                return Err(vec![check::missing("include_vars", name, dir, &places)]);
            }
        };
        let get = |name: &str| parameters.get(name).map(|entry| &entry.value);
        let depth = match get("depth").map(|value| (&value.kind, value)) {
            None | Some((Kind::Null, _)) => 0,
            Some((Kind::Int(number), _)) if *number >= 0 => *number as usize,
            Some((_, value)) => value
                .as_str()
                .and_then(|text| text.trim().parse().ok())
                .ok_or_else(|| {
                    vec![Diagnostic::at(
                        &value.span,
                        "`depth` must be a whole number",
                    )]
                })?,
        };
        let pattern = |value: &Value, text: &str| {
            regex::Regex::new(text).map_err(|_| {
                vec![Diagnostic::at(
                    &value.span,
                    format!("`{text}` cannot be used as a regular expression"),
                )]
            })
        };
        let matching = match get("files_matching").and_then(|it| Some((it, it.as_str()?))) {
            Some((value, text)) => Some(pattern(value, text)?),
            None => None,
        };
        let mut ignored = Vec::new();
        for (value, text) in words(get("ignore_files")) {
            ignored.push(pattern(value, &format!("(?:{text})$"))?);
        }
        let extensions: Vec<&str> = match get("extensions") {
            None => vec!["yaml", "yml", "json"],
            extensions => words(extensions).map(|(_, word)| word).collect(),
        };
        let lenient =
            get("ignore_unknown_extensions").is_some_and(|value| value.kind == Kind::Bool(true));
        let mut files = Vec::new();
        for (level, path) in walk(&folder, 1) {
            if depth > 0 && level > depth {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let known = path
                .extension()
                .is_some_and(|ending| extensions.iter().any(|known| ending == *known));
            if ignored.iter().any(|pattern| pattern.is_match(&name))
                || matching.as_ref().is_some_and(|it| !it.is_match(&name))
                || (lenient && !known)
            {
                continue;
            }
            if !known {
                return Err(vec![
                    Diagnostic::at(
                        &dir.span,
                        format!("`{}` has none of the `extensions`", path.display()),
                    )
                    .help("set `ignore_unknown_extensions: true`, or name it in `ignore_files`"),
                ]);
            }
            files.push(path);
        }
        Ok(files)
    }
}

/// All files below a folder, with how deep they lie.
fn walk(folder: &Path, level: usize) -> Vec<(usize, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let here = files.into_iter().map(|path| (level, path));
    let deeper = folders.iter().flat_map(|folder| walk(folder, level + 1));
    here.chain(deeper).collect()
}

/// Words of a list, or one word.
fn words(value: Option<&Value>) -> impl Iterator<Item = (&Value, &str)> {
    let items: Vec<&Value> = match value.map(|value| (&value.kind, value)) {
        Some((Kind::List(items), _)) => items.iter().collect(),
        Some((_, value)) => vec![value],
        None => Vec::new(),
    };
    items
        .into_iter()
        .filter_map(|item| Some((item, item.as_str()?)))
}

impl Reader {
    /// Reads the parameters of an `include_vars`, and what they name.
    pub(super) fn include_vars(
        &mut self,
        value: &Value,
        span: &Span,
        args: Option<&Entry>,
    ) -> Option<VarsAsk> {
        let mut parameters = Map::new();
        for given in [Some(value), args.map(|entry| &entry.value)]
            .into_iter()
            .flatten()
        {
            match &given.kind {
                Kind::Map(map) => parameters.extend(map.as_ref().clone()),
                Kind::Null => {}
                Kind::Str(text) => match free_form(text, given, span) {
                    Some(map) => parameters.extend(map),
                    None => {
                        self.wrong("include_vars", "the name of a file, or parameters", given);
                        return None;
                    }
                },
                _ => {
                    self.wrong("include_vars", "the name of a file, or parameters", given);
                    return None;
                }
            }
        }
        if let Some(raw) = parameters.shift_remove("_raw_params") {
            parameters.insert("file".into(), raw);
        }
        let mut faulty = false;
        for (key, entry) in &parameters {
            if PARAMETERS.contains(&key.as_ref()) {
                continue;
            }
            faulty = true;
            let fault = match key.as_ref() {
                "hash_behaviour" => Diagnostic::at(
                    &entry.key,
                    "hadeploy does not have `hash_behaviour` of `include_vars`",
                )
                .help("give the variables a `name`, and merge them with the filter `combine`"),
                key => Diagnostic::at(
                    &entry.key,
                    format!("unknown parameter `{key}` for `include_vars`"),
                )
                .nearest(key, PARAMETERS.iter().copied()),
            };
            self.fault(fault);
        }
        if faulty {
            return None;
        }
        if parameters.contains_key("file") == parameters.contains_key("dir") {
            self.fault(
                Diagnostic::at(span, "`include_vars` needs `file` or `dir`, and not both")
                    .help("write `include_vars: FILE`"),
            );
            return None;
        }
        Some(VarsAsk {
            parameters,
            read: None,
            possible: Vec::new(),
            span: span.clone(),
            search: Search::default(),
            keyring: self.keyring.clone(),
        })
    }

    /// Reads what an `include_vars` names, as far as it is known. One that may fail is not asked about now.
    pub(super) fn read_include_vars(
        &mut self,
        mut ask: VarsAsk,
        outer: &Outer,
        may_fail: bool,
    ) -> TaskAction {
        ask.search = Search {
            roles: outer.role.as_deref().map(Role::folders).unwrap_or_default(),
            task: self.folder(),
            playbook: self.root.clone(),
            project: project_folder(&self.root),
        };
        if ask
            .parameters
            .values()
            .all(|entry| is_literal(&entry.value))
        {
            match ask.load(&ask.parameters) {
                Ok(read) => ask.read = Some(read),
                Err(_) if may_fail => {}
                Err(mut faults) => self.faults.append(&mut faults),
            }
        } else {
            let folders = ask.search.roles.iter();
            let folders = folders.chain([&ask.search.task, &ask.search.playbook]);
            let files: Vec<PathBuf> = folders
                .map(|folder| folder.join("vars"))
                .filter(|folder| folder.is_dir())
                .flat_map(|folder| files_of(&folder))
                .collect();
            // What cannot be read is said when it is the one that is meant.
            let read = |path: &PathBuf| read_vars(path, &self.keyring).ok();
            ask.possible = files.iter().filter_map(read).collect();
        }
        TaskAction::Vars(Arc::new(ask))
    }
}

/// `include_vars: FILE` and `include_vars: file=FILE name=NAME`.
fn free_form(text: &str, given: &Value, span: &Span) -> Option<Map> {
    let entry = |value: &str| Entry {
        key: span.clone(),
        value: Value::str(value, &given.span),
    };
    let text = text.trim();
    let words: Vec<(&str, &str)> = text
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .filter(|(key, _)| PARAMETERS.contains(key))
        .collect();
    if words.is_empty() {
        return (!text.is_empty()).then(|| {
            let whole = Entry {
                key: span.clone(),
                value: given.clone(),
            };
            [(Arc::from("file"), whole)].into_iter().collect()
        });
    }
    Some(
        words
            .into_iter()
            .map(|(key, value)| (Arc::from(key), entry(value)))
            .collect(),
    )
}
