//! Proving to the server who we are.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKeyWithHashAlg};
use russh::{MethodKind, Signer};
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::dial::Deadline;
use super::guard::{Guard, Story};
use super::keys::{KeyFile, KeyRing, read_certificate, with_suffix};
use super::options::SshOptions;
use super::signers::{HeldKey, KeySigner};
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
        certificates: Vec::new(),
        tried: Vec::new(),
        over: false,
    };
    let files = login.key_files()?;
    login.certificates = login.certificates();
    let mut agent = login.agent(deadline).await?;
    let (named, others): (Vec<_>, Vec<_>) = agent
        .identities
        .drain(..)
        .partition(|identity| files.iter().any(|file| is_of(identity, file)));
    let held = |file: &KeyFile| named.iter().any(|identity| is_of(identity, file));

    for identity in &named {
        if login
            .with_agent(&mut agent, identity, &files, deadline)
            .await?
        {
            return Ok(());
        }
    }
    for file in files.iter().filter(|file| !file.encrypted && !held(file)) {
        if login.with_file(file, deadline).await? {
            return Ok(());
        }
    }
    for identity in others.iter().filter(|_| !options.identities_only) {
        if login
            .with_agent(&mut agent, identity, &files, deadline)
            .await?
        {
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
    certificates: Vec<(PathBuf, Certificate)>,
    tried: Vec<String>,
    /// The server takes no more attempts.
    over: bool,
}

struct Agent {
    client: Option<AgentClient<UnixStream>>,
    identities: Vec<AgentIdentity>,
}

impl Login<'_> {
    fn key_files(&mut self) -> Result<Vec<Arc<KeyFile>>, TransportError> {
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
        for path in &self.options.configured_identities {
            if files.iter().any(|file| file.path == *path) {
                continue;
            }
            let why = match self.keys.file(path) {
                Ok(Some(file)) => {
                    files.push(file);
                    continue;
                }
                Ok(None) => "there is no such file".to_string(),
                Err(error) => error.to_string(),
            };
            self.passed_over(path.display().to_string(), why);
        }
        if self.options.identity_files.is_empty() && self.options.configured_identities.is_empty() {
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

    /// Certificates that are named on their own.
    fn certificates(&mut self) -> Vec<(PathBuf, Certificate)> {
        let mut found = Vec::new();
        for path in &self.options.certificates {
            let why = match read_certificate(path) {
                Ok(Some(certificate)) => {
                    found.push((path.clone(), certificate));
                    continue;
                }
                Ok(None) => "there is no such file".to_string(),
                Err(error) => error.to_string(),
            };
            self.passed_over(path.display().to_string(), why);
        }
        found
    }

    /// The certificates of a key: those that are named, and the one beside its file.
    fn certificates_of<'a>(
        &'a self,
        key: &KeyData,
        files: &'a [Arc<KeyFile>],
    ) -> Vec<(PathBuf, Certificate)> {
        let named = self.certificates.iter().cloned();
        let beside = files.iter().filter_map(|file| {
            let certificate = file.certificate.clone()?;
            Some((with_suffix(&file.path, "-cert.pub"), certificate))
        });
        named
            .chain(beside)
            .filter(|(_, certificate)| certificate.public_key() == key)
            .collect()
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
        files: &[Arc<KeyFile>],
        deadline: &Deadline,
    ) -> Result<bool, TransportError> {
        let Some(client) = agent.client.as_mut() else {
            return Ok(false);
        };
        match identity {
            AgentIdentity::PublicKey { key, comment } => {
                for (path, certificate) in self.certificates_of(key.key_data(), files) {
                    let mut signer = HeldKey {
                        client,
                        key: key.clone(),
                    };
                    let label = format!("{} with the agent's key {comment}", path.display());
                    if self
                        .with_certificate(&mut signer, certificate, label, deadline)
                        .await?
                    {
                        return Ok(true);
                    }
                }
                let label = format!("the agent's key {comment}");
                if self.over {
                    return Ok(false);
                }
                let hash = signature_hash(&key.algorithm());
                let user = self.options.user.as_str();
                let attempt =
                    self.handle
                        .authenticate_publickey_with(user, key.clone(), hash, client);
                match deadline.limit(PHASE, attempt).await? {
                    Ok(result) => self.note(label, &result),
                    Err(error) => {
                        self.passed_over(label, error.to_string());
                        Ok(false)
                    }
                }
            }
            AgentIdentity::Certificate {
                certificate,
                comment,
            } => {
                let label = format!("the agent's certificate {comment}");
                self.with_certificate(client, certificate.clone(), label, deadline)
                    .await
            }
        }
    }

    async fn with_file(
        &mut self,
        file: &Arc<KeyFile>,
        deadline: &mut Deadline,
    ) -> Result<bool, TransportError> {
        if self.over {
            return Ok(false);
        }
        if file.public_only {
            let why = "only its public half is here, and no agent has the other";
            self.passed_over(file.path.display().to_string(), why.to_string());
            return Ok(false);
        }
        let asked = Instant::now();
        let private = self.keys.private(file).await?;
        deadline.extend(asked.elapsed());
        let public = private.public_key().key_data();
        for (path, certificate) in self.certificates_of(public, std::slice::from_ref(file)) {
            let mut signer = KeySigner(Arc::clone(&private));
            let label = path.display().to_string();
            if self
                .with_certificate(&mut signer, certificate, label, deadline)
                .await?
            {
                return Ok(true);
            }
        }
        if self.over {
            return Ok(false);
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

    async fn with_certificate<S: Signer>(
        &mut self,
        signer: &mut S,
        certificate: Certificate,
        label: String,
        deadline: &Deadline,
    ) -> Result<bool, TransportError>
    where
        S::Error: Display,
    {
        if self.over {
            return Ok(false);
        }
        let hash = signature_hash(&certificate.algorithm());
        let attempt = self.handle.authenticate_certificate_with(
            self.options.user.as_str(),
            certificate,
            hash,
            signer,
        );
        match deadline.limit(PHASE, attempt).await? {
            Ok(result) => self.note(label, &result),
            Err(error) => {
                self.passed_over(label, error.to_string());
                Ok(false)
            }
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
