//! Proving to the server who we are.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, Signer};
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::dial::Deadline;
use super::guard::{Guard, Story};
use super::keys::{KeyFile, KeyRing};
use super::options::SshOptions;
use super::trail::{Answer, Milestone};
use crate::transport::error::TransportError;

const PHASE: &str = "the authentication";

/// Logs in. In this order, so that neither the user nor the server is asked in vain: keys of the agent that were named, key files that
/// need no passphrase, the agent's other keys, key files that need one.
pub(crate) async fn log_in(
    handle: &mut Handle<Guard>,
    options: &SshOptions,
    keys: &KeyRing,
    deadline: &mut Deadline,
    story: &Story,
) -> Result<(), TransportError> {
    let mut login = Login {
        handle,
        options,
        keys,
        story,
        tried: Vec::new(),
        over: false,
    };
    let files = login.key_files()?;
    let mut agent = login.agent(deadline).await?;
    let (named, others): (Vec<_>, Vec<_>) = agent
        .identities
        .drain(..)
        .partition(|identity| files.iter().any(|file| is_of(identity, file)));
    let held = |file: &KeyFile| named.iter().any(|identity| is_of(identity, file));

    for identity in &named {
        if login.with_agent(&mut agent, identity, deadline).await? {
            return Ok(());
        }
    }
    for file in files.iter().filter(|file| !file.encrypted && !held(file)) {
        if login.with_file(file, deadline).await? {
            return Ok(());
        }
    }
    for identity in others.iter().filter(|_| !options.identities_only) {
        if login.with_agent(&mut agent, identity, deadline).await? {
            return Ok(());
        }
    }
    let mut locked = None;
    for file in files.iter().filter(|file| file.encrypted && !held(file)) {
        match login.with_file(file, deadline).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error @ TransportError::KeyPassphrase { .. }) => {
                login.passed_over(file.path.display().to_string(), "encrypted".to_string());
                locked.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    // The key that might have fitted says more than the list of those that did not.
    Err(locked.unwrap_or_else(|| login.refused()))
}

struct Login<'a> {
    handle: &'a mut Handle<Guard>,
    options: &'a SshOptions,
    keys: &'a KeyRing,
    story: &'a Story,
    tried: Vec<String>,
    /// The server takes no more attempts.
    over: bool,
}

struct Agent {
    client: Option<AgentClient<UnixStream>>,
    identities: Vec<AgentIdentity>,
}

