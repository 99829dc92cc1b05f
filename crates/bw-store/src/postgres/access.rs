//! `Access`: tokens and sessions, as digests.

use super::Postgres;
use super::conn::{get, params, storable};
use super::error::{Fault, Result};
use bw_domain::access::{Scope, Session, Token};
use bw_domain::id::TokenId;
use bw_domain::port::store::{Access, Answered};
use bw_domain::time::Instant;
use tokio_postgres::Row;

impl Access for Postgres {
    fn tokens(&self) -> Answered<'_, Vec<Token>> {
        self.call(async move {
            let sql =
                "SELECT id, name, scope, digest, prefix, created_at, revoked_at FROM tokens ORDER BY id";
            self.conn().await?.query(sql, params![]).await?.iter().map(token).collect()
        })
    }

    fn add_token(&self, token: Token) -> Answered<'_, TokenId> {
        self.call(async move {
            let Token { name, scope, digest, prefix, created_at, revoked_at, .. } = &token;
            let sql = "INSERT INTO tokens (name, scope, digest, prefix, created_at, revoked_at)
                       VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
            let row = params![
                storable(name),
                scope.word(),
                digest.to_vec(),
                prefix.clone(),
                created_at.ms(),
                revoked_at.map(Instant::ms)
            ];
            let row = self.conn().await?.first(sql, row).await?;
            let row = row.ok_or_else(|| Fault::damaged("token", "it has no id"))?;
            Ok(TokenId(get(&row, 0)?))
        })
    }

    fn revoke_token(&self, id: TokenId, at: Instant) -> Answered<'_, bool> {
        self.call(async move {
            let sql = "UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1";
            Ok(self.conn().await?.execute(sql, params![id.0, at.ms()]).await? > 0)
        })
    }

    fn session(&self, digest: [u8; 32]) -> Answered<'_, Option<Session>> {
        self.call(async move {
            let sql = "SELECT csrf, created_at, used_at FROM sessions WHERE digest = $1";
            let row = self.conn().await?.first(sql, params![digest.to_vec()]).await?;
            let session = |row| {
                let (created_at, used_at) = (Instant::from_ms(get(row, 1)?), Instant::from_ms(get(row, 2)?));
                Ok(Session { digest, csrf: bytes(get(row, 0)?)?, created_at, used_at })
            };
            row.as_ref().map(session).transpose()
        })
    }

    fn put_session(&self, session: Session) -> Answered<'_, ()> {
        self.call(async move {
            let Session { digest, csrf, created_at, used_at } = &session;
            let sql = "INSERT INTO sessions (digest, csrf, created_at, used_at) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (digest)
                       DO UPDATE SET used_at = greatest(sessions.used_at, excluded.used_at)";
            let row = params![digest.to_vec(), csrf.to_vec(), created_at.ms(), used_at.ms()];
            self.conn().await?.execute(sql, row).await.map(drop)
        })
    }

    fn end_session(&self, digest: [u8; 32]) -> Answered<'_, ()> {
        self.call(async move {
            let sql = "DELETE FROM sessions WHERE digest = $1";
            self.conn().await?.execute(sql, params![digest.to_vec()]).await.map(drop)
        })
    }

    fn end_idle_sessions(&self, before: Instant) -> Answered<'_, ()> {
        self.call(async move {
            let sql = "DELETE FROM sessions WHERE used_at < $1";
            self.conn().await?.execute(sql, params![before.ms()]).await.map(drop)
        })
    }
}

fn token(row: &Row) -> Result<Token> {
    let scope: &str = get(row, 2)?;
    Ok(Token {
        id: TokenId(get(row, 0)?),
        name: get(row, 1)?,
        scope: Scope::parse(scope).ok_or_else(|| Fault::damaged("scope of a token", scope))?,
        digest: bytes(get(row, 3)?)?,
        prefix: get(row, 4)?,
        created_at: Instant::from_ms(get(row, 5)?),
        revoked_at: get::<Option<i64>>(row, 6)?.map(Instant::from_ms),
    })
}

fn bytes<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|error| Fault::damaged("digest", error))
}
