//! Tokens and sessions.

use crate::world::Link;
use bw_domain::access::{Session, Token};
use bw_domain::id::TokenId;
use bw_domain::port::store::{Access, Answered};
use bw_domain::time::Instant;

impl Access for Link {
    fn tokens(&self) -> Answered<'_, Vec<Token>> {
        self.read(|inner| inner.database.tokens.clone())
    }

    fn add_token(&self, token: Token) -> Answered<'_, TokenId> {
        self.write(move |inner, _| {
            let id = TokenId(inner.database.tokens.len() as i64 + 1);
            inner.database.tokens.push(Token { id, ..token });
            id
        })
    }

    fn revoke_token(&self, id: TokenId, at: Instant) -> Answered<'_, bool> {
        self.write(move |inner, _| {
            let found = inner.database.tokens.iter_mut().find(|token| token.id == id);
            found.map(|token| token.revoked_at = Some(at)).is_some()
        })
    }

    fn session(&self, digest: [u8; 32]) -> Answered<'_, Option<Session>> {
        self.read(move |inner| inner.database.sessions.get(&digest).cloned())
    }

    fn put_session(&self, session: Session) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            inner.database.sessions.insert(session.digest, session);
        })
    }

    fn end_session(&self, digest: [u8; 32]) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            inner.database.sessions.remove(&digest);
        })
    }

    fn end_idle_sessions(&self, before: Instant) -> Answered<'_, ()> {
        self.write(move |inner, _| inner.database.sessions.retain(|_, session| session.used_at >= before))
    }
}
