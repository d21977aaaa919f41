//! The private keys that open such files, and the public ones that they are sealed for: age's own, and OpenSSH's ed25519 and RSA keys.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{Callbacks, DecryptError, Decryptor, Encryptor, ssh, x25519};
use zeroize::{Zeroize, Zeroizing};

use crate::diagnostic::Diagnostic;
use crate::secret::{Masker, Secret, passphrase};
use crate::vault::keyring::{OpenError, PasswordSource};

/// What a line with a secret key of age's own begins with.
const SECRET_KEY: &str = "AGE-SECRET-KEY-1";
/// What it begins with when the key is in a device that a program of age's asks.
const PLUGIN_KEY: &str = "AGE-PLUGIN-";

type Identity = Box<dyn age::Identity + Send + Sync>;
type Recipient = Box<dyn age::Recipient + Send + Sync>;

/// A file with private keys: lines of age's own, or one key of OpenSSH's.
pub struct AgeKey {
    path: PathBuf,
    passphrase: Passphrase,
}

impl AgeKey {
    /// A file that is read when it is needed. The passphrase is got when the key in it is encrypted.
    pub fn new(path: PathBuf, passphrase: Arc<dyn PasswordSource>) -> AgeKey {
        AgeKey {
            path,
            passphrase: Passphrase {
                source: passphrase,
                got: Arc::default(),
            },
        }
    }

    /// # Errors
    /// A sentence about why there is no key in it.
    fn read(&self, masker: &Masker) -> Result<Vec<Identity>, String> {
        let said = self.path.display();
        let bytes = std::fs::read(&self.path)
            .map(Zeroizing::new)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file of age keys `{said}`"),
                _ => format!("cannot read the file of age keys `{said}`: {error}"),
            })?;
        if super::is_age(&bytes) {
            return Err(format!(
                "the age keys in `{said}` are encrypted themselves; give a file that `age -d` made of it, or an OpenSSH key with a passphrase"
            ));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| format!("the file of age keys `{said}` is not text"))?;
        if text.contains("PRIVATE KEY-----") {
            let key = ssh::Identity::from_buffer(text.as_bytes(), Some(said.to_string()))
                .map_err(|_| format!("`{said}` is no OpenSSH private key that age can use"))?;
            if let Some(why) = passphrase::endless(text) {
                return Err(format!("`{said}`: {why}"));
            }
            if let ssh::Identity::Unsupported(_) = key {
                return Err(format!(
                    "`{said}` is a kind of OpenSSH key that age cannot use: it takes ed25519 and RSA keys"
                ));
            }
            return Ok(vec![Box::new(key.with_callbacks(self.passphrase.clone()))]);
        }
        let mut keys: Vec<Identity> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = format!("{said}:{}", number + 1);
            if line.starts_with(PLUGIN_KEY) {
                return Err(format!(
                    "{at}: the key is in a device that a plugin of age's asks, which is not done here"
                ));
            }
            let key = line.parse::<x25519::Identity>().map_err(|_| {
                format!("{at}: this is no private key of age's: one begins with `{SECRET_KEY}`")
            })?;
            masker.add(&Secret::new(line));
            keys.push(Box::new(key));
        }
        match keys.is_empty() {
            true => Err(format!("there is no key in the file of age keys `{said}`")),
            false => Ok(keys),
        }
    }
}

/// All private keys of a run, read when the first file needs them.
#[derive(Default)]
pub struct AgeKeys {
    files: Vec<AgeKey>,
    read: OnceLock<Result<Vec<Identity>, String>>,
}

impl AgeKeys {
    pub fn new(files: Vec<AgeKey>) -> AgeKeys {
        AgeKeys {
            files,
            read: OnceLock::new(),
        }
    }

    fn identities(&self, masker: &Masker) -> Result<&[Identity], OpenError> {
        let read = self.read.get_or_init(|| {
            let mut all = Vec::new();
            for file in &self.files {
                all.extend(file.read(masker)?);
            }
            Ok(all)
        });
        match read {
            Ok(all) if all.is_empty() => Err(OpenError::NoAgeKey),
            Ok(all) => Ok(all),
            Err(why) => Err(OpenError::AgeKey(why.clone())),
        }
    }

    /// No key fits, or nobody said the passphrase of one that might.
    fn not_for_us(&self) -> OpenError {
        let mut files = self.files.iter();
        if let Some(why) = files.find_map(|file| file.passphrase.failure()) {
            return OpenError::AgeKey(why.clone());
        }
        let paths = self
            .files
            .iter()
            .map(|file| file.path.display().to_string());
        OpenError::NotForUs {
            tried: paths.collect(),
        }
    }
}

/// Somebody who knows the passphrase of an OpenSSH key; asked once.
#[derive(Clone)]
struct Passphrase {
    source: Arc<dyn PasswordSource>,
    got: Arc<OnceLock<Result<Secret, String>>>,
}

