//! House rules that no compiler knows: who may import whom, who may print, what files must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use hadeploy::resource::KINDS;

/// Which modules of the crate a module may name. What reads files and decides stands above what touches nodes, and
/// none of it knows who tells the user.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // Places, words and names: what everything is made of.
    ("source", &[]),
    ("name", &[]),
    ("secret", &[]),
    ("command", &[]),
    ("sql", &[]),
    ("scram", &[]),
    ("process", &["secret"]),
    ("diagnostic", &["source"]),
    // The user's files.
    ("vault", &["diagnostic", "secret", "source"]),
    ("value", &["diagnostic", "source", "vault"]),
    ("settings", &["diagnostic", "source", "value"]),
    (
        "inventory",
        &[
            "diagnostic",
            "name",
            "process",
            "secret",
            "source",
            "value",
            "vault",
        ],
    ),
    // Of `resource` only `RenderOptions`, see below.
    ("template", &["diagnostic", "resource", "source", "value"]),
    (
        "playbook",
        &[
            "balancer",
            "diagnostic",
            "fact",
            "inventory",
            "name",
            "resource",
            "rollout",
            "source",
            "template",
            "value",
            "vault",
        ],
    ),
    // What is known of a node, and what is to change there. A step predicts facts, so the two know each other.
    ("fact", &["change", "command", "sql"]),
    ("change", &["command", "fact", "secret"]),
    ("event", &["change", "cluster", "diagnostic"]),
    // Saved plans: what is kept of what happened, and what may happen.
    ("plan", &["change", "event", "secret"]),
    (
        "resource",
        &[
            "change",
            "cluster",
            "command",
            "diagnostic",
            "event",
            "fact",
            "scram",
            "secret",
            "source",
            "sql",
            "template",
            "value",
        ],
    ),
    // Nodes.
    ("transport", &["command", "secret"]),
    (
        "node",
        &["change", "command", "fact", "secret", "transport"],
    ),
    (
        "engine",
        &[
            "balancer",
            "change",
            "cluster",
            "command",
            "diagnostic",
            "event",
            "fact",
            "inventory",
            "name",
            "node",
            "plan",
            "playbook",
            "resource",
            "rollout",
            "secret",
            "source",
            "template",
            "transport",
            "value",
            "vault",
        ],
    ),
    // Clusters: observed, decided and acted on; the engine asks and moves.
    ("cluster", &["change", "command", "scram"]),
    // Rolling updates: decided here, done by the engine.
    (
        "rollout",
        &["command", "diagnostic", "fact", "source", "value"],
    ),
    // Load balancers, for rolling updates.
    (
        "balancer",
        &[
            "command",
            "diagnostic",
            "name",
            "process",
            "secret",
            "source",
            "template",
            "value",
        ],
    ),
    // Telling.
    (
        "report",
        &["change", "cluster", "diagnostic", "event", "source"],
    ),
    // Nodes for trying things: no part of a run.
    ("lab", &["process"]),
];

/// `cli` ties everything together and may name any module; `main` knows only `cli`.
const CLI: &str = "cli";

/// Words that only some places may use, and why.
const ONLY_THERE: &[Restriction] = &[
    Restriction {
        what: "only `cli` and `report` print",
        words: &["println!", "eprintln!", "print!", "eprint!"],
        allowed: &["cli", "report", "main"],
    },
    Restriction {
        what: "only `transport`, `lab` and `process` start programs or open sockets",
        words: &[
            "process::Command",
            "process::{Child",
            "process::{Command",
            "TcpStream",
            "TcpListener",
            "TcpSocket",
            "UdpSocket",
            "UnixStream",
            "UnixListener",
        ],
        allowed: &["transport", "lab", "process"],
    },
    Restriction {
        what: "only `cli`, `lab` and the user's own inventories and balancer commands run programs of the controller",
        words: &["Program::new", "process::Program"],
        allowed: &["balancer", "cli", "inventory", "lab", "process"],
    },
    Restriction {
        what: "only `cli` reads the environment, and hands it down",
        words: &[
            "env::var",
            "env::vars",
            "env::args",
            "env::current_dir",
            "env::current_exe",
            "env::home_dir",
            "env::temp_dir",
        ],
        allowed: &["cli"],
    },
    Restriction {
        what: "named errors below `cli`",
        words: &["anyhow"],
        allowed: &["cli", "main"],
    },
    Restriction {
        what: "nothing is left to be done",
        words: &["todo!", "unimplemented!", "dbg!"],
        allowed: &[],
    },
];

