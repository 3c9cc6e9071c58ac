//! Artifacts: files and addresses that belong to what is remembered.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Hinted;

/// Of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum MemoryType {
    /// A procedure.
    Procedure,
    /// A run of a procedure, or of a workflow.
    Run,
    /// A checkpoint.
    Checkpoint,
    /// How the run of a workflow went.
    Outcome,
}

impl MemoryType {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Procedure => "procedure",
            Self::Run => "run",
            Self::Checkpoint => "checkpoint",
            Self::Outcome => "outcome",
        }
    }
}

/// How a hash is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// What this program makes by itself.
    Blake3,
    /// What most others make.
    Sha256,
}

impl HashKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::Sha256 => "sha256",
        }
    }
}

/// The hash of a file: `blake3:` or `sha256:`, and 64 digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentHash {
    /// How it is made.
    pub kind: HashKind,
    digits: String,
}

/// A text that is no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`content_hash` is `{0}`")]
pub struct HashError(String);

impl Hinted for HashError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some("write `blake3:` or `sha256:` and 64 hexadecimal digits, or leave it out".into())
    }
}

impl ContentHash {
    const DIGITS: usize = 64;

    /// The hash of this kind with these bytes.
    #[must_use]
    pub fn new(kind: HashKind, bytes: &[u8; 32]) -> Self {
        Self { kind, digits: bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`HashError`].
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let refused = || HashError(text.chars().take(80).collect());
        let (kind, digits) = text.trim().split_once(':').ok_or_else(refused)?;
        let kinds = [HashKind::Blake3, HashKind::Sha256];
        let kind = kinds.into_iter().find(|known| known.as_str() == kind).ok_or_else(refused)?;
        if digits.len() != Self::DIGITS || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refused());
        }
        Ok(Self { kind, digits: digits.to_ascii_lowercase() })
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.digits)
    }
}

/// An artifact as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedArtifact {
    pub id: i64,
    /// What kind of thing it belongs to.
    pub memory_type: String,
    pub memory_id: String,
    /// What it is, in the caller's words.
    pub kind: String,
    /// The real path of a file, or a URI.
    pub location: String,
    pub is_file: bool,
    /// Its hash, where that is known.
    pub content_hash: Option<String>,
    /// Its length, where that is known.
    pub size_bytes: Option<u64>,
    /// What the caller noted.
    pub metadata: Option<Map<String, Value>>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_says_how_it_was_made() {
        for kind in [HashKind::Blake3, HashKind::Sha256] {
            let hash = ContentHash::new(kind, &[0xab; 32]);
            assert_eq!(ContentHash::parse(&hash.to_string()), Ok(hash.clone()));
            assert_eq!(ContentHash::parse(&hash.to_string().replace("ab", "AB")), Ok(hash));
        }
        let digits = "a".repeat(64);
        for wrong in [digits.clone(), format!("md5:{digits}"), format!("blake3:{digits}0"), "sha256:xyz".to_owned()] {
            assert!(ContentHash::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
