//! Contents of files: in memory, streamed from the controller, or on the node already.

use std::sync::Arc;

use sha2::Digest;

use crate::change::Content;

/// Texts longer than this are not shown line by line.
pub const DIFF_LIMIT: usize = 64 * 1024;

/// Where a content comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// It is sent.
    Sent(Content),
    /// It is a file of the node, at this absolute path.
    Node(Arc<str>),
}

/// A content with its hash.
#[derive(Debug, Clone)]
pub struct Body {
    /// Where it comes from.
    pub source: Source,
    /// Lower-case hex.
    pub sha256: Arc<str>,
    /// Bytes.
    pub len: u64,
}

impl Body {
    /// Bytes in memory.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Body {
        let bytes = bytes.into();
        Body {
            sha256: sha256(&bytes),
            len: bytes.len() as u64,
            source: Source::Sent(Content::Bytes(bytes)),
        }
    }

    /// What the controller holds or streams.
    pub fn of(content: Content) -> Body {
        match content {
            Content::Bytes(bytes) => Body::new(bytes),
            Content::File {
                ref len,
                ref sha256,
                ..
            } => Body {
                len: *len,
                sha256: sha256.clone(),
                source: Source::Sent(content),
            },
            // A folder is no body; an empty one keeps this total.
            Content::Tar(_) => Body::new(Vec::new()),
        }
    }

    /// The bytes, when they are in memory.
    pub fn bytes(&self) -> Option<&Arc<[u8]>> {
        match &self.source {
            Source::Sent(Content::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Whether a diff can show its lines.
    pub fn is_shown(&self) -> bool {
        self.text().is_some()
    }

    /// The text, when a diff can show it.
    pub fn text(&self) -> Option<Arc<str>> {
        self.bytes().and_then(|bytes| text(bytes))
    }

    /// Ansible's checksum of it, SHA-1, when it is in memory.
    pub fn sha1(&self) -> Option<String> {
        Some(hex(&sha1::Sha1::digest(self.bytes()?)))
    }
}

/// Lower-case hex SHA-256.
pub fn sha256(bytes: &[u8]) -> Arc<str> {
    hex(&sha2::Sha256::digest(bytes)).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes as text that a diff can show: short, UTF-8, no NUL.
pub fn text(bytes: &[u8]) -> Option<Arc<str>> {
    (bytes.len() <= DIFF_LIMIT)
        .then(|| std::str::from_utf8(bytes).ok())
        .flatten()
        .filter(|text| !text.contains('\0'))
        .map(Arc::from)
}
