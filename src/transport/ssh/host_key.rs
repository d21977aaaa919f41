//! Whether the server at the other end is the one we mean to reach.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::known_hosts::{self, HostKeys, KnownHosts, Verdict};
use super::options::{HostKeyChecking, SshOptions};
use super::trail::{Milestone, Trust};
use crate::transport::error::TransportError;

/// The known_hosts files of a run: each is read once, however many hosts are looked up in it.
#[derive(Default)]
pub(crate) struct KnownHostsFiles {
    read: Mutex<HashMap<Vec<PathBuf>, Arc<KnownHosts>>>,
    learning: Mutex<()>,
}

impl KnownHostsFiles {
    /// The lines of `files` together. A file that is missing or can't be read knows nobody.
    pub(crate) fn load(&self, files: &[PathBuf]) -> Arc<KnownHosts> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = read.entry(files.to_vec()).or_insert_with(|| {
            let mut known = KnownHosts::default();
            for file in files {
                match std::fs::read(file) {
                    Ok(text) => known.add(file, &text),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => tracing::warn!(
                        "`{}` can't be read and is passed over: {error}",
                        file.display()
                    ),
                }
            }
            Arc::new(known)
        });
        Arc::clone(known)
    }

    /// Appends `line` to `file`, on a line of its own; makes the file (0600) and its folder (0700) when they are missing.
    fn learn(&self, file: &Path, line: &str) -> io::Result<()> {
        let _one_at_a_time = self.learning.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let mut target = std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(file)?;
        let length = target.metadata()?.len();
        let mut last = [b'\n'];
        if length > 0 {
            target.read_exact_at(&mut last, length - 1)?;
        }
        let text = if last == [b'\n'] {
            line.to_string()
        } else {
            format!("\n{line}")
        };
        target.write_all(text.as_bytes())?;
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|files, _| !files.iter().any(|known| known == file));
        Ok(())
    }
}

/// The judge of one connection's host key.
pub(crate) struct HostKeyCheck {
    options: Arc<SshOptions>,
    files: Arc<KnownHostsFiles>,
    name: String,
    known: HostKeys,
}

impl HostKeyCheck {
    pub(crate) fn new(options: Arc<SshOptions>, files: Arc<KnownHostsFiles>) -> Self {
        let name = options.known_name();
        let all: Vec<PathBuf> =
            [options.known_hosts.as_slice(), &options.global_known_hosts].concat();
        let known = files.load(&all).host(&name, options.known_port());
        Self {
            options,
            files,
            name,
            known,
        }
    }

