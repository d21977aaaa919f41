//! `hadeploy vault …`: files and values in Ansible Vault's own format, or by age for the keys of a team.

mod args;
mod diff;
mod edit;
mod keys;
mod store;
mod string;
#[cfg(feature = "age")]
mod team;

use std::path::Path;

use zeroize::Zeroizing;

use super::defaults::Defaults;
use super::environment::Environment;
use super::{exit, say};
use crate::diagnostic::Diagnostic;
use crate::vault::{is_age, is_vault};
use args::{DecryptArgs, EncryptArgs, RekeyArgs, VaultCommand, ViewArgs};
use keys::{Opener, Sealer};
use store::Place;

pub use args::VaultCommandArgs;

/// What goes wrong is said as a diagnostic, and nothing else happens.
type Outcome = Result<u8, Fault>;
type Fault = Box<Diagnostic>;

/// Runs one; gives the exit status.
pub async fn run(args: VaultCommandArgs, env: &Environment) -> u8 {
    let done = match Defaults::read(env) {
        Ok(defaults) => command(args, &defaults, env).await,
        Err(faults) => Err(faults),
    };
    match done {
        Ok(status) => status,
        Err(faults) => {
            for fault in faults {
                say::err(&fault.render(env.tells && !env.colourless));
            }
            exit::REFUSED
        }
    }
}

async fn command(
    args: VaultCommandArgs,
    defaults: &Defaults,
    env: &Environment,
) -> Result<u8, Vec<Diagnostic>> {
    let opener = |vault| Opener::new(vault, defaults, env);
    let sealer =
        |vault, label: &Option<String>, team| Sealer::new(vault, label, team, defaults, env);
    let one = |done: Outcome| done.map_err(|fault| vec![*fault]);
    match args.command {
        VaultCommand::Encrypt(args) => {
            let sealer = sealer(&args.vault, &args.encrypt_vault_id, &args.team)?;
            one(encrypt(&args, &sealer, env))
        }
        VaultCommand::Decrypt(args) => {
            let opener = opener(&args.vault)?;
            one(decrypt(&args, &opener, env))
        }
        VaultCommand::View(args) => {
            let opener = opener(&args.vault)?;
            one(view(&args, &opener, env))
        }
        VaultCommand::Edit(args) => {
            let opener = opener(&args.vault)?;
            edit::edit(&args, &opener, defaults, env).await
        }
        VaultCommand::Create(args) => {
            let sealer = sealer(&args.vault, &args.encrypt_vault_id, &args.team)?;
            one(edit::create(&args.file, &sealer, env).await)
        }
        VaultCommand::EncryptString(args) => {
            let sealer = sealer(&args.vault, &args.encrypt_vault_id, &args.team)?;
            one(string::encrypt(&args, &sealer, env))
        }
        VaultCommand::Rekey(args) => {
            let opener = opener(&args.vault)?;
            rekey(&args, &opener, defaults, env)
        }
        VaultCommand::Diff(args) => {
            let opener = opener(&args.vault)?;
            one(diff::diff(&args, &opener))
        }
    }
}

fn encrypt(args: &EncryptArgs, sealer: &Sealer, env: &Environment) -> Outcome {
    let places = Place::all(&args.files, args.output.as_deref())?;
    let mut contents = Vec::new();
    // All are read before the first is written.
    for (from, _) in &places {
        let content = from.read(env)?;
        if is_vault(&content) {
            return Err(Box::new(
                Diagnostic::error(format!("{} is encrypted already", from.said()))
                    .help("`hadeploy vault rekey` gives it another password, or other keys"),
            ));
        }
        contents.push(content);
    }
    for ((from, to), content) in places.iter().zip(&contents) {
        let text = sealer.seal(content)?;
        to.write(text.as_bytes(), store::Modes::Narrowed)?;
        tell(to, &format!("encrypted {}", from.said()));
    }
    Ok(exit::DONE)
}

fn decrypt(args: &DecryptArgs, opener: &Opener, env: &Environment) -> Outcome {
    let places = Place::all(&args.files, args.output.as_deref())?;
    let mut contents = Vec::new();
    for (from, _) in &places {
        contents.push(opener.open(from, &from.read(env)?)?);
    }
    for ((from, to), content) in places.iter().zip(&contents) {
        to.write(content, store::Modes::Narrowed)?;
        tell(to, &format!("decrypted {}", from.said()));
    }
    Ok(exit::DONE)
}

fn view(args: &ViewArgs, opener: &Opener, env: &Environment) -> Outcome {
    let mut shown = Zeroizing::new(Vec::new());
    for (from, _) in Place::all(&args.files, None)? {
        let content = from.read(env)?;
        match args.or_plain && !is_vault(&content) {
            true => shown.extend_from_slice(&content),
            false => shown.extend_from_slice(&opener.open(&from, &content)?),
        }
    }
    Place::Stream.write(&shown, store::Modes::Kept)?;
    Ok(exit::DONE)
}

fn rekey(
    args: &RekeyArgs,
    opener: &Opener,
    defaults: &Defaults,
    env: &Environment,
) -> Result<u8, Vec<Diagnostic>> {
    let one = |fault: Fault| vec![*fault];
    let mut contents = Vec::new();
    let mut by_age = true;
    for file in &args.files {
        let place = Place::file(file);
        let vault = store::read_file(file).map_err(one)?;
        by_age &= is_age(&vault);
        contents.push((opener.open(&place, &vault).map_err(one)?, place));
    }
    let sealer = Sealer::anew(args, by_age, defaults, env)?;
    // Nobody is asked for the new password before the old one has opened everything, and all are sealed before the first is written.
    let mut sealed = Vec::new();
    for (content, place) in contents {
        sealed.push((sealer.seal(&content).map_err(one)?, place));
    }
    for (text, place) in sealed {
        place
            .write(text.as_bytes(), store::Modes::Kept)
            .map_err(one)?;
        tell(&place, &format!("rekeyed {}", place.said()));
    }
    Ok(exit::DONE)
}

/// A word on standard error, where the content itself did not go to the terminal.
fn tell(to: &Place, words: &str) {
    if let Place::File(_) = to {
        say::err(words);
    }
}

/// A path as it is said.
fn said(path: &Path) -> String {
    format!("`{}`", path.display())
}
