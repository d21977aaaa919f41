//! Makes what the crate includes of its own sources, the doc comments of kinds; and says which commit they are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "src/resource/doc/cut.rs"]
mod cut;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the folder"));
    let kinds = Path::new("src/resource");
    println!("cargo:rerun-if-changed={}", kinds.display());
    let mut comments = Vec::new();
    read(kinds, &mut comments);
    comments.sort();
    let text = format!(
        "/// Name and doc comment of each kind, by name.\nstatic COMMENTS: &[(&str, &str)] = &{comments:?};\n"
    );
    version();
    fs::write(out.join("kinds.rs"), text).expect("the folder can be written");
}

/// The comments of all kinds below `folder`.
fn read(folder: &Path, comments: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            read(&path, comments);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = fs::read_to_string(&path).expect("sources are text");
            comments.extend(cut::kinds(&source));
        }
    }
}

/// Has the program say which commit it was built from: `0.1.0 (1a2b3c4d5e6f 2026-01-31)`. The day is that of the commit, so that the same sources
/// give the same program. A build for trying things says none, since every commit would make it stale; `HADEPLOY_COMMIT` says one in any case, such
/// as for a build from a tarball.
fn version() {
    println!("cargo:rerun-if-env-changed=HADEPLOY_COMMIT");
    let package = env::var("CARGO_PKG_VERSION").expect("cargo names the version");
    let given = env::var("HADEPLOY_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty());
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| if release { of_git() } else { None });
    let version = match commit {
        Some(commit) => format!("{package} ({commit})"),
        None => package,
    };
    println!("cargo:rustc-env=HADEPLOY_VERSION={version}");
}

/// The commit that is checked out, and its day; none without git, or where the sources only lie somewhere in another repository.
fn of_git() -> Option<String> {
    let here = env::var_os("CARGO_MANIFEST_DIR")?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(here).ok()? {
        return None;
    }
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    let names = ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref());
    for path in names.filter_map(|name| git(&["rev-parse", "--git-path", name])) {
        // Of a file that is not there cargo would think that it changes each time.
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&[
        "show",
        "-s",
        "--abbrev=12",
        "--date=format:%Y-%m-%d",
        "--format=%h %cd",
        "HEAD",
    ])
}

fn git(words: &[&str]) -> Option<String> {
    let ran = Command::new("git").args(words).output().ok()?;
    let text = String::from_utf8(ran.stdout).ok()?.trim().to_owned();
    (ran.status.success() && !text.is_empty()).then_some(text)
}
