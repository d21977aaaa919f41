//! `hadeploy vault diff`: how the contents of two vaults differ.

use std::path::Path;

use similar::TextDiff;
use zeroize::Zeroizing;

use super::args::DiffArgs;
use super::keys::Opener;
use super::store::{self, Modes, Place};
use super::{Fault, Outcome, said};
use crate::cli::exit;
use crate::diagnostic::Diagnostic;
use crate::process::Program;
use crate::vault::is_vault;

pub fn diff(args: &DiffArgs, opener: &Opener) -> Outcome {
    let file = Place::file(&args.file);
    let own = plain(opener, &file, store::read_file(&args.file)?)?;
    let (older, newer) = match &args.newer {
        Some(path) => {
            let place = Place::file(path);
            let other = plain(opener, &place, store::read_file(path)?)?;
            ((file.name(), own), (place.name(), other))
        }
        None => {
            let place = Place::File(format!("{}:{}", args.rev, file.name()).into());
            let committed = plain(opener, &place, committed(&args.file, &args.rev)?)?;
            ((place.name(), committed), (file.name(), own))
        }
    };
    if older.1 == newer.1 {
        return Ok(exit::DONE);
    }
    let texts = (std::str::from_utf8(&older.1), std::str::from_utf8(&newer.1));
    let text = match texts {
        (Ok(before), Ok(after)) => TextDiff::from_lines(before, after)
            .unified_diff()
            .context_radius(3)
            .header(&older.0, &newer.0)
            .missing_newline_hint(true)
            .to_string(),
        _ => format!("{} and {} differ, and are no text\n", older.0, newer.0),
    };
    Place::Stream.write(text.as_bytes(), Modes::Kept)?;
    Ok(match args.detailed_exitcode {
        true => exit::PENDING,
        false => exit::DONE,
    })
}

/// The content; a file that is no vault, or was none yet, is taken as it is.
fn plain(
    opener: &Opener,
    place: &Place,
    bytes: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    match is_vault(&bytes) {
        true => opener.open(place, &bytes),
        false => Ok(bytes),
    }
}

/// What git has of a file in a commit.
fn committed(file: &Path, rev: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let ran = Program::new("git")
        .arg("-C")
        .arg(folder)
        .args(["show", "--no-textconv", &format!("{rev}:./{name}")])
        .run()
        .map_err(|error| Box::new(Diagnostic::error(error.to_string())))?;
    if ran.status == 0 {
        return Ok(Zeroizing::new(ran.stdout));
    }
    let why = String::from_utf8_lossy(&ran.stderr);
    Err(Box::new(
        Diagnostic::error(format!(
            "git has no {} in `{rev}`: {}",
            said(file),
            why.trim()
        ))
        .help("name a second file to compare with, or a commit with `--rev`"),
    ))
}
