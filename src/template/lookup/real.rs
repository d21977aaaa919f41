//! The filter `realpath`: where a path of the controller leads, as Python's `os.path.realpath`.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use minijinja::Error;

use super::Asked;
use crate::template::convert::fault;
use crate::template::evaluation::carry;

/// Links that are followed at most, as by the kernel; the path of one more stays as it is.
const LINKS: usize = 40;

/// The path without links, `.` and `..`; what is not there stays as it is written. One that an earlier task may still make is known after it.
pub(super) fn path(asked: &Asked, text: &str) -> Result<String, Error> {
    let around = asked.around()?;
    let whole = if text.is_empty() { "." } else { text };
    let whole = std::path::absolute(whole).map_err(|error| fault(error.to_string()))?;
    let found = resolved(&whole);
    if let (false, Some(task)) = (found.exists(), around.awaited()) {
        return Err(carry(super::Halt::After(task)));
    }
    let found = found.into_os_string().into_string();
    found.map_err(|_| fault("the name of a file is not UTF-8 text"))
}

fn resolved(whole: &Path) -> PathBuf {
    let mut found = PathBuf::from("/");
    let mut rest = parts(whole);
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            found.pop();
            continue;
        }
        let next = found.join(part);
        match fs::read_link(&next) {
            Ok(target) if links < LINKS => {
                links += 1;
                if target.is_absolute() {
                    found = PathBuf::from("/");
                }
                rest.extend(parts(&target));
            }
            _ => found = next,
        }
    }
    found
}

/// The names in a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    names.collect()
}
