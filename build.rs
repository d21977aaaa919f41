//! Makes what the crate includes of its own sources: the doc comments of kinds.

use std::path::{Path, PathBuf};
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
