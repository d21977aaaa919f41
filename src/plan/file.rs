//! The file of a saved plan: json, of its owner only, whole or not there, and refused when anybody touched it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Plan, hex};

/// The form that is written; a newer one is refused.
const FORM: u64 = 1;

/// Larger files are no plans.
const LARGEST: u64 = 1 << 30;

/// Why a file is no plan that can be applied.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("it is no plan of hadeploy: {0}")]
    Foreign(String),
    /// A newer hadeploy made it.
    #[error("it was made by a newer hadeploy ({0}), in a form that this one ({here}) does not know", here = env!("CARGO_PKG_VERSION"))]
    Newer(String),
    /// Its sum does not fit.
    #[error("it was altered or cut off after it was made: its sum does not fit")]
    Altered,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    hadeploy_plan: u64,
    sum: String,
    plan: Value,
}

/// Writes it beside the target, then renames it: whoever reads it has all of it.
///
/// # Errors
/// The folder is missing or cannot be written to.
pub fn write(plan: &Plan, path: &Path) -> Result<(), FileError> {
    let plan = serde_json::to_value(plan).map_err(io::Error::from)?;
    let sealed = Sealed {
        hadeploy_plan: FORM,
        sum: sum(&plan),
        plan,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // It is made with mode 0600.
    let mut beside = tempfile::Builder::new()
        .prefix(".hadeploy-plan-")
        .tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut beside, &sealed).map_err(io::Error::from)?;
    beside.write_all(b"\n")?;
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads it.
///
/// # Errors
/// It is missing, something else, newer than this program, or altered.
pub fn read(path: &Path) -> Result<Plan, FileError> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(FileError::Foreign("it is too large".to_owned()));
    }
    let bytes = fs::read(path)?;
    let whole: Value =
        serde_json::from_slice(&bytes).map_err(|error| FileError::Foreign(error.to_string()))?;
    let form = whole.get("hadeploy_plan").and_then(Value::as_u64);
    match form {
        None => return Err(FileError::Foreign("it has no `hadeploy_plan`".to_owned())),
        Some(form) if form > FORM => {
            let version = whole.pointer("/plan/version").and_then(Value::as_str);
            return Err(FileError::Newer(version.unwrap_or("unknown").to_owned()));
        }
        Some(_) => {}
    }
    let sealed: Sealed =
        serde_json::from_value(whole).map_err(|error| FileError::Foreign(error.to_string()))?;
    if sum(&sealed.plan) != sealed.sum {
        return Err(FileError::Altered);
    }
    serde_json::from_value(sealed.plan).map_err(|error| FileError::Foreign(error.to_string()))
}

/// Over the plan as it is written without spaces; keys keep the order that they have in the file.
fn sum(plan: &Value) -> String {
    hex(&Sha256::digest(plan.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{Identity, Salt};
    use super::*;

    fn plan() -> Plan {
        Plan {
            version: "0.1.0".to_owned(),
            made: "2026-01-01T00:00:00Z".to_owned(),
            by: "ann@a".to_owned(),
            commit: None,
            of: Identity::default(),
            salt: Salt::new([7; 16]),
            files: Default::default(),
            hosts: [("n2".to_owned(), Vec::new()), ("n1".to_owned(), Vec::new())]
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.plan");
        write(&plan(), &path).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back, plan());
        assert!(back.hosts.keys().eq(plan().hosts.keys()), "in their order");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_good_plan_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.plan");
        write(&plan(), &path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        for (text, words) in [
            (good.replace("ann@a", "eve@e"), "was altered"),
            (good[..good.len() / 2].to_owned(), "no plan of hadeploy"),
            (
                good.replace("\"hadeploy_plan\": 1", "\"hadeploy_plan\": 2"),
                "newer hadeploy (0.1.0)",
            ),
            ("{\"a\": 1}".to_owned(), "has no `hadeploy_plan`"),
            ("- hosts: all\n".to_owned(), "no plan of hadeploy"),
            ("[]".to_owned(), "has no `hadeploy_plan`"),
        ] {
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(matches!(
            read(&folder.path().join("none")),
            Err(FileError::Io(_))
        ));
    }
}