struct Restriction {
    what: &'static str,
    words: &'static [&'static str],
    /// Modules.
    allowed: &'static [&'static str],
}

/// The longest a file of `src` may be, in lines.
const LONGEST: usize = 450;
/// Files that may be longer, each with the reason.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn modules_import_only_what_they_may() {
    let mut faults = Faults::default();
    for file in rust_files("src") {
        let module = file.module();
        if module == CLI || module == "lib" {
            continue;
        }
        let allowed: &[&str] = if module == "main" {
            &[CLI]
        } else {
            match MAY_IMPORT.iter().find(|(name, _)| *name == module) {
                Some((_, allowed)) => allowed,
                None => {
                    faults.add(&file, "its module stands in no row of the table");
                    continue;
                }
            }
        };
        for named in imports(file.code()) {
            if named != module && !allowed.contains(&named.as_str()) {
                faults.add(&file, &format!("`{module}` may not import `{named}`"));
            }
        }
    }
    faults.none();
}

#[test]
fn the_table_has_no_rows_for_what_is_gone() {
    let modules: BTreeSet<String> = rust_files("src").iter().map(SourceFile::module).collect();
    for (module, allowed) in MAY_IMPORT {
        for name in allowed.iter().chain([module]) {
            assert!(modules.contains(*name), "there is no module `{name}`");
        }
    }
}

#[test]
fn template_takes_only_render_options_of_resource() {
    let mut faults = Faults::default();
    for file in rust_files("src")
        .iter()
        .filter(|file| file.module() == "template")
    {
        for (at, _) in file.code().match_indices("crate::resource") {
            let rest = &file.code()[at + "crate::resource".len()..];
            if !rest.starts_with("::RenderOptions") {
                faults.add(file, "it takes more of `resource` than `RenderOptions`");
            }
        }
    }
    faults.none();
}

#[test]
fn words_stand_only_where_they_may() {
    let mut faults = Faults::default();
    for file in rust_files("src") {
        let module = file.module();
        for rule in ONLY_THERE {
            if rule.allowed.contains(&module.as_str()) {
                continue;
            }
            for (number, line) in file.code().lines().enumerate() {
                let Some(word) = rule.words.iter().find(|word| names(line, word)) else {
                    continue;
                };
                faults.add(
                    &file,
                    &format!("line {}: `{word}`: {}", number + 1, rule.what),
                );
            }
        }
    }
    faults.none();
}

#[test]
fn files_say_what_they_are_for() {
    let mut faults = Faults::default();
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        if !file.text.starts_with("//! ") {
            faults.add(&file, "its first line does not begin with `//! `");
        }
        let stem = file.stem();
        if ["util", "utils", "common", "helpers", "misc"].contains(&stem.as_str()) {
            faults.add(&file, "its name says nothing");
        }
    }
    faults.none();
}

#[test]
fn files_are_short() {
    let mut faults = Faults::default();
    for file in rust_files("src") {
        let exception = LONGER.iter().any(|(path, _)| *path == file.path);
        let lines = file.text.lines().count();
        match (lines > LONGEST, exception) {
            (true, false) => faults.add(&file, &format!("{lines} lines, more than {LONGEST}")),
            (false, true) => faults.add(&file, "it is no exception any more"),
            _ => {}
        }
    }
    faults.none();
}

#[test]
fn no_import_hides_names() {
    let mut faults = Faults::default();
    for file in rust_files("src") {
        for line in file.code().lines() {
            let line = line.trim_start();
            let import = line.starts_with("use ") || line.starts_with("pub use ");
            if import && (line.ends_with("::*;") || line.contains("::{self, *")) {
                faults.add(&file, &format!("`{line}` imports everything"));
            }
        }
    }
    faults.none();
}

