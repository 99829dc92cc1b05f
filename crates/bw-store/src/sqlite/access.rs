//! `Access`: tokens and sessions, as digests.

use super::Sqlite;
use super::error::{Fault, Result};
use bw_domain::access::{Scope, Session, Token};
use bw_domain::id::TokenId;
use bw_domain::port::store::{Access, Answered};
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, params};

impl Access for Sqlite {
    fn tokens(&self) -> Answered<'_, Vec<Token>> {
        self.read(tokens)
    }

    fn add_token(&self, token: Token) -> Answered<'_, TokenId> {
        self.write(1, move |tx| {
            let Token { name, scope, digest, prefix, created_at, revoked_at, .. } = &token;
            let sql = "INSERT INTO tokens (name, scope, digest, prefix, created_at, revoked_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let revoked_at = revoked_at.map(Instant::ms);
            let row = params![name, scope.word(), digest, prefix, created_at.ms(), revoked_at];
            tx.conn.prepare_cached(sql)?.execute(row)?;
            Ok(TokenId(tx.conn.last_insert_rowid()))
        })
    }

    fn revoke_token(&self, id: TokenId, at: Instant) -> Answered<'_, bool> {
        self.write(1, move |tx| {
            let sql = "UPDATE tokens SET revoked_at = ifnull(revoked_at, ?2) WHERE id = ?1";
            Ok(tx.conn.prepare_cached(sql)?.execute(params![id.0, at.ms()])? > 0)
        })
    }

    fn session(&self, digest: [u8; 32]) -> Answered<'_, Option<Session>> {
        self.read(move |conn| {
            let sql = "SELECT csrf, created_at, used_at FROM sessions WHERE digest = ?1";
            let session = conn.prepare_cached(sql)?.query_row([digest], |row| {
                let (created_at, used_at) = (Instant::from_ms(row.get(1)?), Instant::from_ms(row.get(2)?));
                Ok(Session { digest, csrf: row.get(0)?, created_at, used_at })
            });
            Ok(session.optional()?)
        })
    }

    fn put_session(&self, session: Session) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            let Session { digest, csrf, created_at, used_at } = &session;
            let sql = "INSERT INTO sessions (digest, csrf, created_at, used_at) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (digest) DO UPDATE SET used_at = max(used_at, excluded.used_at)";
            tx.conn.prepare_cached(sql)?.execute(params![digest, csrf, created_at.ms(), used_at.ms()])?;
            Ok(())
        })
    }

    fn end_session(&self, digest: [u8; 32]) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            tx.conn.prepare_cached("DELETE FROM sessions WHERE digest = ?1")?.execute([digest])?;
            Ok(())
        })
    }

    fn end_idle_sessions(&self, before: Instant) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            tx.conn.prepare_cached("DELETE FROM sessions WHERE used_at < ?1")?.execute([before.ms()])?;
            Ok(())
        })
    }
}

fn tokens(conn: &Connection) -> Result<Vec<Token>> {
    let sql = "SELECT id, name, scope, digest, prefix, created_at, revoked_at FROM tokens ORDER BY id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let scope: String = row.get(2)?;
        tokens.push(Token {
            id: TokenId(row.get(0)?),
            name: row.get(1)?,
            scope: Scope::parse(&scope).ok_or_else(|| Fault::damaged("scope of a token", scope))?,
            digest: row.get(3)?,
            prefix: row.get(4)?,
            created_at: Instant::from_ms(row.get(5)?),
            revoked_at: row.get::<_, Option<i64>>(6)?.map(Instant::from_ms),
        });
    }
    Ok(tokens)
}
