//! The passwords of a run: each asked for when a vault needs it, and not before.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use zeroize::Zeroizing;

use super::age::is_age;
#[cfg(feature = "age")]
use super::age::{self, AgeKey, AgeKeys};
use super::cipher::{Unsealed, unseal};
use super::envelope::{Broken, DEFAULT_LABEL, Envelope};
use crate::diagnostic::{Diagnostic, list};
use crate::secret::{Masker, Secret};
use crate::source::Span;

/// How a password is given, for those who gave none.
const HOW: &str = "give it with `--vault-password-file FILE`, `--vault-id LABEL@FILE`, `--ask-vault-pass`, or as `vault_password_file` in hadeploy.yml";

/// Where a password comes from: a file, a script, the environment, a question.
pub trait PasswordSource: Send + Sync {
    /// Gets the password; called at most once.
    ///
    /// # Errors
    /// A sentence about why there is none.
    fn password(&self) -> Result<Secret, String>;
}

/// One password and its label.
pub struct Key {
    label: String,
    source: Box<dyn PasswordSource>,
    got: OnceLock<Result<Secret, String>>,
}

impl Key {
    /// A password that is got when it is needed.
    pub fn new(label: impl Into<String>, source: Box<dyn PasswordSource>) -> Key {
        Key {
            label: label.into(),
            source,
            got: OnceLock::new(),
        }
    }

    /// Its label.
    pub fn label(&self) -> &str {
        &self.label
    }
}

/// Why a vault stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its text is no vault's.
    #[error("the vault is broken: {0}")]
    Broken(#[from] Broken),
    /// No password was given at all.
    #[error("{} is encrypted, and no password of a vault is given", said(label))]
    NoPassword {
        /// The vault's label.
        label: Option<String>,
    },
    /// None of the passwords fits.
    #[error(
        "no password fits {}: another one is needed, or the vault was changed (tried {})",
        said(label),
        list(tried.iter().map(String::as_str))
    )]
    Refused {
        /// The vault's label.
        label: Option<String>,
        /// The labels of the passwords that were tried.
        tried: Vec<String>,
    },
    /// A password could not be got.
    #[error("{0}")]
    Source(String),
    /// Age encrypted it, and this hadeploy was built without age.
    #[cfg(not(feature = "age"))]
    #[error("it was encrypted by age, which this hadeploy was built without")]
    Age,
    /// A private key could not be got.
    #[error("{0}")]
    AgeKey(String),
    /// Age encrypted it, and no private key was given.
    #[error("it was encrypted by age, and no private key is given")]
    NoAgeKey,
    /// Age encrypted it for others.
    #[error("it was encrypted by age for other keys than ours (tried {})", list(tried.iter().map(String::as_str)))]
    NotForUs {
        /// The files of private keys.
        tried: Vec<String>,
    },
    /// Age encrypted it with a passphrase.
    #[error("it was encrypted by age with a passphrase, not for keys")]
    AgePassphrase,
    /// What age encrypted is damaged.
    #[error("what age encrypted is broken: {0}")]
    BrokenAge(String),
    /// Its content is no text where one is needed.
    #[error("the vault does not hold UTF-8 text")]
    NotText,
}

fn said(label: &Option<String>) -> String {
    match label {
        Some(label) => format!("the vault `{label}`"),
        None => "the vault".to_owned(),
    }
}

impl OpenError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            OpenError::Broken(_) | OpenError::NotText => {
                "restore it from version control, or encrypt the content anew with `hadeploy vault encrypt`"
            }
            OpenError::NoPassword { .. } => HOW,
            OpenError::Refused { .. } => {
                "give the password it was encrypted with: `--vault-password-file FILE` or `--vault-id LABEL@FILE`"
            }
            #[cfg(not(feature = "age"))]
            OpenError::Age => {
                "build hadeploy with the feature `age`, or decrypt the file with `age -d`"
            }
            OpenError::AgeKey(_) => {
                "a private key is a line of age's own, or an ed25519 or RSA key of OpenSSH's"
            }
            OpenError::NoAgeKey => {
                "give your private key with `--age-identity FILE`, or as `age_identity_file` in hadeploy.yml"
            }
            OpenError::NotForUs { .. } => {
                "somebody who can open it adds your public key to the recipients, and runs `hadeploy vault rekey`"
            }
            OpenError::AgePassphrase => {
                "decrypt it with `age -d`, and encrypt it for keys with `hadeploy vault encrypt --recipient KEY`"
            }
            OpenError::BrokenAge(_) => "restore it from version control",
            OpenError::Source(_) => {
                "a source is a file with the password, an executable script that prints it, or `prompt`"
            }
        }
    }

    /// As something to fix at a place.
    pub fn at(&self, span: &Span) -> Diagnostic {
        Diagnostic::at(span, self.to_string()).help(self.help())
    }

    /// As something to fix in a file.
    pub fn of_file(&self, path: &str) -> Diagnostic {
        let message = match self {
            OpenError::Broken(broken) => {
                format!(
                    "{path}:{}: the vault is broken: {}",
                    broken.line, broken.why
                )
            }
            OpenError::NoPassword { .. } => {
                format!("`{path}` is encrypted, and no password of a vault is given")
            }
            OpenError::NotText => format!("the vault `{path}` does not hold UTF-8 text"),
            other => format!("cannot open `{path}`: {other}"),
        };
        Diagnostic::error(message).help(self.help())
    }
}