#[test]
fn no_file_is_forgotten() {
    let mut faults = Faults::default();
    let files: Vec<SourceFile> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(rust_files)
        .collect();
    let mut declared: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        for folder in file.folders_of_modules() {
            declared
                .entry(folder)
                .or_default()
                .extend(modules(&file.text));
        }
    }
    // Modules whose place is said by `#[path]`, relative to their file.
    let placed: Vec<&str> = files
        .iter()
        .flat_map(|file| file.text.lines())
        .filter_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"))
        .map(|path| path.trim_start_matches("../"))
        .collect();
    for file in &files {
        let path = Path::new(&file.path);
        let (folder, name) = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod") => {
                let folder = path.parent().expect("a file has a folder");
                (folder.parent().unwrap_or(folder), file.stem())
            }
            _ => (path.parent().expect("a file has a folder"), file.stem()),
        };
        let root = ["src", "tests", "benches"].contains(&folder.to_str().unwrap_or_default());
        let entry = match folder.to_str() {
            Some("src") => ["main", "lib"].contains(&name.as_str()),
            // Each file there is a program of its own, and so is each folder with a `main.rs`.
            Some("tests" | "benches") => !path.ends_with("mod.rs"),
            _ => name == "main" && !root,
        };
        let known = declared
            .get(folder)
            .is_some_and(|names| names.contains(&name))
            || placed.iter().any(|placed| file.path.ends_with(placed));
        if !entry && !known {
            faults.add(
                file,
                "no file declares it as a module, so nothing compiles it",
            );
        }
    }
    faults.none();
}

#[test]
fn each_kind_has_cases() {
    let folder = root().join("tests/resources");
    let kinds: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let mut without = Vec::new();
    // A cluster has no diff of its own; tests/postgres and the cases beside the code play whole ones.
    let own = KINDS.iter().filter(|kind| !kind.is_cluster());
    for kind in own.map(|kind| kind.name) {
        let cases = fs::read_dir(folder.join(kind))
            .into_iter()
            .flatten()
            .flatten();
        let yaml = |path: &Path| path.extension().is_some_and(|ending| ending == "yaml");
        let count = cases.filter(|case| yaml(&case.path())).count();
        if count == 0 {
            without.push(kind);
        }
    }
    assert!(
        without.is_empty(),
        "no case in tests/resources for {without:?}"
    );
    for entry in fs::read_dir(&folder).expect("there are cases") {
        let entry = entry.expect("its folder can be read");
        let name = entry.file_name().into_string().expect("its name is text");
        assert!(
            !entry.path().is_dir() || kinds.contains(name.as_str()),
            "tests/resources/{name} belongs to no kind"
        );
    }
}

#[test]
fn no_path_of_the_machine_that_built_it() {
    let here = env!("CARGO_MANIFEST_DIR");
    if here.matches('/').count() < 2 {
        return; // `/src` would be found everywhere
    }
    let mut faults = Faults::default();
    for folder in ["src", "tests", "benches", "playbooks", "templates"] {
        for file in files(folder) {
            if file.text.contains(here) {
                faults.add(&file, "it names the folder it was written in");
            }
        }
    }
    faults.none();
}

// --- the readers, and that they see what they are to see

#[test]
fn imports_are_seen_in_all_their_forms() {
    let code = "use crate::{change::{self, Step}, fact, node::{shell::Shell}};\n\
                use super::super::x;\n    let a = crate::report::text(); // crate::comment\n\
                pub(crate) use crate::event::Event;\nuse hadeploy::cli::lab;\nuse crate::{\n    value,\n};\n";
    let found: Vec<String> = imports(code).into_iter().collect();
    assert_eq!(
        found,
        ["change", "cli", "event", "fact", "node", "report", "value"]
    );
}

#[test]
fn tests_and_comments_are_no_code() {
    let file = SourceFile::new(
        "src/a/b.rs",
        "//! x\n// println!\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { println!() }\n}\n"
            .into(),
    );
    assert!(!file.code().contains("println"), "{}", file.code());
    assert!(file.code().contains("fn a()"));
    assert_eq!(
        SourceFile::new("src/a/tests.rs", "println!".into()).code(),
        ""
    );
}

