//! `Leases`: who holds which shard, in the row that also says how far it is. All rows are locked together, so nodes
//! share one after the other. A lease outlives its process: the shards of one that has died are free when its term ends.

use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use super::{DatabaseClock, Postgres};
use bw_domain::limits::SHARDS;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answered, Held, Leases, NodeId};
use bw_domain::time::{Duration, Instant};
use tokio_postgres::Row;

impl Leases for Postgres {
    fn hold(&self, node: NodeId, term: Duration) -> Answered<'_, (Vec<Held>, Instant)> {
        self.call(async move {
            let conn = self.conn().await?;
            if let Some(measured) = &self.measured {
                measure(&conn, measured).await?;
            }
            let mut script = Script::default();
            script.push(LOCK, params![]);
            let answer = async {
                let shards = conn.begin_with(&script).await?.remove(0);
                // After the lock: whoever had it may have held it long.
                let now = self.clock.now();
                let shards = shards.iter().map(Shard::read).collect::<Result<Vec<_>>>()?;
                Ok((hold(&conn, shards, (node, now, now + term)).await?, now))
            };
            let answer = answer.await;
            conn.end(answer).await
        })
    }

    fn release(&self, node: NodeId) -> Answered<'_, ()> {
        self.call(async move {
            let node = node.0.to_be_bytes().to_vec();
            let mut script = Script::default();
            script.push(LOCK, params![]);
            script.push("DELETE FROM nodes WHERE node = $1", params![node.clone()]);
            script.push("UPDATE shards SET node = NULL, until = 0 WHERE node = $1", params![node]);
            let conn = self.conn().await?;
            let answer = conn.begin_with(&script).await.map(drop);
            conn.end(answer).await
        })
    }
}

const LOCK: &str = "SELECT shard, node, until, epoch FROM shards ORDER BY shard FOR UPDATE";

struct Shard {
    number: i16,
    node: Option<NodeId>,
    until: Instant,
    epoch: i64,
    moved: bool,
}

impl Shard {
    fn read(row: &Row) -> Result<Self> {
        let node: Option<&[u8]> = get(row, 1)?;
        let node =
            node.map(|bytes| bytes.try_into().map_err(|error| Fault::damaged("node of a lease", error)));
        let node = node.transpose()?.map(|bytes| NodeId(u128::from_be_bytes(bytes)));
        let until = Instant::from_ms(get(row, 2)?);
        Ok(Shard { number: get(row, 0)?, node, until, epoch: get(row, 3)?, moved: false })
    }
}

/// Renews what the node holds and takes what is free, up to its share; gives back what is more.
async fn hold(
    conn: &Conn,
    mut shards: Vec<Shard>,
    (node, now, until): (NodeId, Instant, Instant),
) -> Result<Vec<Held>> {
    let id = node.0.to_be_bytes().to_vec();
    let mut script = Script::default();
    script.push("DELETE FROM nodes WHERE until <= $1 AND node <> $2", params![now.ms(), id.clone()]);
    let sql = "INSERT INTO nodes (node, until) VALUES ($1, $2)
               ON CONFLICT (node) DO UPDATE SET until = excluded.until";
    script.push(sql, params![id.clone(), until.ms()]);
    script.push("SELECT count(*) FROM nodes", params![]);
    let answers = conn.script(&script).await?;
    let alive: i64 = answers.last().and_then(|rows| rows.first()).map_or(Ok(1), |row| get(row, 0))?;
    let share = usize::from(SHARDS).div_ceil(usize::try_from(alive).unwrap_or(1).max(1));

    let mut have = 0;
    for shard in shards.iter_mut().filter(|shard| shard.node == Some(node)) {
        let mine = have < share;
        (shard.node, shard.until) = if mine { (Some(node), until) } else { (None, Instant::ZERO) };
        shard.moved = true;
        have += usize::from(mine);
    }
    for shard in &mut shards {
        let free = shard.node.is_none() || shard.until <= now;
        if have < share && free {
            (shard.node, shard.until, shard.moved) = (Some(node), until, true);
            shard.epoch += 1;
            have += 1;
        }
    }
    write(conn, &id, &shards).await?;
    let held = shards.iter().filter(|shard| shard.node == Some(node));
    let held =
        held.map(|shard| Held { shard: shard.number as u16, epoch: shard.epoch as u64, until: shard.until });
    Ok(held.collect())
}

async fn write(conn: &Conn, node: &[u8], shards: &[Shard]) -> Result<()> {
    let moved = || shards.iter().filter(|shard| shard.moved);
    let sql = "UPDATE shards s SET node = CASE WHEN u.mine THEN $1::bytea END, until = u.until, epoch = u.epoch
               FROM unnest($2::smallint[], $3::boolean[], $4::bigint[], $5::bigint[]) u(shard, mine, until, epoch)
               WHERE s.shard = u.shard";
    let values = params![
        node.to_vec(),
        moved().map(|shard| shard.number).collect::<Vec<i16>>(),
        moved().map(|shard| shard.node.is_some()).collect::<Vec<bool>>(),
        moved().map(|shard| shard.until.ms()).collect::<Vec<i64>>(),
        moved().map(|shard| shard.epoch).collect::<Vec<i64>>(),
    ];
    conn.execute(sql, values).await.map(drop)
}

/// Asks how far every shard is accounted for.
pub(super) fn accounted(script: &mut Script) {
    script.push("SELECT shard, accounted FROM shards ORDER BY shard", params![]);
}

/// The answer, by shard.
pub(super) fn read_accounted(rows: &[Row]) -> Result<Vec<Instant>> {
    rows.iter().map(|row| get(row, 1).map(Instant::from_ms)).collect()
}

/// Compares the clocks.
pub(super) async fn measure(conn: &Conn, clock: &DatabaseClock) -> Result<()> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let statement = conn.prepare(sql).await?;
    let sent = clock.monotonic();
    let rows = conn.run(&statement, &[]).await?;
    let row = rows.first().ok_or_else(|| Fault::damaged("clock", "no row"))?;
    clock.measured(sent, clock.monotonic(), Instant::from_ms(get(row, 0)?));
    Ok(())
}