impl Passphrase {
    fn failure(&self) -> Option<&String> {
        self.got.get()?.as_ref().err()
    }
}

impl Callbacks for Passphrase {
    fn display_message(&self, _message: &str) {}

    fn confirm(&self, _message: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _description: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _description: &str) -> Option<SecretString> {
        let got = self.got.get_or_init(|| self.source.password());
        let got = got.as_ref().ok()?;
        Some(SecretString::from(got.reveal().to_owned()))
    }
}

/// The content of a file that age encrypted, as bytes or as text.
///
/// # Errors
/// Why it stays closed.
pub fn open(
    bytes: &[u8],
    keys: &AgeKeys,
    masker: &Masker,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let closed = |error: DecryptError| match error {
        DecryptError::NoMatchingKeys => keys.not_for_us(),
        DecryptError::KeyDecryptionFailed => {
            OpenError::AgeKey("the passphrase of an OpenSSH key is wrong".to_owned())
        }
        DecryptError::UnknownFormat => {
            OpenError::BrokenAge("it is a newer format than age-encryption.org/v1".to_owned())
        }
        other => OpenError::BrokenAge(other.to_string()),
    };
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(bytes)).map_err(closed)?;
    if decryptor.is_scrypt() {
        return Err(OpenError::AgePassphrase);
    }
    let identities = keys.identities(masker)?;
    let identities = identities
        .iter()
        .map(|key| key.as_ref() as &dyn age::Identity);
    let mut reader = decryptor.decrypt(identities).map_err(closed)?;
    let mut content = Zeroizing::new(Vec::new());
    match reader.read_to_end(&mut content) {
        Ok(_) => Ok(content),
        Err(error) => {
            content.zeroize();
            Err(OpenError::BrokenAge(error.to_string()))
        }
    }
}

/// The public keys that a file is sealed for. Each of their owners can open it.
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Public keys of the command line (`age1…`, `ssh-ed25519 …`, `ssh-rsa …`), and files with one a line; `#` begins a comment.
    ///
    /// # Errors
    /// A file that cannot be read, a line that is no public key, or no key at all.
    pub fn read(words: &[String], files: &[PathBuf]) -> Result<Recipients, Vec<Diagnostic>> {
        let mut all = Vec::new();
        let mut faults = Vec::new();
        let mut add = |word: &str, at: &str| match recipient(word) {
            Ok(recipient) => all.push(recipient),
            Err(why) => faults.push(
                Diagnostic::error(format!("{at}: {why}"))
                    .help("a public key begins with `age1`, `ssh-ed25519` or `ssh-rsa`"),
            ),
        };
        for word in words {
            add(word.trim(), "--recipient");
        }
        let mut unread = Vec::new();
        for file in files {
            let said = file.display();
            match std::fs::read_to_string(file) {
                Ok(text) => {
                    for (number, line) in text.lines().enumerate() {
                        let line = line.trim();
                        if !line.is_empty() && !line.starts_with('#') {
                            add(line, &format!("{said}:{}", number + 1));
                        }
                    }
                }
                Err(error) => unread.push(unreadable(file, &error)),
            }
        }
        faults.extend(unread);
        if all.is_empty() && faults.is_empty() {
            faults.push(Diagnostic::error("there is no public key to encrypt for"));
        }
        match faults.is_empty() {
            true => Ok(Recipients(all)),
            false => Err(faults),
        }
    }

    /// Seals a content, as text that git and mail leave whole.
    ///
    /// # Errors
    /// A sentence about why age does not.
    pub fn seal(&self, content: &[u8]) -> Result<String, String> {
        let recipients = self.0.iter().map(|it| it.as_ref() as &dyn age::Recipient);
        let encryptor =
            Encryptor::with_recipients(recipients).map_err(|error| error.to_string())?;
        let sealed = || -> std::io::Result<Vec<u8>> {
            let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
            let mut writer = encryptor.wrap_output(armour)?;
            writer.write_all(content)?;
            writer.finish()?.finish()
        };
        let text = sealed().map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Diagnostic {
    let said = file.display();
    Diagnostic::error(match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file of public keys `{said}`"),
        _ => format!("cannot read the file of public keys `{said}`: {error}"),
    })
}

fn recipient(word: &str) -> Result<Recipient, String> {
    if word.starts_with(SECRET_KEY) {
        return Err("this is a private key, which belongs to nobody but its owner".to_owned());
    }
    if word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-") {
        return match word.parse::<ssh::Recipient>() {
            Ok(recipient) => Ok(Box::new(recipient)),
            Err(ssh::ParseRecipientKeyError::RsaModulusTooSmall) => {
                Err("the RSA key has fewer than 2,048 bits".to_owned())
            }
            Err(_) => Err("age does not encrypt for this kind of OpenSSH key".to_owned()),
        };
    }
    match word.parse::<x25519::Recipient>() {
        Ok(recipient) => Ok(Box::new(recipient)),
        Err(_) => Err("this is no public key".to_owned()),
    }
}
