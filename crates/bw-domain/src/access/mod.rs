//! Who may do what: tokens for programs, sessions for people. Only digests are kept.

use crate::id::TokenId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Write,
}

impl Scope {
    /// `read` or `write`.
    pub const fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
        }
    }

    /// The inverse of [`Scope::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Scope::Read, Scope::Write].into_iter().find(|scope| scope.word() == word)
    }
}

/// A token as it is kept: its text is shown once, at creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub scope: Scope,
    /// BLAKE3 of the text.
    pub digest: [u8; 32],
    /// The first characters, for people to tell tokens apart.
    pub prefix: String,
    pub created_at: Instant,
    pub revoked_at: Option<Instant>,
}

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// BLAKE3 of the cookie.
    pub digest: [u8; 32],
    /// What forms carry against requests forged from other sites.
    pub csrf: [u8; 16],
    pub created_at: Instant,
    pub used_at: Instant,
}

/// The digest under which a token or cookie is kept. The text is random and long: a slow hash would add nothing.
pub fn digest(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}
