//! Reading a playbook and the files it imports; every fault is collected.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::collections::{Bases, Installed};
use super::handler::NoHandlers;
use super::play::Around;
use super::role::Role;
use super::role_folder;
use super::search::project_folder;
use super::{Play, Playbook, Task, keywords};
use crate::diagnostic::Diagnostic;
use crate::inventory::unreadable;
use crate::resource::Kind;
use crate::source::Span;
use crate::value::{self, Entry, Map, Value};
use crate::vault::{Keyring, read_source};

/// The most files one playbook may import, counted each time.
const MAX_IMPORTS: usize = 10_000;

/// The most tasks one playbook may come to with its imports.
const MAX_TASKS: usize = 100_000;

/// Reads a playbook with everything it imports. `kinds` is the table to look task kinds up in, `first_id` the number of
/// its first task, `installed` where roles and collections are besides those of the project. The playbook is as complete as it could be made; it is not to be run while one of the faults is an error.
pub fn parse_playbook(
    path: &str,
    kinds: &'static [&'static Kind],
    first_id: usize,
    keyring: &Keyring,
    installed: &Installed,
) -> (Playbook, Vec<Diagnostic>) {
    let root = folder_of(Path::new(path));
    let mut reader = Reader::new(root, kinds, first_id, keyring.clone(), installed);
    let mut plays = Vec::new();
    if let Some(value) = reader.enter(Path::new(path), None) {
        reader.plays(&value, &Around::default(), &mut plays);
        reader.leave();
    }
    let playbook = Playbook {
        name: path.to_owned(),
        plays,
    };
    (playbook, reader.faults)
}

/// The state of reading one playbook.
pub(super) struct Reader {
    pub(super) faults: Vec<Diagnostic>,
    pub(super) kinds: &'static [&'static Kind],
    pub(super) keyring: Keyring,
    next_id: usize,
    last_id: usize,
    imports: usize,
    pub(super) root: PathBuf,
    /// Where roles are looked for.
    pub(super) bases: Bases,
    /// Where roles and collections are installed.
    pub(super) installed: Installed,
    /// Files of variables of roles, read once.
    pub(super) maps: HashMap<PathBuf, Arc<Map>>,
    /// What the roles bring to the play that is being read.
    pub(super) of_play: OfPlay,
    chain: Vec<Opened>,
    read: HashMap<PathBuf, Value>,
}

/// What roles bring to their play.
#[derive(Default)]
pub(super) struct OfPlay {
    /// Handlers of `roles`: before those of the play.
    pub(super) early: Vec<Task>,
    /// Handlers of roles that tasks import or include.
    pub(super) late: Vec<Task>,
    /// Those that `roles` names.
    pub(super) named: Vec<Arc<Role>>,
    /// Those that tasks import, unless they keep their variables to themselves.
    pub(super) imported: Vec<Arc<Role>>,
    /// The names of those that others depend on.
    pub(super) dependent: Vec<Arc<str>>,
    /// What cannot be notified, though it stands among handlers.
    pub(super) no_handlers: NoHandlers,
}

/// A file that is being read.
struct Opened {
    path: PathBuf,
    real: PathBuf,
}

