//! Right projects that are broken at one place: each is refused before connecting, with exit status 1, and what is named lies at the place.
//!
//! `MUTATIONS=2000` breaks as many, `SEED=7` in another order.

use std::collections::BTreeMap;
use std::path::Path;

use crate::dice::Dice;
use crate::mutation::{Lines, WAYS, Way};
use crate::{Refusal, Trap};

/// Projects that hadeploy runs as they are, which tests/ansible proves.
const PROJECTS: &[&str] = &[
    "accounts",
    "blocks",
    "edits",
    "handlers",
    "includes",
    "loops",
    "precedence",
    "registers",
    "services",
    "tags",
    "templates",
];
/// How far from the broken line the named one may lie.
const NEAR: usize = 3;
/// The least part of all whose named line is near, in percent.
const RATE: usize = 95;

/// What became of one broken project.
struct Broken {
    way: &'static str,
    place: String,
    near: bool,
    said: String,
}

#[test]
fn broken_projects_are_refused_at_their_place() {
    let number = |name: &str, or: u64| {
        let text = std::env::var(name).ok();
        text.map_or(or, |text| text.parse().expect("a number"))
    };
    let mut dice = Dice(number("SEED", 1));
    let wanted = usize::try_from(number("MUTATIONS", 112)).expect("a number");
    let mut all = Vec::new();
    for turn in 0..wanted {
        let way = &WAYS[turn % WAYS.len()];
        let fits = (0..500).find_map(|_| one(way, &mut dice));
        all.push(fits.unwrap_or_else(|| panic!("nowhere fits: {}", way.name)));
    }
    let mut ways: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut far = String::new();
    for broken in &all {
        let (near, count) = ways.entry(broken.way).or_default();
        *near += usize::from(broken.near);
        *count += 1;
        if !broken.near {
            far += &format!("{}, {}\n    {}\n", broken.way, broken.place, broken.said);
        }
    }
    let near = all.iter().filter(|broken| broken.near).count();
    let table: Vec<String> = ways
        .iter()
        .map(|(way, (near, count))| format!("{near:4} of {count:4}  {way}"))
        .collect();
    let report = format!(
        "{near} of {} are named within {NEAR} lines\n{}\n{far}",
        all.len(),
        table.join("\n")
    );
    assert!(near * 100 >= all.len() * RATE, "{report}");
    if let Some(file) = std::env::var_os("MUTATIONS_REPORT") {
        std::fs::write(file, report).expect("written");
    }
}

/// A project broken in a file and at a place that the dice choose; none where nothing fits.
fn one(way: &'static Way, dice: &mut Dice) -> Option<Broken> {
    let with_templates: &[&str] = &["templates"];
    let project = dice.pick(if way.template {
        with_templates
    } else {
        PROJECTS
    })?;
    if *project == "includes" && way.name == "a variable is misspelt" {
        // A file whose name is a template may define any name: nobody can tell before it is read.
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/projects");
    let trap = Trap::set();
    let mut files = Vec::new();
    copy(&root.join(project), Path::new(""), &trap, &mut files);
    files.retain(|(name, _)| {
        let template = Path::new(name).extension().is_some_and(|end| end == "j2");
        // One has markers of its own: what is changed between the usual ones is plain text there.
        let template = template && !name.ends_with("latex.j2");
        let playbook = name == "site.yml" || name.starts_with("tasks/");
        if way.template { template } else { playbook }
    });
    let (name, text) = dice.pick(&files)?;
    let mut lines: Lines = text.lines().map(str::to_owned).collect();
    let at = (way.breaks)(&mut lines, dice)?;
    trap.write(name, &(lines.join("\n") + "\n"));
    let words: &[&str] = match *project {
        "precedence" => &["-e", "extra=x"],
        _ => &[],
    };
    let refusal = trap.apply(words);
    let line = lines.get(at).map_or("", |line| line.trim());
    let place = format!("{project}/{name}:{} `{line}`", at + 1);
    assert_eq!(
        refusal.status,
        Some(1),
        "{}, {place}\n{}",
        way.name,
        refusal.text
    );
    assert!(
        !refusal.connected,
        "{}, {place}\n{}",
        way.name, refusal.text
    );
    assert!(!refusal.text.contains("panicked"), "{}", refusal.text);
    Some(Broken {
        way: way.name,
        near: is_near(&refusal, name, at + 1),
        said: refusal
            .errors
            .first()
            .map_or_else(|| refusal.text.clone(), ToString::to_string),
        place,
    })
}

/// Whether the first error that names the file is near the line.
fn is_near(refusal: &Refusal, name: &str, line: usize) -> bool {
    refusal
        .errors
        .first()
        .is_some_and(|fault| fault.file == name && fault.line.abs_diff(line) <= NEAR)
}

/// Copies a project into the trap, and keeps the texts of its files.
fn copy(root: &Path, below: &Path, trap: &Trap, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(root.join(below))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    entries.sort();
    for entry in entries {
        let path = below.join(entry);
        if root.join(&path).is_dir() {
            copy(root, &path, trap, files);
            continue;
        }
        let name = path.to_str().expect("utf-8").to_owned();
        let text = std::fs::read_to_string(root.join(&path)).expect("text");
        trap.write(&name, &text);
        files.push((name, text));
    }
}

/// Without a fault the projects are right: what the table above reports comes from the faults alone.
#[test]
fn the_projects_are_right_themselves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ansible/projects");
    for project in PROJECTS {
        let trap = Trap::set();
        copy(&root.join(project), Path::new(""), &trap, &mut Vec::new());
        let said = trap.run("validate", &["-e", "extra=x"]);
        assert_eq!(said.status, Some(0), "{project}\n{}", said.text);
    }
}
