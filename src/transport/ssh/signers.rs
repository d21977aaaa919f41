//! Who signs for a certificate: a key in our hands, or one that an agent holds.

use std::sync::Arc;

use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_key::Signature;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use thiserror::Error;
use tokio::net::UnixStream;

/// Signs with a key we hold; russh itself signs for certificates of RSA keys with SHA-1 names, which no server takes any more.
pub(crate) struct KeySigner(pub(crate) Arc<PrivateKey>);

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

/// Signs for a certificate with a key that an agent holds without it.
pub(crate) struct HeldKey<'a> {
    pub(crate) client: &'a mut AgentClient<UnixStream>,
    pub(crate) key: PublicKey,
}

impl Signer for HeldKey<'_> {
    type Error = <AgentClient<UnixStream> as Signer>::Error;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let key = AgentIdentity::PublicKey {
            key: self.key.clone(),
            comment: String::new(),
        };
        self.client.auth_sign(&key, hash, to_sign).await
    }
}

/// Why a key does not sign.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct SignError(String);

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
