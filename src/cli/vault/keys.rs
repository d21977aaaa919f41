//! The passwords that a command opens and seals vaults with.

use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::Fault;
use super::store::Place;
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::cli::options::VaultArgs;
use crate::cli::passwords::{self, Asked};
use crate::diagnostic::{Diagnostic, list};
use crate::secret::Masker;
use crate::vault::{DEFAULT_LABEL, Keyring, OpenError, SALT, is_vault, seal};

/// Opens vaults.
pub struct Opener {
    keyring: Keyring,
}

impl Opener {
    /// With the passwords that are given; without one it is asked for.
    ///
    /// # Errors
    /// A `--vault-id` that is none.
    pub fn new(
        args: &VaultArgs,
        defaults: &Defaults,
        env: &Environment,
    ) -> Result<Opener, Vec<Diagnostic>> {
        let mut keys = passwords::keys(args, defaults, env, Asked::Once)?;
        if keys.is_empty() && env.asks {
            keys.push(passwords::question(env, Asked::Once));
        }
        Ok(Opener {
            keyring: Keyring::new(keys, Masker::new()),
        })
    }

    /// What a vault holds.
    pub fn open(&self, from: &Place, vault: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.open_again(from, vault).map(|(content, _)| content)
    }

    /// The same, with what seals it again under the same label and password.
    pub fn open_again(
        &self,
        from: &Place,
        vault: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Resealer<'_>), Fault> {
        if !is_vault(vault) {
            return Err(Box::new(
                Diagnostic::error(format!("{} is not a vault", from.said())).help(
                    "a vault begins with `$ANSIBLE_VAULT;`; `hadeploy vault encrypt` makes one",
                ),
            ));
        }
        let closed = |why: OpenError| Box::new(why.of_file(&from.name()));
        let text = std::str::from_utf8(vault).map_err(|_| closed(OpenError::NotText))?;
        let opened = self.keyring.open_by(text).map_err(closed)?;
        let resealer = Resealer {
            opener: self,
            key: opened.key,
            label: opened.label,
        };
        Ok((opened.content, resealer))
    }
}

/// Seals a vault as it was sealed before.
pub struct Resealer<'o> {
    opener: &'o Opener,
    key: usize,
    label: Option<String>,
}

impl Resealer<'_> {
    /// The text of the vault.
    pub fn seal(&self, content: &[u8]) -> Result<String, Fault> {
        sealed(
            content,
            &self.opener.keyring,
            self.key,
            self.label.as_deref(),
        )
    }
}

/// Seals new vaults with one password.
pub struct Sealer {
    keyring: Keyring,
    /// Which of the passwords.
    key: usize,
}

impl Sealer {
    /// With the one password that is given, or that of a label; without one it is asked for.
    pub fn new(
        args: &VaultArgs,
        label: &Option<String>,
        defaults: &Defaults,
        env: &Environment,
    ) -> Result<Sealer, Vec<Diagnostic>> {
        let mut keys = passwords::keys(args, defaults, env, Asked::Twice)?;
        if keys.is_empty() {
            if !env.asks {
                let why = OpenError::NoPassword { label: None };
                return Err(vec![
                    Diagnostic::error("no password is given to encrypt with").help(why.help()),
                ]);
            }
            keys.push(passwords::question(env, Asked::Twice));
        }
        let labels: Vec<&str> = keys.iter().map(|key| key.label()).collect();
        let key = match label {
            Some(label) => labels.iter().position(|it| it == label).ok_or_else(|| {
                vec![
                    Diagnostic::error(format!("no password has the label `{label}`"))
                        .nearest(label, labels.iter().copied())
                        .help(format!("there are {}", list(labels.iter().copied()))),
                ]
            })?,
            None if labels.len() == 1 => 0,
            None => {
                return Err(vec![
                    Diagnostic::error(format!(
                        "there are several passwords to encrypt with: {}",
                        list(labels.iter().copied())
                    ))
                    .help("choose one with `--encrypt-vault-id LABEL`"),
                ]);
            }
        };
        Ok(Sealer {
            keyring: Keyring::new(keys, Masker::new()),
            key,
        })
    }

    /// With the new password of a rekey.
    pub fn anew(
        id: Option<&str>,
        file: Option<&Path>,
        env: &Environment,
    ) -> Result<Sealer, Vec<Diagnostic>> {
        let key = match (id, file) {
            (Some(id), _) => {
                passwords::vault_id(id, env, Asked::Twice).map_err(|fault| vec![*fault])?
            }
            (None, Some(file)) => passwords::file(file, env),
            (None, None) if env.asks => passwords::question(env, Asked::New),
            (None, None) => {
                return Err(vec![Diagnostic::error("no new password is given").help(
                    "give it with `--new-vault-id LABEL@FILE` or `--new-vault-password-file FILE`",
                )]);
            }
        };
        Ok(Sealer {
            keyring: Keyring::new(vec![key], Masker::new()),
            key: 0,
        })
    }

    /// The text of a new vault.
    pub fn seal(&self, content: &[u8]) -> Result<String, Fault> {
        let label = self.keyring.keys()[self.key].label();
        let label = (label != DEFAULT_LABEL).then_some(label);
        sealed(content, &self.keyring, self.key, label)
    }
}

fn sealed(
    content: &[u8],
    keyring: &Keyring,
    key: usize,
    label: Option<&str>,
) -> Result<String, Fault> {
    let password = keyring
        .password(&keyring.keys()[key])
        .map_err(|why| Box::new(Diagnostic::error(why.to_string()).help(why.help())))?;
    let mut salt = [0; SALT];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut salt))
        .map_err(|error| {
            Box::new(Diagnostic::error(format!(
                "cannot read random bytes: {error}"
            )))
        })?;
    Ok(seal(content, password, label, &salt).text())
}