impl Reader {
    /// Nothing is read yet; `root` is the folder of the playbook.
    pub(super) fn new(
        root: PathBuf,
        kinds: &'static [&'static Kind],
        first_id: usize,
        keyring: Keyring,
        installed: &Installed,
    ) -> Reader {
        Reader {
            faults: Vec::new(),
            kinds,
            keyring,
            next_id: first_id,
            last_id: first_id + MAX_TASKS,
            imports: 0,
            bases: role_folder::bases(&root, &root, project_folder(&root).as_deref(), installed),
            installed: installed.clone(),
            maps: HashMap::new(),
            of_play: OfPlay::default(),
            root,
            chain: Vec::new(),
            read: HashMap::new(),
        }
    }

    pub(super) fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// Whether the playbook has grown beyond all measure; said once, at `span`.
    pub(super) fn is_full(&mut self, span: &Span) -> bool {
        if self.next_id == self.last_id {
            self.next_id += 1;
            self.fault(Diagnostic::at(
                span,
                format!("the playbook has more than {MAX_TASKS} tasks"),
            ));
        }
        self.next_id > self.last_id
    }

    /// The number of the next task.
    pub(super) fn task_id(&mut self) -> usize {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The folder of the file that is being read.
    pub(super) fn folder(&self) -> PathBuf {
        self.chain
            .last()
            .map_or(self.root.clone(), |opened| folder_of(&opened.path))
    }

    /// Whether a file is being read, or one that it imports or includes.
    pub(super) fn is_within(&self, path: &Path) -> bool {
        let real = path.canonicalize().unwrap_or(path.to_owned());
        self.chain.iter().any(|opened| opened.real == real)
    }

    /// Begins a file; [`Reader::leave`] ends it. A file inside itself is a fault that shows the way round.
    pub(super) fn enter(&mut self, path: &Path, at: Option<&Value>) -> Option<Value> {
        self.imports += 1;
        if self.imports > MAX_IMPORTS {
            if self.imports == MAX_IMPORTS + 1 {
                let fault =
                    Diagnostic::error(format!("more than {MAX_IMPORTS} files are imported"));
                self.fault(match at {
                    Some(value) => fault.place(&value.span),
                    None => fault,
                });
            }
            return None;
        }
        let real = path.canonicalize().unwrap_or(path.to_owned());
        if let Some(first) = self.chain.iter().position(|opened| opened.real == real) {
            let way: Vec<String> = self.chain[first..]
                .iter()
                .map(|opened| format!("`{}`", opened.path.display()))
                .chain([format!("`{}`", path.display())])
                .collect();
            let fault = Diagnostic::error(format!("`{}` imports itself", path.display()))
                .label(way.join(" imports "));
            self.fault(match at {
                Some(value) => fault.place(&value.span),
                None => fault,
            });
            return None;
        }
        let value = match self.read.get(&real) {
            Some(value) => value.clone(),
            None => {
                let value = self.open(path, at)?;
                self.read.insert(real.clone(), value.clone());
                value
            }
        };
        self.chain.push(Opened {
            path: path.to_owned(),
            real,
        });
        Some(value)
    }

    pub(super) fn leave(&mut self) {
        self.chain.pop();
    }

    fn open(&mut self, path: &Path, at: Option<&Value>) -> Option<Value> {
        let shown = path.display().to_string();
        let fault = |message: String| {
            let fault = Diagnostic::error(message);
            match at {
                Some(value) => fault.place(&value.span),
                None => fault.help("give the path of a playbook"),
            }
        };
        let source = match read_source(path, &self.keyring) {
            Ok(source) => source,
            Err(error) => {
                let said = unreadable(&shown, &error);
                let fault = fault(said.message);
                self.fault(match said.help {
                    Some(help) => fault.help(help),
                    None => fault,
                });
                return None;
            }
        };
        match value::parse_vaulted_yaml(&source, &self.keyring) {
            Ok(value) => {
                if source.is_sealed() {
                    value::hide_vars(&value, &self.keyring);
                }
                Some(value)
            }
            Err(mut faults) => {
                self.faults.append(&mut faults);
                None
            }
        }
    }

    /// Every file that was read.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.read.keys().chain(self.maps.keys()).cloned().collect()
    }

    /// The path of an imported file: beside the importing one, else in a folder of its role, else beside the playbook.
    pub(super) fn imported(
        &mut self,
        name: &Value,
        what: &str,
        role: Option<&Path>,
    ) -> Option<PathBuf> {
        let text = self.literal(name, what)?;
        let beside = self.folder().join(text.as_ref());
        let others = role.into_iter().chain([self.root.as_path()]);
        let mut others = others.map(|folder| folder.join(text.as_ref()));
        if beside.is_file() {
            return Some(beside);
        }
        Some(others.find(|path| path.is_file()).unwrap_or(beside))
    }

    fn plays(&mut self, file: &Value, around: &Around, plays: &mut Vec<Play>) {
        let Some(items) = file.as_list() else {
            let fault = Diagnostic::at(
                &file.span,
                format!("a playbook is a list of plays, not {}", file.type_name()),
            );
            self.fault(match file.as_map() {
                Some(_) => fault.help("begin the play with a dash: `- hosts: all`"),
                None => fault.help("a play is written `- hosts: all`, with its `tasks` below"),
            });
            return;
        };
        if items.is_empty() {
            self.fault(
                Diagnostic::at(&file.span, "the playbook holds no play")
                    .help("a play is written `- hosts: all`, with its `tasks` below"),
            );
        }
        for item in items {
            let Some(map) = item.as_map() else {
                self.fault(
                    Diagnostic::at(
                        &item.span,
                        format!("a play is a mapping, not {}", item.type_name()),
                    )
                    .help("a play is written `- hosts: all`, with its `tasks` below"),
                );
                continue;
            };
            let import = ["import_playbook", "ansible.builtin.import_playbook"]
                .iter()
                .find_map(|name| map.get(*name));
            match import {
                Some(entry) => self.import_playbook(map, entry, around, plays),
                None => plays.extend(self.play(item, map, around)),
            }
        }
    }

    fn import_playbook(
        &mut self,
        map: &Map,
        import: &Entry,
        around: &Around,
        plays: &mut Vec<Play>,
    ) {
        let mut inner = around.clone();
        for (key, entry) in map {
            match key.as_ref() {
                "import_playbook" | "ansible.builtin.import_playbook" | "name" => {}
                "when" => inner.when.extend(self.conditions("when", &entry.value)),
                "tags" => inner.tags.extend(self.words("tags", &entry.value)),
                "vars" => {
                    // The outer import is the stronger one.
                    let mut vars = self.vars(&entry.value);
                    vars.extend(inner.vars);
                    inner.vars = vars;
                }
                other => self.fault(
                    Diagnostic::at(
                        &entry.key,
                        format!("`{other}` does not go with `import_playbook`"),
                    )
                    .nearest(other, keywords::IMPORT_PLAYBOOK.iter().copied())
                    .help("beside the file there can be `name`, `when`, `vars` and `tags`"),
                ),
            }
        }
        let Some(path) = self.imported(&import.value, "import_playbook", None) else {
            return;
        };
        if let Some(value) = self.enter(&path, Some(&import.value)) {
            self.plays(&value, &inner, plays);
            self.leave();
        }
    }
}

/// The folder a file lies in; empty for the working folder.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// `file:line` of a place.
pub(super) fn at(span: &Span) -> Arc<str> {
    span.at().into()
}
