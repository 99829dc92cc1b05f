//! Who hears, and how far; and when nobody could.
//!
//! Must hold: a time in which somebody was deaf is there before anybody can see that he hears again.

use super::Postgres;
use super::conn::{Conn, Script, get, params};
use super::error::Result;
use super::lock::Lock;
use bw_domain::beat::Deaf;
use bw_domain::limits::{DEAF_KEPT, DEAF_MIN, HEARING_LEASE};
use bw_domain::port::store::{Hearing, NodeId};
use bw_domain::time::Instant;
use tokio_postgres::Row;

const SAY: &str = "INSERT INTO hearing (node, until, lease_until) VALUES ($1, $2, $3)
    ON CONFLICT (node) DO UPDATE SET until = greatest(hearing.until, excluded.until), lease_until = excluded.lease_until";

/// A node begins; those that are long dead are forgotten, but for the one that was furthest.
pub(super) async fn begin(store: &Postgres, node: NodeId, now: Instant) -> Result<Option<Deaf>> {
    let conn = store.conn().await?;
    let mut script = Script::default();
    script.push(super::lock::TAKE, Lock::Hearing.params());
    let all = "SELECT coalesce(bool_or(lease_until > $1 AND node <> $2), false), max(until) FROM hearing";
    let (clock, own) = (store.clock.now(), bytes(node));
    script.push(all, params![clock.ms(), own.clone()]);
    let answer = async {
        let rows = conn.begin_with(&script).await?.pop().unwrap_or_default();
        let (heard, furthest) = match rows.first() {
            Some(row) => (get(row, 0)?, get::<Option<i64>>(row, 1)?.map(Instant::from_ms)),
            None => (false, None),
        };
        let deaf = furthest.filter(|_| !heard).map(|from| Deaf { from, to: now });
        let deaf = deaf.filter(|deaf| deaf.to.since(deaf.from) >= DEAF_MIN);
        let mut script = Script::default();
        record(&mut script, deaf);
        script.push(SAY, params![own.clone(), now.ms(), (clock + HEARING_LEASE).ms()]);
        let forget = "DELETE FROM hearing WHERE lease_until <= $1 AND node <> $2 AND until < $3";
        let furthest = furthest.unwrap_or(now).max(now);
        script.push(forget, params![clock.ms(), own, furthest.ms()]);
        conn.script(&script).await?;
        Ok(deaf)
    };
    let answer = answer.await;
    conn.end(answer).await
}

/// A node says how far it is. Unless it was deaf nothing is lost when the server forgets it: then it is less far.
pub(super) async fn hear(store: &Postgres, hearing: Hearing) -> Result<()> {
    let conn = store.conn().await?;
    let lease = store.clock.now() + HEARING_LEASE;
    let mut script = Script::default();
    if hearing.deaf.is_none() {
        script.push("SELECT set_config('synchronous_commit', 'off', true)", params![]);
    }
    record(&mut script, hearing.deaf);
    script.push(SAY, params![bytes(hearing.node), hearing.until.ms(), lease.ms()]);
    let answer = conn.begin_with(&script).await.map(drop);
    conn.end(answer).await
}

/// A node ends. How far it was stays known.
pub(super) async fn end(conn: &Conn, node: NodeId) -> Result<()> {
    conn.execute("UPDATE hearing SET lease_until = 0 WHERE node = $1", params![bytes(node)]).await.map(drop)
}

/// How far the last of those is who are waited for.
pub(super) async fn heard_until(conn: &Conn, now: Instant) -> Result<Option<Instant>> {
    let sql = "SELECT min(until) FROM hearing WHERE lease_until > $1";
    let row = conn.first(sql, params![now.ms()]).await?;
    let until = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?;
    Ok(until.flatten().map(Instant::from_ms))
}

/// The last times of deafness, in order.
pub(super) async fn deaf(conn: &Conn) -> Result<Vec<Deaf>> {
    let sql = "SELECT from_at, to_at FROM deaf ORDER BY from_at DESC, to_at DESC LIMIT $1";
    let rows = conn.query(sql, params![DEAF_KEPT as i64]).await?;
    let deaf =
        |row: &Row| Ok(Deaf { from: Instant::from_ms(get(row, 0)?), to: Instant::from_ms(get(row, 1)?) });
    rows.iter().rev().map(deaf).collect()
}

/// Forgets what [`deaf`] does not answer.
pub(super) async fn retain(conn: &Conn) -> Result<()> {
    let sql = "DELETE FROM deaf WHERE (from_at, to_at) IN
                   (SELECT from_at, to_at FROM deaf ORDER BY from_at DESC, to_at DESC OFFSET $1)";
    conn.execute(sql, params![DEAF_KEPT as i64]).await.map(drop)
}

/// Said twice it is one.
fn record(script: &mut Script, deaf: Option<Deaf>) {
    if let Some(deaf) = deaf.filter(|deaf| deaf.from < deaf.to) {
        let sql = "INSERT INTO deaf (from_at, to_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        script.push(sql, params![deaf.from.ms(), deaf.to.ms()]);
    }
}

fn bytes(node: NodeId) -> Vec<u8> {
    node.0.to_be_bytes().to_vec()
}
