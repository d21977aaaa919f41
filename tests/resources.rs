//! Ring 2: each kind against what is known of a node. A case is one file, `tests/resources/<kind>/<case>.yaml`:
//!
//! ```yaml
//! task: { file: { path: /srv/x, state: directory } }   # the kind and its arguments, as in a playbook
//! files: { motd: "hello\n" }       # files of the controller, found by `src` (optional)
//! mode: plan                       # apply when not given
//! user: deploy                     # root when not given
//! diff: true                       # whether old texts are wanted
//! known:                           # what the node answers; see `support/answers.rs`
//!   path /srv: d 0755 root root
//!   path /srv/x: absent
//! expect:
//!   fault: "part of a diagnostic"  # or:
//!   asks: [[path /srv, path /srv/x]]   # the questions of each wave, complete (optional)
//!   action: create
//!   fields: ["state: absent -> directory", content]   # complete
//!   steps:                         # complete; each of its keys is optional
//!     - { title: make /srv/x, script: [part, part], absent: [part], predicts: [path /srv/x], touches: [path /srv/x] }
//!   obstacle: part of it
//!   reason: part of it
//!   effect: reload nginx.service
//!   result: { path: /srv/x }       # a part of the result
//!   again: update                  # the action when diffed once more from the predictions; none when not given
//! ```
//!
//! Laws on every case: no step exactly when the action is none; at most two waves of questions; every script is a shell's;
//! every predicted question is touched; the second diff, from the predictions, changes nothing.

mod applied;
#[allow(dead_code, reason = "not every program that shares it uses all of it")]
mod support;

use std::path::Path;

use support::case::Case;

#[test]
fn every_case_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resources");
    let only = std::env::var("CASE").unwrap_or_default();
    let mut faults = Vec::new();
    let mut count = 0;
    for kind in folder(&root) {
        for file in folder(&kind) {
            let name = file
                .strip_prefix(&root)
                .expect("below the root")
                .display()
                .to_string();
            if !name.contains(&only) {
                continue;
            }
            count += 1;
            let text = std::fs::read_to_string(&file).expect("readable");
            let verdict = Case::parse(&text).and_then(|case| case.check());
            if let Err(fault) = verdict {
                faults.push(format!("{name}: {fault}"));
            }
        }
    }
    assert!(count > 0, "no case is called `{only}`");
    assert!(
        faults.is_empty(),
        "{} of {count} cases:\n\n{}",
        faults.len(),
        faults.join("\n\n")
    );
}

fn folder(path: &Path) -> Vec<std::path::PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    entries
}