impl Login<'_> {
    fn key_files(&self) -> Result<Vec<Arc<KeyFile>>, TransportError> {
        let mut files: Vec<Arc<KeyFile>> = Vec::new();
        for path in &self.options.identity_files {
            // Each attempt counts against the server's patience.
            if files.iter().any(|file| file.path == *path) {
                continue;
            }
            let file = self
                .keys
                .file(path)?
                .ok_or_else(|| TransportError::KeyFile {
                    path: path.clone(),
                    reason: "there is no such file".to_string(),
                })?;
            files.push(file);
        }
        if files.is_empty() {
            // Nobody named these: one that can't be read is none of ours.
            files.extend(
                self.options
                    .default_identities
                    .iter()
                    .filter_map(|path| self.keys.file(path).ok().flatten()),
            );
        }
        Ok(files)
    }

    async fn agent(&mut self, deadline: &Deadline) -> Result<Agent, TransportError> {
        let mut agent = Agent {
            client: None,
            identities: Vec::new(),
        };
        let Some(socket) = &self.options.agent else {
            return Ok(agent);
        };
        let Ok(mut client) = deadline
            .limit(PHASE, AgentClient::connect_uds(socket))
            .await?
        else {
            let agent_at = format!("the agent at {}", socket.display());
            self.passed_over(agent_at, "no answer".to_string());
            return Ok(agent);
        };
        if let Some(binding) = self.handle.agent_session_binding() {
            // Agents that know nothing of this say so, and it does not matter.
            let _ = deadline
                .limit(PHASE, client.bind_session(binding, false))
                .await?;
        }
        match deadline.limit(PHASE, client.request_identities()).await? {
            Ok(identities) => agent.identities = identities,
            Err(error) => self.passed_over("the agent".to_string(), error.to_string()),
        }
        agent.client = Some(client);
        Ok(agent)
    }

    async fn with_agent(
        &mut self,
        agent: &mut Agent,
        identity: &AgentIdentity,
        deadline: &Deadline,
    ) -> Result<bool, TransportError> {
        let Some(client) = agent.client.as_mut().filter(|_| !self.over) else {
            return Ok(false);
        };
        let user = self.options.user.as_str();
        let (label, result) = match identity {
            AgentIdentity::PublicKey { key, comment } => {
                let hash = signature_hash(&key.algorithm());
                let attempt =
                    self.handle
                        .authenticate_publickey_with(user, key.clone(), hash, client);
                (
                    format!("the agent's key {comment}"),
                    deadline.limit(PHASE, attempt).await?,
                )
            }
            AgentIdentity::Certificate {
                certificate,
                comment,
            } => {
                let hash = signature_hash(&certificate.algorithm());
                let attempt = self.handle.authenticate_certificate_with(
                    user,
                    certificate.clone(),
                    hash,
                    client,
                );
                (
                    format!("the agent's certificate {comment}"),
                    deadline.limit(PHASE, attempt).await?,
                )
            }
        };
        match result {
            Ok(result) => self.note(label, &result),
            Err(error) => {
                self.passed_over(label, error.to_string());
                Ok(false)
            }
        }
    }

    async fn with_file(
        &mut self,
        file: &KeyFile,
        deadline: &mut Deadline,
    ) -> Result<bool, TransportError> {
        if self.over || file.public_only {
            return Ok(false);
        }
        let asked = Instant::now();
        let private = self.keys.private(file).await?;
        deadline.extend(asked.elapsed());
        if let Some(certificate) = &file.certificate
            && self
                .with_certificate(&private, certificate, &file.path, deadline)
                .await?
        {
            return Ok(true);
        }
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&private), Some(HashAlg::Sha512));
        let result = deadline
            .limit(
                PHASE,
                self.handle
                    .authenticate_publickey(self.options.user.as_str(), key),
            )
            .await?;
        let label = file.path.display().to_string();
        match result {
            Ok(result) => self.note(label, &result),
            Err(error) => Err(self.lost(&error)),
        }
    }

    async fn with_certificate(
        &mut self,
        private: &Arc<PrivateKey>,
        certificate: &Certificate,
        path: &Path,
        deadline: &Deadline,
    ) -> Result<bool, TransportError> {
        let mut signer = KeySigner(Arc::clone(private));
        let hash = signature_hash(&certificate.algorithm());
        let attempt = self.handle.authenticate_certificate_with(
            self.options.user.as_str(),
            certificate.clone(),
            hash,
            &mut signer,
        );
        let label = format!("{}-cert.pub", path.display());
        match deadline.limit(PHASE, attempt).await? {
            Ok(result) => self.note(label, &result),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn note(&mut self, label: String, result: &AuthResult) -> Result<bool, TransportError> {
        let AuthResult::Failure {
            remaining_methods,
            partial_success,
        } = result
        else {
            self.offered(label, Answer::Accepted);
            self.story.note(Milestone::LoggedIn);
            return Ok(true);
        };
        if *partial_success {
            self.tried
                .push(format!("{label} (accepted, but the server wants more)"));
            self.offered(label, Answer::WantsMore);
        } else {
            self.tried.push(label.clone());
            self.offered(label, Answer::Refused);
        }
        if self.handle.is_closed() || remaining_methods.is_empty() {
            self.no_more("then the server closed the connection".to_string());
        } else if !remaining_methods.contains(&MethodKind::PublicKey) {
            let names: Vec<&str> = remaining_methods.iter().map(Into::into).collect();
            self.no_more(format!("the server accepts only {}", names.join(", ")));
        }
        Ok(false)
    }

    /// Notes what came of a key.
    fn offered(&self, key: String, answer: Answer) {
        self.story.note(Milestone::Offered { key, answer });
    }

    /// Notes a key that the server was not asked about.
    fn passed_over(&mut self, key: String, why: String) {
        self.tried.push(format!("{key} ({why})"));
        self.offered(key, Answer::PassedOver(why));
    }

    /// Nothing else is tried.
    fn no_more(&mut self, why: String) {
        self.over = true;
        self.story.note(Milestone::NoMore(why.clone()));
        self.tried.push(why);
    }

    fn refused(self) -> TransportError {
        TransportError::Authentication {
            host: self.options.address.clone(),
            user: self.options.user.clone(),
            tried: self.tried,
        }
    }

    fn lost(&self, error: &dyn Display) -> TransportError {
        TransportError::Lost {
            host: self.options.describe(),
            reason: format!("{error} during {PHASE}"),
        }
    }
}

/// Signs with a key we hold; russh itself signs for certificates of RSA keys with SHA-1 names, which no server takes any more.
struct KeySigner(Arc<PrivateKey>);

impl Signer for KeySigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let signature: Signature = self
            .0
            .try_sign(&to_sign)
            .map_err(|error| SignError(error.to_string()))?;
        let mut blob = wire_string(signature.algorithm().as_str().as_bytes());
        blob.extend(wire_string(signature.as_bytes()));
        to_sign.extend(wire_string(&blob));
        Ok(to_sign)
    }
}

/// Why a key does not sign.
#[derive(Debug, Error)]
#[error("{0}")]
struct SignError(String);

impl From<russh::SendError> for SignError {
    fn from(error: russh::SendError) -> Self {
        Self(error.to_string())
    }
}

/// Bytes with their length before them.
fn wire_string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

/// RSA keys sign with SHA-512; the others have their own hash.
fn signature_hash(algorithm: &Algorithm) -> Option<HashAlg> {
    matches!(algorithm, Algorithm::Rsa { .. }).then_some(HashAlg::Sha512)
}

fn is_of(identity: &AgentIdentity, file: &KeyFile) -> bool {
    let key: &KeyData = match identity {
        AgentIdentity::PublicKey { key, .. } => key.key_data(),
        AgentIdentity::Certificate { certificate, .. } => certificate.public_key(),
    };
    file.public
        .as_ref()
        .is_some_and(|public| public.key_data() == key)
}
