//! Tokens and sessions.

use super::Answered;
use crate::access::{Session, Token};
use crate::id::TokenId;
use crate::time::Instant;

/// Who may do what.
pub trait Access: Send + Sync {
    /// All tokens, revoked ones included.
    fn tokens(&self) -> Answered<'_, Vec<Token>>;

    /// A new one; its `id` is ignored and answered.
    fn add_token(&self, token: Token) -> Answered<'_, TokenId>;

    /// False: not there.
    fn revoke_token(&self, id: TokenId, at: Instant) -> Answered<'_, bool>;

    fn session(&self, digest: [u8; 32]) -> Answered<'_, Option<Session>>;

    /// Adds it or moves its `used_at`.
    fn put_session(&self, session: Session) -> Answered<'_, ()>;

    fn end_session(&self, digest: [u8; 32]) -> Answered<'_, ()>;

    /// Ends sessions that were not used since.
    fn end_idle_sessions(&self, before: Instant) -> Answered<'_, ()>;
}
