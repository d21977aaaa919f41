//! The private keys of a run: each file is read, and each passphrase asked for, once for all hosts.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use russh::keys::{Certificate, PrivateKey, PublicKey};
use tokio::sync::OnceCell;

use crate::secret::{Secret, passphrase};
use crate::transport::error::TransportError;

/// How often a wrong passphrase may be given.
const PASSPHRASE_ATTEMPTS: u32 = 3;

/// Asks the user for the passphrase of a key file.
#[async_trait]
pub trait PassphrasePrompt: Send + Sync {
    /// The passphrase of `file`; `attempt` counts from 1. `None` when nobody can be asked, or nothing was entered.
    async fn passphrase(&self, file: &Path, attempt: u32) -> Option<Secret>;
}

/// A prompt for runs without a terminal: encrypted keys can't be used.
pub struct NobodyToAsk;

#[async_trait]
impl PassphrasePrompt for NobodyToAsk {
    async fn passphrase(&self, _file: &Path, _attempt: u32) -> Option<Secret> {
        None
    }
}

/// All key files of a run.
pub(crate) struct KeyRing {
    prompt: Arc<dyn PassphrasePrompt>,
    files: Mutex<HashMap<PathBuf, Arc<KeyFile>>>,
    /// One question on the terminal at a time.
    asking: tokio::sync::Mutex<()>,
}

impl KeyRing {
    pub(crate) fn new(prompt: Arc<dyn PassphrasePrompt>) -> Self {
        Self {
            prompt,
            files: Mutex::default(),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// The key at `path`; `None` when there is no such file.
    pub(crate) fn file(&self, path: &Path) -> Result<Option<Arc<KeyFile>>, TransportError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path) {
            return Ok(Some(Arc::clone(file)));
        }
        let Some(file) = KeyFile::read(path)? else {
            return Ok(None);
        };
        let file = Arc::new(file);
        files.insert(path.to_path_buf(), Arc::clone(&file));
        Ok(Some(file))
    }

    /// The private key of `file`, decrypted once; the user is asked for its passphrase if need be.
    pub(crate) async fn private(&self, file: &KeyFile) -> Result<Arc<PrivateKey>, TransportError> {
        let opened = file
            .private
            .get_or_init(|| async { self.decrypt(file).await })
            .await;
        opened.clone()
    }

    async fn decrypt(&self, file: &KeyFile) -> Result<Arc<PrivateKey>, TransportError> {
        let _one_question_at_a_time = self.asking.lock().await;
        let failed = |reason: &str| TransportError::KeyPassphrase {
            path: file.path.clone(),
            reason: reason.to_string(),
        };
        for attempt in 1..=PASSPHRASE_ATTEMPTS {
            let Some(passphrase) = self.prompt.passphrase(&file.path, attempt).await else {
                return Err(failed(if attempt == 1 {
                    "no passphrase was given for it"
                } else {
                    "the passphrase is wrong"
                }));
            };
            let text = file.text.clone();
            // Deriving the key takes tenths of a second: not on a thread that serves connections.
            let decoded = tokio::task::spawn_blocking(move || {
                russh::keys::decode_secret_key(text.reveal(), Some(passphrase.reveal()))
            })
            .await;
            if let Ok(Ok(key)) = decoded {
                return Ok(Arc::new(key));
            }
        }
        Err(failed("the passphrase was wrong three times"))
    }
}

/// One private key on disk, perhaps with a certificate beside it.
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    /// Readable without a passphrase in most formats.
    pub(crate) public: Option<PublicKey>,
    /// From `PATH-cert.pub`.
    pub(crate) certificate: Option<Certificate>,
    /// A passphrase is needed to use it.
    pub(crate) encrypted: bool,
    /// Only the public half is here; an agent has the other.
    pub(crate) public_only: bool,
    text: Secret,
    private: OnceCell<Result<Arc<PrivateKey>, TransportError>>,
}

impl KeyFile {
    /// A key whose private half only an agent has; its public one names it.
    fn public_half(path: &Path) -> Option<Self> {
        let public = russh::keys::load_public_key(with_suffix(path, ".pub")).ok()?;
        Some(Self {
            path: path.to_path_buf(),
            public: Some(public),
            certificate: read_certificate(&with_suffix(path, "-cert.pub")).ok()?,
            encrypted: false,
            public_only: true,
            text: Secret::new(String::new()),
            private: OnceCell::new(),
        })
    }

    fn read(path: &Path) -> Result<Option<Self>, TransportError> {
        let bad = |reason: String| TransportError::KeyFile {
            path: path.to_path_buf(),
            reason,
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::public_half(path));
            }
            Err(error) => return Err(bad(error.to_string())),
        };
        let mut file = Self {
            path: path.to_path_buf(),
            public: russh::keys::load_public_key(with_suffix(path, ".pub")).ok(),
            certificate: read_certificate(&with_suffix(path, "-cert.pub"))?,
            encrypted: false,
            public_only: false,
            text,
            private: OnceCell::new(),
        };
        if let Ok(public) = PublicKey::from_openssh(file.text.reveal().trim()) {
            file.public = Some(public);
            file.public_only = true;
            return Ok(Some(file));
        }
        if file
            .text
            .reveal()
            .contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        {
            file.encrypted = true;
            return Ok(Some(file));
        }
        match russh::keys::decode_secret_key(file.text.reveal(), None) {
            Ok(key) => {
                file.public = Some(key.public_key().clone());
                file.private = OnceCell::new_with(Some(Ok(Arc::new(key))));
            }
            Err(russh::keys::Error::KeyIsEncrypted) => {
                file.encrypted = true;
                if let Some(why) = passphrase::endless(file.text.reveal()) {
                    return Err(bad(why));
                }
                if let Ok(key) = PrivateKey::from_openssh(file.text.reveal()) {
                    file.public = Some(key.public_key().clone());
                }
            }
            Err(_) if file.text.reveal().contains("DEK-Info:") => {
                return Err(bad("its old way of encryption is not supported; `ssh-keygen -p -f FILE` converts it".to_string()));
            }
            Err(russh::keys::Error::CouldNotReadKey) => {
                return Err(bad("it is no private key".to_string()));
            }
            Err(error) => return Err(bad(error.to_string())),
        }
        Ok(Some(file))
    }
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// A certificate; `None` where there is no such file.
pub(crate) fn read_certificate(path: &Path) -> Result<Option<Certificate>, TransportError> {
    let bad = |reason: String| TransportError::KeyFile {
        path: path.to_path_buf(),
        reason,
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Certificate::from_openssh(text.trim())
            .map(Some)
            .map_err(|error| bad(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(bad(error.to_string())),
    }
}