    /// Host key algorithms to ask for, those known for the host first, so that a server shows a key we can compare; never RSA with SHA-1.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let known = self.known.key_types();
        let mut algorithms = all_algorithms();
        algorithms.sort_by_key(|algorithm| {
            !known
                .iter()
                .any(|key_type| key_type == plain_name(algorithm))
        });
        algorithms
    }

    /// The same for certificates; empty when no authority is known for the host.
    pub(crate) fn certificate_algorithms(&self) -> Vec<Algorithm> {
        if self.known.has_authority() {
            all_algorithms()
        } else {
            Vec::new()
        }
    }

    /// Takes the server's key, or says why not. Under `accept-new` an unknown one is written down.
    pub(crate) fn check(
        &self,
        offered: &PublicKeyOrCertificate,
    ) -> Result<Milestone, TransportError> {
        let key = self.wire(offered.public_key().key_data())?;
        let fingerprint = known_hosts::fingerprint(&key);
        let key_type = known_hosts::key_type_of(&key).unwrap_or_default();
        let taken = |trust| {
            Ok(Milestone::HostKey {
                key_type: key_type.clone(),
                fingerprint: fingerprint.clone(),
                trust,
            })
        };
        if let Some(certificate) = offered.certificate()
            && self.check_certificate(certificate)?
        {
            return taken(Trust::Certified(certificate.key_id().to_string()));
        }
        let host = known_hosts::lookup_name(&self.name, self.options.known_port());
        let checking = self.options.host_key_checking;
        match self.known.verdict(&key) {
            Verdict::Known(place) => taken(Trust::Known(Box::new(place))),
            Verdict::Revoked(place) => Err(TransportError::RevokedHostKey {
                host,
                fingerprint,
                place: Box::new(place),
            }),
            Verdict::Changed(_) | Verdict::Unknown { .. } if checking == HostKeyChecking::No => {
                taken(Trust::Unchecked)
            }
            Verdict::Changed(known) => Err(TransportError::ChangedHostKey {
                host,
                key_type,
                offered: fingerprint,
                known,
            }),
            Verdict::Unknown { other_types }
                if checking == HostKeyChecking::AcceptNew && other_types.is_empty() =>
            {
                if !self.options.learns_host_keys {
                    return taken(Trust::New);
                }
                self.learn(&key)?;
                taken(Trust::Learned)
            }
            Verdict::Unknown { other_types } => Err(TransportError::UnknownHostKey {
                host,
                key_type,
                fingerprint,
                other_types,
            }),
        }
    }

    /// Whether an authority we know vouches for the host; `false` when we don't know this authority, so that the key itself decides.
    fn check_certificate(&self, certificate: &Certificate) -> Result<bool, TransportError> {
        let authority = self.wire(certificate.signature_key())?;
        let own = self.wire(certificate.public_key())?;
        for key in [&authority, &own] {
            if let Some(place) = self.known.revoked(key) {
                let host = known_hosts::lookup_name(&self.name, self.options.known_port());
                return Err(TransportError::RevokedHostKey {
                    host,
                    fingerprint: known_hosts::fingerprint(key),
                    place: Box::new(place),
                });
            }
        }
        if !self.known.is_authority(&authority) {
            return Ok(false);
        }
        match certificate_fault(certificate, &self.name, SystemTime::now()) {
            None => Ok(true),
            Some(reason) => Err(TransportError::HostCertificate {
                host: known_hosts::lookup_name(&self.name, self.options.known_port()),
                key_id: certificate.key_id().to_string(),
                authority: known_hosts::fingerprint(&authority),
                reason,
            }),
        }
    }

    fn learn(&self, key: &[u8]) -> Result<(), TransportError> {
        let Some(file) = self.options.known_hosts.first() else {
            return Ok(());
        };
        let port = self.options.known_port();
        let line = match self.options.hash_known_hosts {
            true => known_hosts::hashed_line_for(&self.name, port, key, &salt()),
            false => known_hosts::line_for(&self.name, port, key),
        };
        let line = line.ok_or_else(|| self.protocol("its host key is no key"))?;
        self.files
            .learn(file, &line)
            .map_err(|error| TransportError::KnownHostsFile {
                path: file.clone(),
                reason: error.to_string(),
            })
    }

    fn wire(&self, key: &KeyData) -> Result<Vec<u8>, TransportError> {
        PublicKey::new(key.clone(), "")
            .to_bytes()
            .map_err(|error| self.protocol(&error.to_string()))
    }

    fn protocol(&self, reason: &str) -> TransportError {
        TransportError::Protocol {
            host: self.options.describe(),
            reason: reason.to_string(),
        }
    }
}

/// What is wrong with a certificate of a known authority, for `host` at `now`.
fn certificate_fault(certificate: &Certificate, host: &str, now: SystemTime) -> Option<String> {
    if certificate.cert_type() != CertType::Host {
        return Some("it is a user certificate".to_string());
    }
    if matches!(
        certificate.signature().algorithm(),
        Algorithm::Rsa { hash: None }
    ) {
        return Some("it is signed with SHA-1".to_string());
    }
    if let Some((name, _)) = certificate.critical_options().iter().next() {
        return Some(format!(
            "it has the critical option `{name}`, which is unknown"
        ));
    }
    let now = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if now < certificate.valid_after() {
        return Some("it is not valid yet".to_string());
    }
    if now >= certificate.valid_before() {
        return Some("it has expired".to_string());
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    if certificate.validate_at(now, [&authority]).is_err() {
        return Some("its signature is wrong".to_string());
    }
    let principals = certificate.valid_principals();
    // As in OpenSSH up to 9: names count as they are, and a host certificate without names is good for any host of its authority.
    if !principals.is_empty() && !principals.iter().any(|name| name == host) {
        return Some(format!("it is for {}", principals.join(", ")));
    }
    None
}

/// Twenty bytes that nobody foresees, as a salt must be.
fn salt() -> [u8; 20] {
    let mut salt = [0; 20];
    for (bytes, seed) in salt.chunks_mut(8).zip(0u8..) {
        // Each is keyed anew with what the system draws.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u8(seed);
        let drawn = hasher.finish().to_ne_bytes();
        bytes.copy_from_slice(&drawn[..bytes.len()]);
    }
    salt
}

fn all_algorithms() -> Vec<Algorithm> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    vec![
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        rsa(HashAlg::Sha512),
        rsa(HashAlg::Sha256),
    ]
}

/// The name of the key itself, without the hash of its signatures.
fn plain_name(algorithm: &Algorithm) -> &str {
    match algorithm {
        Algorithm::Rsa { .. } => "ssh-rsa",
        other => other.as_str(),
    }
}
