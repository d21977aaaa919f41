//! What a command opens and seals vaults with.

use std::io::Read;

use zeroize::Zeroizing;

use super::Fault;
use super::args::{RecipientArgs, RekeyArgs};
use super::store::Place;
#[cfg(feature = "age")]
use super::team;
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::cli::options::VaultArgs;
use crate::cli::passwords::{self, Asked};
use crate::diagnostic::{Diagnostic, list};
use crate::secret::Masker;
use crate::vault::{DEFAULT_LABEL, Keyring, OpenError, SALT, is_vault, seal};
#[cfg(feature = "age")]
use crate::vault::{Recipients, is_age};

/// Opens vaults.
pub struct Opener {
    keyring: Keyring,
}

impl Opener {
    /// With the passwords and private keys that are given; without a password it is asked for.
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
            keyring: passwords::opening(keys, args, defaults, env),
        })
    }

    /// What a vault holds.
    pub fn open(&self, from: &Place, vault: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        #[cfg(feature = "age")]
        if is_age(vault) {
            let opened = self.keyring.open_age(vault);
            return opened.map_err(|why| closed(from, &why));
        }
        self.open_again(from, vault).map(|(content, _)| content)
    }

    /// What a vault of Ansible's holds, with what seals it again under the same label and password.
    pub fn open_again(
        &self,
        from: &Place,
        vault: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Sealer), Fault> {
        if !is_vault(vault) {
            return Err(Box::new(
                Diagnostic::error(format!("{} is not a vault", from.said())).help(
                    "a vault begins with `$ANSIBLE_VAULT;`; `hadeploy vault encrypt` makes one",
                ),
            ));
        }
        let text = std::str::from_utf8(vault).map_err(|_| closed(from, &OpenError::NotText))?;
        let opened = self
            .keyring
            .open_by(text)
            .map_err(|why| closed(from, &why))?;
        let sealer = Sealer::Password {
            keyring: self.keyring.clone(),
            key: opened.key,
            label: opened.label,
        };
        Ok((opened.content, sealer))
    }
}

fn closed(from: &Place, why: &OpenError) -> Fault {
    Box::new(why.of_file(&from.name()))
}

/// Seals vaults.
pub enum Sealer {
    /// In Ansible Vault's format, with one password.
    Password {
        /// Where it is.
        keyring: Keyring,
        /// Which of the passwords.
        key: usize,
        /// The label that the vault tells.
        label: Option<String>,
    },
    /// By age, for the public keys of a team.
    #[cfg(feature = "age")]
    Team(Recipients),
}

impl Sealer {
    /// For the public keys that are given, else with the one password that is given, or that of a label. Where there is neither,
    /// the public keys of hadeploy.yml are taken, else a password is asked for.
    pub fn new(
        args: &VaultArgs,
        label: &Option<String>,
        team: &RecipientArgs,
        defaults: &Defaults,
        env: &Environment,
    ) -> Result<Sealer, Vec<Diagnostic>> {
        #[cfg(feature = "age")]
        if let Some(recipients) = team::given(team, env)? {
            return Ok(Sealer::Team(recipients));
        }
        #[cfg(not(feature = "age"))]
        let _ = team;
        let mut keys = passwords::keys(args, defaults, env, Asked::Twice)?;
        if keys.is_empty() {
            #[cfg(feature = "age")]
            if let Some(recipients) = team::usual(defaults)? {
                return Ok(Sealer::Team(recipients));
            }
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
        Ok(Sealer::with(Keyring::new(keys, Masker::new()), key))
    }

    /// With the new password or keys of a rekey. Where none are given, what age encrypted gets the public keys of hadeploy.yml.
    pub fn anew(
        args: &RekeyArgs,
        by_age: bool,
        defaults: &Defaults,
        env: &Environment,
    ) -> Result<Sealer, Vec<Diagnostic>> {
        #[cfg(feature = "age")]
        if let Some(recipients) = team::given(&args.team, env)? {
            return Ok(Sealer::Team(recipients));
        }
        let new = (&args.new_vault_id, &args.new_vault_password_file);
        let key = match new {
            (Some(id), _) => {
                passwords::vault_id(id, env, Asked::Twice).map_err(|fault| vec![*fault])?
            }
            (None, Some(file)) => passwords::file(file, env),
            #[cfg(feature = "age")]
            (None, None) if by_age => return team::again(defaults).map(Sealer::Team),
            (None, None) if env.asks => passwords::question(env, Asked::New),
            (None, None) => {
                return Err(vec![Diagnostic::error("no new password is given").help(
                    "give it with `--new-vault-id LABEL@FILE` or `--new-vault-password-file FILE`",
                )]);
            }
        };
        #[cfg(not(feature = "age"))]
        let _ = (by_age, defaults);
        Ok(Sealer::with(Keyring::new(vec![key], Masker::new()), 0))
    }

    /// A password, and its label unless it is the usual one.
    fn with(keyring: Keyring, key: usize) -> Sealer {
        let label = keyring.keys()[key].label();
        let label = (label != DEFAULT_LABEL).then(|| label.to_owned());
        Sealer::Password {
            keyring,
            key,
            label,
        }
    }

    /// The text of a vault.
    pub fn seal(&self, content: &[u8]) -> Result<String, Fault> {
        let (keyring, key, label) = match self {
            Sealer::Password {
                keyring,
                key,
                label,
            } => (keyring, key, label),
            #[cfg(feature = "age")]
            Sealer::Team(recipients) => {
                return recipients.seal(content).map_err(|why| {
                    Box::new(Diagnostic::error(format!("age does not encrypt: {why}")))
                });
            }
        };
        let password = keyring
            .password(&keyring.keys()[*key])
            .map_err(|why| Box::new(Diagnostic::error(why.to_string()).help(why.help())))?;
        let mut salt = [0; SALT];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut salt))
            .map_err(|error| {
                Box::new(Diagnostic::error(format!(
                    "cannot read random bytes: {error}"
                )))
            })?;
        Ok(seal(content, password, label.as_deref(), &salt).text())
    }
}