/// An opened vault, with what is needed to seal it again.
pub struct Opened {
    /// What it holds.
    pub content: Zeroizing<Vec<u8>>,
    /// The number of the key that opened it.
    pub key: usize,
    /// Its label.
    pub label: Option<String>,
}

type Content = Arc<Zeroizing<Vec<u8>>>;

/// All passwords of a run, and what they have opened. Clones share both.
#[derive(Clone, Default)]
pub struct Keyring {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    keys: Vec<Key>,
    #[cfg(feature = "age")]
    age: AgeKeys,
    masker: Masker,
    /// Stretching a password takes its time, and many hosts read the same files.
    opened: Mutex<HashMap<[u8; 32], Content>>,
}

impl Keyring {
    /// The passwords in the order in which they are tried. What they open is hidden by `masker`, and so are they.
    pub fn new(keys: Vec<Key>, masker: Masker) -> Keyring {
        Keyring {
            inner: Arc::new(Inner {
                keys,
                masker,
                ..Inner::default()
            }),
        }
    }

    /// The same, with private keys for what age encrypted.
    #[cfg(feature = "age")]
    pub fn with_age(keys: Vec<Key>, age: Vec<AgeKey>, masker: Masker) -> Keyring {
        Keyring {
            inner: Arc::new(Inner {
                keys,
                age: AgeKeys::new(age),
                masker,
                opened: Mutex::default(),
            }),
        }
    }

    /// The passwords.
    pub fn keys(&self) -> &[Key] {
        &self.inner.keys
    }

    /// What hides the secrets.
    pub fn masker(&self) -> &Masker {
        &self.inner.masker
    }

    /// From now on a text is hidden.
    pub fn hide(&self, text: &str) {
        self.inner.masker.add(&Secret::new(text));
    }

