//! `Leases`: who holds which shard is on the desk. A lease ends with this process at the latest, so only its epoch is
//! a row: it must never go back.

use super::Sqlite;
use super::error::Result;
use super::tx::Tx;
use bw_domain::limits::SHARDS;
use bw_domain::port::store::{Answered, Held, Leases, NodeId};
use bw_domain::time::{Duration, Instant};
use rusqlite::params;

impl Leases for Sqlite {
    fn hold(&self, node: NodeId, term: Duration) -> Answered<'_, (Vec<Held>, Instant)> {
        self.write(1, move |tx| {
            let now = tx.now;
            let nodes = &mut tx.staged.desk.nodes;
            nodes.retain(|_, until| *until > now);
            nodes.insert(node, now + term);
            let share = usize::from(SHARDS).div_ceil(nodes.len());
            give_back(tx, node, share);
            take(tx, node, share, now + term)?;
            Ok((held(tx, node), now))
        })
    }

    fn release(&self, node: NodeId) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            tx.staged.desk.nodes.remove(&node);
            give_back(tx, node, 0);
            Ok(())
        })
    }
}

/// Lets go of what is more than the node's share.
fn give_back(tx: &mut Tx<'_>, node: NodeId, share: usize) {
    let mine = tx.staged.desk.shards.iter_mut().filter(|shard| shard.holder == Some(node));
    for shard in mine.skip(share) {
        shard.holder = None;
        shard.until = Instant::ZERO;
    }
}

/// Renews what the node has and takes what is free, up to its share.
fn take(tx: &mut Tx<'_>, node: NodeId, share: usize, until: Instant) -> Result<()> {
    let now = tx.now;
    let shards = &mut tx.staged.desk.shards;
    let mut have = 0;
    for shard in shards.iter_mut().filter(|shard| shard.holder == Some(node)) {
        shard.until = until;
        have += 1;
    }
    let free = |shard: &super::memory::Shard| shard.holder.is_none() || shard.until <= now;
    for (number, shard) in (0i64..).zip(shards.iter_mut()) {
        if have < share && free(shard) {
            shard.holder = Some(node);
            shard.until = until;
            shard.epoch += 1;
            have += 1;
            let sql = "INSERT INTO leases (shard, node, epoch) VALUES (?1, ?2, ?3)
                       ON CONFLICT (shard) DO UPDATE SET node = excluded.node, epoch = excluded.epoch";
            let row = params![number, node.0.to_be_bytes(), shard.epoch as i64];
            tx.conn.prepare_cached(sql)?.execute(row)?;
        }
    }
    Ok(())
}

fn held(tx: &Tx<'_>, node: NodeId) -> Vec<Held> {
    let shards = (0..).zip(&tx.staged.desk.shards);
    shards
        .filter(|(_, shard)| shard.holder == Some(node))
        .map(|(number, shard)| Held { shard: number, epoch: shard.epoch, until: shard.until })
        .collect()
}