#[test]
fn words_are_whole() {
    assert!(names("    println!(\"x\")", "println!"));
    assert!(!names("    eprintln!(\"x\")", "println!"));
    assert!(names("std::env::var_os(x)", "env::var"));
    assert!(!names("self.env::variable", "my_env::var"));
}

/// Every fault is told, not only the first.
#[derive(Default)]
struct Faults(String);

impl Faults {
    fn add(&mut self, file: &SourceFile, what: &str) {
        writeln!(self.0, "{}: {what}", file.path).expect("text can be written to");
    }

    fn none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

/// A file of the repository.
struct SourceFile {
    /// From the repository's folder.
    path: String,
    text: String,
    code: String,
}

impl SourceFile {
    fn new(path: &str, text: String) -> SourceFile {
        let test = path.ends_with("/tests.rs") || path.contains("/tests/");
        SourceFile {
            path: path.into(),
            code: if test { String::new() } else { code(&text) },
            text,
        }
    }

    /// Its text without comments and tests, as many lines.
    fn code(&self) -> &str {
        &self.code
    }

    /// The module right below the crate that it belongs to.
    fn module(&self) -> String {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = below.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first).into()
    }

    /// The last part of its module's name.
    fn stem(&self) -> String {
        let path = Path::new(&self.path);
        let part = if path.ends_with("mod.rs") {
            path.parent().and_then(Path::file_name)
        } else {
            path.file_stem()
        };
        part.and_then(|part| part.to_str())
            .unwrap_or_default()
            .into()
    }

    /// Where the files of modules that it declares stand.
    fn folders_of_modules(&self) -> Vec<PathBuf> {
        let path = Path::new(&self.path);
        let here = path.parent().unwrap_or(path).to_path_buf();
        let root =
            path.ends_with("mod.rs") || path.ends_with("main.rs") || path.ends_with("lib.rs");
        // A test's own file declares those beside it, for instance `support`.
        let test = !self.path.starts_with("src/") && self.path.matches('/').count() == 1;
        let below = here.join(self.stem());
        match (root, test) {
            (true, _) => vec![here],
            (false, true) => vec![here, below],
            (false, false) => vec![below],
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<SourceFile> {
    let mut all = files(folder);
    all.retain(|file| file.path.ends_with(".rs"));
    all
}

/// All text files below a folder of the repository, by path.
fn files(folder: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let path = path.strip_prefix(root()).expect("it is below the root");
            found.push(SourceFile::new(&path.to_string_lossy(), text));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The text without comment lines, ends of lines that are comments, and the tests at the end; as many lines.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut tests = false;
    for line in text.lines() {
        // A file of tests is declared in one line, and then more code follows.
        tests |= line == "#[cfg(test)]";
        let inline = tests && line.starts_with("mod ") && line.ends_with('{');
        if inline {
            break;
        }
        if tests && line.starts_with("mod ") {
            tests = false;
        }
        let kept = line.split_once("// ").map_or(line, |(before, _)| before);
        let comment = line.trim_start().starts_with("//");
        code.push_str(if comment || tests { "" } else { kept });
        code.push('\n');
    }
    code
}

/// The modules of the crate that code names, by `crate::x`, `hadeploy::x` or a list in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let code: String = code
        .lines()
        .map(|line| line.split_once("// ").map_or(line, |(before, _)| before))
        .collect::<Vec<_>>()
        .join(" ");
    let mut found = BTreeSet::new();
    for start in ["crate::", "hadeploy::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(firsts(list)),
                None => found.extend(word(rest)),
            }
        }
    }
    found
}

/// The first word of each part of a list, up to its closing brace.
fn firsts(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut first = true;
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => first = true,
            _ if first && !char.is_whitespace() => {
                found.extend(word(&list[at..]));
                first = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let is_part = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    let end = text.find(|char| !is_part(char)).unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The modules in files of their own that a file declares.
fn modules(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let rest = line.split_once("mod ")?;
            let visible = rest.0.is_empty() || rest.0.starts_with("pub");
            visible.then(|| rest.1.strip_suffix(';').map(str::to_owned))?
        })
        .collect()
}

/// Whether a line holds a word that is not the end of a longer one.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || char == '_')
    })
}