    /// The password of a key.
    ///
    /// # Errors
    /// Its source has none.
    pub fn password<'k>(&self, key: &'k Key) -> Result<&'k Secret, OpenError> {
        let got = key.got.get_or_init(|| {
            let password = key.source.password()?;
            self.inner.masker.add(&password);
            Ok(password)
        });
        got.as_ref()
            .map_err(|why| OpenError::Source(why.to_owned()))
    }

    /// The content of a vault. Nothing of it is hidden yet.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open(&self, bytes: &[u8]) -> Result<Content, OpenError> {
        let digest = *blake3::hash(bytes).as_bytes();
        let known = || {
            self.inner
                .opened
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        };
        if let Some(content) = known().get(&digest) {
            return Ok(content.clone());
        }
        let content = match is_age(bytes) {
            true => self.open_age(bytes)?,
            false => {
                let text = std::str::from_utf8(bytes).map_err(|_| OpenError::NotText)?;
                self.try_keys(&Envelope::parse(text)?)?.0
            }
        };
        let content = Arc::new(content);
        known().insert(digest, content.clone());
        Ok(content)
    }

    /// The text in a vault, hidden from now on.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open_text(&self, text: &str) -> Result<Secret, OpenError> {
        let content = self.open(text.as_bytes())?;
        let plain = std::str::from_utf8(&content).map_err(|_| OpenError::NotText)?;
        let secret = Secret::new(plain);
        self.inner.masker.add(&secret);
        Ok(secret)
    }

    /// The content of what age encrypted.
    ///
    /// # Errors
    /// Why it stays closed.
    #[cfg(feature = "age")]
    pub fn open_age(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        age::open(bytes, &self.inner.age, &self.inner.masker)
    }

    #[cfg(not(feature = "age"))]
    fn open_age(&self, _bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        Err(OpenError::Age)
    }

    /// The content of a vault of Ansible's, and what it was sealed with.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open_by(&self, text: &str) -> Result<Opened, OpenError> {
        let vault = Envelope::parse(text)?;
        let (content, key) = self.try_keys(&vault)?;
        Ok(Opened {
            content,
            key,
            label: vault.label,
        })
    }

    /// Which key opens a vault: the password of its own label is tried first, then the others in their order, as in Ansible.
    fn try_keys(&self, vault: &Envelope) -> Result<(Zeroizing<Vec<u8>>, usize), OpenError> {
        let label = vault.label.as_deref().unwrap_or(DEFAULT_LABEL);
        let keys = self.inner.keys.iter().enumerate();
        let (own, others): (Vec<_>, Vec<_>) = keys.partition(|(_, key)| key.label == label);
        let (mut tried, mut trouble) = (Vec::new(), None);
        for (number, key) in own.into_iter().chain(others) {
            let password = match self.password(key) {
                Ok(password) => password,
                Err(why) => {
                    trouble.get_or_insert(why);
                    continue;
                }
            };
            if let Unsealed::Content(content) = unseal(vault, password)? {
                return Ok((content, number));
            }
            if !tried.contains(&key.label) {
                tried.push(key.label.clone());
            }
        }
        let label = vault.label.clone();
        Err(match trouble {
            // A password that is missing may be the one.
            Some(why) => why,
            None if tried.is_empty() => OpenError::NoPassword { label },
            None => OpenError::Refused { label, tried },
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.inner.keys.iter().map(|key| &key.label);
        f.debug_list().entries(labels).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::cipher::seal;
    use super::*;

    struct Fixed(&'static str, Arc<AtomicUsize>);

    impl PasswordSource for Fixed {
        fn password(&self) -> Result<Secret, String> {
            self.1.fetch_add(1, Ordering::Relaxed);
            match self.0 {
                "" => Err("there is no such file".to_owned()),
                password => Ok(Secret::new(password)),
            }
        }
    }

    fn vault(password: &str, label: Option<&str>) -> String {
        seal(b"gehe1m", &Secret::new(password), label, &[7; 32]).text()
    }

    fn keyring(keys: &[(&str, &'static str)]) -> (Keyring, Vec<Arc<AtomicUsize>>) {
        let (mut counts, mut made) = (Vec::new(), Vec::new());
        for (label, password) in keys {
            let count = Arc::new(AtomicUsize::new(0));
            made.push(Key::new(*label, Box::new(Fixed(password, count.clone()))));
            counts.push(count);
        }
        (Keyring::new(made, Masker::new()), counts)
    }

    fn asked(counts: &[Arc<AtomicUsize>]) -> Vec<usize> {
        counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect()
    }

    #[test]
    fn the_label_is_tried_first_and_no_password_is_got_in_vain() {
        let (keyring, counts) = keyring(&[("default", "a"), ("dev", "b"), ("prod", "c")]);
        assert_eq!(asked(&counts), [0, 0, 0]);
        let text = vault("c", Some("prod"));
        assert_eq!(keyring.open_text(&text).unwrap().reveal(), "gehe1m");
        assert_eq!(keyring.open_text(&text).unwrap().reveal(), "gehe1m");
        assert_eq!(asked(&counts), [0, 0, 1]);
        // A wrong label does not matter when another password fits.
        let text = vault("b", Some("prod"));
        assert_eq!(keyring.open_text(&text).unwrap().reveal(), "gehe1m");
        assert_eq!(asked(&counts), [1, 1, 1]);
    }

    #[test]
    fn what_is_opened_is_hidden() {
        let (keyring, _) = keyring(&[("default", "hunter2")]);
        assert_eq!(keyring.masker().mask("gehe1m"), "gehe1m");
        keyring.open_text(&vault("hunter2", None)).unwrap();
        assert_eq!(keyring.masker().mask("gehe1m hunter2"), "(masked) (masked)");
    }

    #[test]
    fn why_it_stays_closed_is_told_apart() {
        let open = |keys: &[(&str, &'static str)], text: &str| {
            keyring(keys)
                .0
                .open(text.as_bytes())
                .unwrap_err()
                .to_string()
        };
        let text = vault("right", Some("prod"));
        assert_eq!(
            open(&[], &text),
            "the vault `prod` is encrypted, and no password of a vault is given"
        );
        assert_eq!(
            open(&[("default", "wrong")], &text),
            "no password fits the vault `prod`: another one is needed, or the vault was changed (tried `default`)"
        );
        assert_eq!(
            open(&[("prod", ""), ("default", "wrong")], &text),
            "there is no such file"
        );
        assert!(open(&[("prod", "right")], "$ANSIBLE_VAULT;1.1").contains("the header is not"));
    }
}
