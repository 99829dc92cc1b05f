//! Who hears, and how far; and when nobody could.
//!
//! Must hold: a time in which nobody heard is there before anybody can see that it has passed. Whether a node that is
//! silent has died is known only when its lease ends. One that began meanwhile, in its place, may have come late: so the
//! time between the two is looked for whenever it is asked how far all are, and what is found twice is one.

use super::Postgres;
use super::conn::{Conn, Script, get, params};
use super::error::Result;
use super::lock::{Lock, TAKE};
use bw_domain::beat::Deaf;
use bw_domain::limits::{DEAF_KEPT, DEAF_MIN, HEARING_LEASE};
use bw_domain::port::store::{Hearing, NodeId};
use bw_domain::time::Instant;
use tokio_postgres::Row;

const ALL: &str = "SELECT node, begun, until, lease_until FROM hearing";

/// A node that hears or has heard.
#[derive(Clone, Debug)]
struct Node {
    id: Vec<u8>,
    begun: Instant,
    until: Instant,
    lease_until: Instant,
}

impl Node {
    fn read(row: &Row) -> Result<Self> {
        let instant = |index| get(row, index).map(Instant::from_ms);
        Ok(Node { id: get(row, 0)?, begun: instant(1)?, until: instant(2)?, lease_until: instant(3)? })
    }
}

/// The time between the last of those who hear no more and the first of those who do.
fn unheard(nodes: &[Node], clock: Instant) -> Option<Deaf> {
    let hears = |node: &&Node| node.lease_until > clock;
    let from = nodes.iter().filter(|node| !hears(node)).map(|node| node.until).max()?;
    let to = nodes.iter().filter(hears).map(|node| node.begun).min()?;
    (to.since(from) >= DEAF_MIN).then_some(Deaf { from, to })
}

/// A node begins; those that are long dead are forgotten, but for the one that was furthest.
pub(super) async fn begin(store: &Postgres, node: NodeId, now: Instant) -> Result<Option<Deaf>> {
    let conn = store.conn().await?;
    let mut script = Script::default();
    script.push(TAKE, Lock::Hearing.params());
    script.push(ALL, params![]);
    let (clock, own) = (store.clock.now(), bytes(node));
    let answer = async {
        let rows = conn.begin_with(&script).await?.pop().unwrap_or_default();
        let mut nodes = rows.iter().map(Node::read).collect::<Result<Vec<Node>>>()?;
        // What it was before it begins, it is no more.
        nodes.iter_mut().filter(|node| node.id == own).for_each(|node| node.lease_until = Instant::ZERO);
        let alone = nodes.iter().all(|node| node.lease_until <= clock);
        let furthest = nodes.iter().map(|node| node.until).max();
        let lease_until = clock + HEARING_LEASE;
        nodes.push(Node { id: own.clone(), begun: now, until: now, lease_until });
        let deaf = unheard(&nodes, clock);
        let mut script = Script::default();
        record(&mut script, deaf);
        let sql = "INSERT INTO hearing (node, begun, until, lease_until) VALUES ($1, $2, $2, $3)
                   ON CONFLICT (node) DO UPDATE SET begun = excluded.begun, until = excluded.until,
                       lease_until = excluded.lease_until";
        script.push(sql, params![own.clone(), now.ms(), lease_until.ms()]);
        let forget = "DELETE FROM hearing WHERE lease_until <= $1 AND node <> $2 AND until < $3";
        let furthest = furthest.map_or(now, |furthest| furthest.max(now));
        script.push(forget, params![clock.ms(), own, furthest.ms()]);
        conn.script(&script).await?;
        Ok(deaf.filter(|_| alone))
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
    let sql = "INSERT INTO hearing (node, begun, until, lease_until) VALUES ($1, $2, $2, $3)
               ON CONFLICT (node) DO UPDATE SET until = greatest(hearing.until, excluded.until),
                   lease_until = excluded.lease_until";
    script.push(sql, params![bytes(hearing.node), hearing.until.ms(), lease.ms()]);
    let answer = conn.begin_with(&script).await.map(drop);
    conn.end(answer).await
}

/// A node ends. How far it was stays known.
pub(super) async fn end(conn: &Conn, node: NodeId) -> Result<()> {
    conn.execute("UPDATE hearing SET lease_until = 0 WHERE node = $1", params![bytes(node)]).await.map(drop)
}

/// How far the last of those is who are waited for.
pub(super) async fn heard_until(conn: &Conn, clock: Instant) -> Result<Option<Instant>> {
    let rows = conn.query(ALL, params![]).await?;
    let nodes = rows.iter().map(Node::read).collect::<Result<Vec<Node>>>()?;
    let deaf = unheard(&nodes, clock);
    if deaf.is_some() {
        let mut script = Script::default();
        record(&mut script, deaf);
        conn.script(&script).await?;
    }
    Ok(nodes.iter().filter(|node| node.lease_until > clock).map(|node| node.until).min())
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
