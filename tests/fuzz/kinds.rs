//! What kinds make of what nodes answer: a case of `tests/resources`, whose node says something else.
//!
//! The first line of an input names the case. Behind it comes a text for each answer that is one, in the order of the case, with a line
//! `=====` between them; where there are too few, the node says what the case knows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use hadeploy::change::ActOutput;

use crate::support::case::{Case, laws};

static CASES: LazyLock<BTreeMap<String, Case>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resources");
    let mut cases = BTreeMap::new();
    for kind in folder(&root) {
        for file in folder(&kind) {
            let text = std::fs::read_to_string(&file).expect("readable");
            let name = file.strip_prefix(&root).expect("below it");
            let name = name.with_extension("").display().to_string();
            cases.insert(name, Case::parse(&text).expect("a case"));
        }
    }
    cases
});

fn folder(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

pub fn kinds(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (name, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let Some(case) = CASES.get(&*String::from_utf8_lossy(name)) else {
        return false;
    };
    let mut texts = vec![Vec::new()];
    for line in rest
        .get(1..)
        .unwrap_or_default()
        .split_inclusive(|byte| *byte == b'\n')
    {
        match line {
            b"=====\n" => texts.push(Vec::new()),
            line => texts[..].last_mut().expect("one").extend_from_slice(line),
        }
    }
    let Some(change) = case.answered(&texts) else {
        return false;
    };
    // A shell looks at every script, which takes its time.
    if bytes.len().is_multiple_of(8)
        && let Err(fault) = laws(&change)
    {
        panic!("{fault}");
    }
    if let Some(reading) = &change.reading {
        for (rc, stdout, stderr) in [(0, 0, 1), (0, 1, 0), (1, 0, 0), (100, 1, 1)] {
            let said = |at: usize| texts.get(at).map_or(&b""[..], Vec::as_slice);
            reading.read(&ActOutput {
                rc,
                stdout: said(stdout),
                stderr: said(stderr),
            });
        }
    }
    true
}
