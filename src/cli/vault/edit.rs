//! `hadeploy vault edit` and `create`: the plain text is seen by an editor, and lies on no disk meanwhile.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::args::EditArgs;
use super::keys::{Opener, Sealer};
use super::store::{self, Modes, Place};
#[cfg(feature = "age")]
use super::team;
use super::{Fault, Outcome, said};
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::cli::{exit, say};
use crate::diagnostic::Diagnostic;
use crate::process::Program;
#[cfg(feature = "age")]
use crate::vault::is_age;

/// Used when neither `VISUAL` nor `EDITOR` is set.
const EDITOR: &str = "vi";

pub async fn edit(
    args: &EditArgs,
    opener: &Opener,
    defaults: &Defaults,
    env: &Environment,
) -> Result<u8, Vec<Diagnostic>> {
    let one = |fault: Fault| vec![*fault];
    for file in &args.files {
        let place = Place::file(file);
        let vault = store::read_file(file).map_err(one)?;
        let (before, resealer) = opened(&place, &vault, args, opener, defaults, env)?;
        let after = edited(file, &before, env).await.map_err(one)?;
        if after == before {
            say::err(&format!("{} is unchanged", said(file)));
            continue;
        }
        let text = resealer.seal(&after).map_err(one)?;
        place.write(text.as_bytes(), Modes::Kept).map_err(one)?;
        say::err(&format!("wrote {}", said(file)));
    }
    Ok(exit::DONE)
}

/// What a vault holds, and what seals it again. Age does not tell for whom it encrypted.
fn opened(
    place: &Place,
    vault: &[u8],
    args: &EditArgs,
    opener: &Opener,
    defaults: &Defaults,
    env: &Environment,
) -> Result<(Zeroizing<Vec<u8>>, Sealer), Vec<Diagnostic>> {
    #[cfg(feature = "age")]
    if is_age(vault) {
        let recipients = match team::given(&args.team, env)? {
            Some(recipients) => recipients,
            None => team::again(defaults)?,
        };
        let content = opener.open(place, vault).map_err(|fault| vec![*fault])?;
        return Ok((content, Sealer::Team(recipients)));
    }
    #[cfg(not(feature = "age"))]
    let _ = (args, defaults, env);
    opener
        .open_again(place, vault)
        .map_err(|fault| vec![*fault])
}

pub async fn create(file: &Path, sealer: &Sealer, env: &Environment) -> Outcome {
    if file.symlink_metadata().is_ok() {
        return Err(Box::new(
            Diagnostic::error(format!("{} is there already", said(file))).help(
                "`hadeploy vault edit` changes a vault, `hadeploy vault encrypt` encrypts a file",
            ),
        ));
    }
    // The password is asked for before anything is typed that could be lost.
    sealer.seal(b"")?;
    let content = edited(file, b"", env).await?;
    if content.is_empty() {
        return Err(Box::new(Diagnostic::error(format!(
            "nothing was written, so {} is not made",
            said(file)
        ))));
    }
    Place::file(file).write(sealer.seal(&content)?.as_bytes(), Modes::Narrowed)?;
    say::err(&format!("wrote {}", said(file)));
    Ok(exit::DONE)
}

/// What an editor makes of a text. Its file, and whatever it writes beside it, is removed however this ends but by SIGKILL.
async fn edited(
    file: &Path,
    before: &[u8],
    env: &Environment,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let failed = |what: &str, error: std::io::Error| {
        Box::new(Diagnostic::error(format!(
            "cannot {what} the file to edit: {error}"
        )))
    };
    let folder = private_folder(env).map_err(|error| failed("make", error))?;
    // Editors go by the ending.
    let path = folder.path().join(file.file_name().unwrap_or_default());
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut plain| plain.write_all(before))
        .map_err(|error| failed("write", error))?;
    let editor = env.editor.as_deref().unwrap_or(EDITOR).to_owned();
    let program = Program::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), &editor])
        .arg(&path);
    let mut ends = [
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::interrupt(),
        SignalKind::quit(),
    ]
    .map(signal)
    .into_iter()
    .collect::<Result<Vec<_>, _>>()
    .map_err(|error| failed("guard", error))?;
    let mut ignored = ends.split_off(2);
    let mut running = tokio::task::spawn_blocking(move || program.attached());
    let ran = loop {
        tokio::select! {
            ran = &mut running => break ran,
            // At a terminal the editor gets them too, and they mean the editor.
            () = either(&mut ignored) => {}
            () = either(&mut ends) => {
                drop(folder);
                return Err(Box::new(Diagnostic::error("told to end while the editor was open: nothing was written")));
            }
        }
    };
    let status = match ran {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(Box::new(Diagnostic::error(error.to_string()))),
        Err(_) => unreachable!("the editor's thread panics nowhere"),
    };
    if status != 0 {
        return Err(Box::new(
            Diagnostic::error(format!(
                "the editor `{editor}` ended with status {status}: nothing was written"
            ))
            .help("name an editor with the variable `EDITOR`"),
        ));
    }
    store::read_file(&path)
}

async fn either(ends: &mut [tokio::signal::unix::Signal]) {
    let [first, second] = ends else { return };
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}

/// A folder that only its owner enters, in memory where the system has such a place.
fn private_folder(env: &Environment) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix("hadeploy-")
        .permissions(Permissions::from_mode(0o700));
    let memory = env
        .runtime
        .iter()
        .cloned()
        .chain([PathBuf::from("/dev/shm")]);
    for folder in memory.filter(|folder| folder.is_dir()) {
        if let Ok(made) = builder.tempdir_in(folder) {
            return Ok(made);
        }
    }
    say::err(
        "warning: there is neither XDG_RUNTIME_DIR nor /dev/shm: the plain text lies in the folder of temporary files meanwhile",
    );
    builder.tempdir()
}
