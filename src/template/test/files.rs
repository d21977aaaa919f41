//! Tests of paths on the controller, and of URLs. A relative path is below the playbook's folder.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::{add, defined, items};
use crate::template::convert::fault;
use crate::template::evaluation::{Halt, carry};
use crate::template::filter::{Given, Url};
use crate::template::{current, python};

/// The names of a test, and whether it holds for a path.
type Named = (&'static [&'static str], fn(&Path) -> bool);

pub(super) fn register(environment: &mut Environment<'static>) {
    let tests: &[Named] = &[
        (&["exists"], Path::exists),
        (&["file", "is_file"], Path::is_file),
        (&["directory", "is_dir"], Path::is_dir),
        (&["link", "is_link"], Path::is_symlink),
        (&["link_exists"], |path| path.symlink_metadata().is_ok()),
        (&["mount", "is_mount"], is_mount),
    ];
    for (names, holds) in tests {
        let holds = *holds;
        for name in *names {
            add(environment, name, move |value: &Native| {
                let path = place(value)?;
                if !holds(&path) {
                    may_come()?;
                }
                Ok::<_, Error>(holds(&path))
            });
        }
    }
    for name in ["abs", "is_abs"] {
        add(environment, name, |value: &Native| {
            defined(value)?;
            Ok::<_, Error>(python::text(value)?.starts_with('/'))
        });
    }
    for name in ["same_file", "is_same_file"] {
        add(environment, name, |a: &Native, b: &Native| {
            let meta = |value: &Native| {
                let path = place(value)?;
                let found = path.metadata().ok();
                if found.is_none() {
                    may_come()?;
                }
                found.ok_or_else(|| fault(format!("there is no `{}`", path.display())))
            };
            let (a, b) = (meta(a)?, meta(b)?);
            Ok::<_, Error>(a.dev() == b.dev() && a.ino() == b.ino())
        });
    }
    add(environment, "vaulted_file", |value: &Native| {
        let path = place(value)?;
        let bytes = std::fs::read(&path);
        if bytes.is_err() {
            may_come()?;
        }
        let bytes = bytes.map_err(|_| fault(format!("`{}` cannot be read", path.display())))?;
        Ok::<_, Error>(bytes.starts_with(b"$ANSIBLE_VAULT;"))
    });
    add(
        environment,
        "uri",
        |value: &Native, args: &[Native], kwargs: Kwargs| {
            Ok::<_, Error>(url(value, args, &kwargs)?.is_some())
        },
    );
    add(
        environment,
        "url",
        |value: &Native, args: &[Native], kwargs: Kwargs| {
            let url = url(value, args, &kwargs)?;
            Ok::<_, Error>(url.is_some_and(|url| !url.netloc.is_empty() || url.scheme == "file"))
        },
    );
    add(environment, "urn", |value: &Native| {
        defined(value)?;
        Ok::<_, Error>(
            value
                .as_str()
                .is_some_and(|text| Url::parse(text).scheme == "urn"),
        )
    });
}

fn place(value: &Native) -> Result<PathBuf, Error> {
    defined(value)?;
    let Some(path) = value.as_str() else {
        return Err(fault("a path is text"));
    };
    // What has no name is nowhere.
    if path.starts_with('/') || path.is_empty() {
        return Ok(PathBuf::from(path));
    }
    let evaluation = current::evaluation();
    let around = evaluation
        .as_ref()
        .and_then(|evaluation| evaluation.surroundings());
    match around {
        Some(around) => Ok(around.playbook().join(path)),
        None => Err(fault(
            "a relative path of the controller is known to tasks only",
        )),
    }
}

/// What is not there may be there behind an earlier task.
fn may_come() -> Result<(), Error> {
    let evaluation = current::evaluation();
    let around = evaluation
        .as_ref()
        .and_then(|evaluation| evaluation.surroundings());
    match around.and_then(|around| around.awaited()) {
        Some(task) => Err(carry(Halt::After(task))),
        None => Ok(()),
    }
}

/// A folder on another device than the one above it, or the root.
fn is_mount(path: &Path) -> bool {
    let (Ok(meta), Ok(above)) = (path.symlink_metadata(), path.join("..").metadata()) else {
        return false;
    };
    meta.is_dir() && (meta.dev() != above.dev() || meta.ino() == above.ino())
}

/// The URL, if its scheme is one of those that count.
fn url(value: &Native, args: &[Native], kwargs: &Kwargs) -> Result<Option<Url>, Error> {
    defined(value)?;
    let given = Given::read(&["schemes"], args, kwargs)?;
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    let url = Url::parse(text);
    let schemes = match given.value("schemes") {
        None => return Ok(Some(url)),
        Some(one) if one.kind() == ValueKind::String => vec![one.clone()],
        Some(many) => items(many)?,
    };
    let counts = schemes.is_empty()
        || schemes
            .iter()
            .any(|scheme| scheme.as_str() == Some(url.scheme.as_str()));
    Ok(counts.then_some(url))
}
