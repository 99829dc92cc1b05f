//! `Accounts`: the marks are on the desk, in memory, and each move is a row of its shard.

use super::Sqlite;
use super::error::{Fault, Result};
use super::memory::Shard;
use super::tx::Tx;
use bw_domain::port::store::{Accounts, Answered, Gap, StoreError, Watermark, Watermarks};
use bw_domain::time::Instant;
use rusqlite::{OptionalExtension, params};

impl Accounts for Sqlite {
    fn watermarks(&self, shards: Vec<u16>) -> Answered<'_, Vec<Watermarks>> {
        let memory = self.memory();
        let marks = shards.into_iter().map(|shard| match memory.desk.shards.get(usize::from(shard)) {
            Some(Shard { published, accounted, .. }) => {
                Ok(Watermarks { shard, published: *published, accounted: *accounted })
            }
            None => Err(StoreError::Invalid(format!("there is no shard {shard}"))),
        });
        Box::pin(std::future::ready(marks.collect()))
    }

    fn advance(&self, moves: Vec<(u16, u64, Watermark, Instant)>) -> Answered<'_, Vec<bool>> {
        self.write(1, move |tx| {
            let one = |(shard, epoch, which, to): &(u16, u64, Watermark, Instant)| {
                let (published, accounted) = match which {
                    Watermark::Published => (Some(*to), None),
                    Watermark::Accounted => (None, Some(*to)),
                };
                forward(tx, *shard, *epoch, published, accounted)
            };
            moves.iter().map(one).collect()
        })
    }

    fn gap(&self, gaps: Vec<(u64, Gap)>) -> Answered<'_, Vec<bool>> {
        self.write(1, move |tx| gaps.iter().map(|(epoch, gap)| record(tx, *epoch, gap)).collect())
    }
}

/// Moves marks forward; false when somebody else has the shard.
fn forward(
    tx: &mut Tx<'_>,
    number: u16,
    epoch: u64,
    published: Option<Instant>,
    accounted: Option<Instant>,
) -> Result<bool> {
    let shard = tx.staged.desk.shards.get_mut(usize::from(number));
    let shard = shard.ok_or_else(|| Fault::Invalid(format!("there is no shard {number}")))?;
    if shard.epoch != epoch {
        return Ok(false);
    }
    let before = (shard.published, shard.accounted);
    shard.published = shard.published.max(published.unwrap_or_default());
    shard.accounted = shard.accounted.max(accounted.unwrap_or_default());
    if before != (shard.published, shard.accounted) {
        let sql = "INSERT INTO watermarks (shard, published, accounted) VALUES (?1, ?2, ?3)
                   ON CONFLICT (shard) DO UPDATE SET published = excluded.published, accounted = excluded.accounted";
        let marks = params![number, shard.published.ms(), shard.accounted.ms()];
        tx.conn.prepare_cached(sql)?.execute(marks)?;
    }
    Ok(true)
}

/// Writes a gap, as the rest of the one before it where they touch: a queue that stays full is one row.
fn record(tx: &mut Tx<'_>, epoch: u64, gap: &Gap) -> Result<bool> {
    if !forward(tx, gap.shard, epoch, Some(gap.to), Some(gap.to))? {
        return Ok(false);
    }
    let (from, to, code) = (gap.from.ms(), gap.to.ms(), gap.code.number());
    let sql = "SELECT id FROM gaps WHERE shard = ?1 AND to_at = ?2 AND code = ?3";
    let params = params![gap.shard, from, code];
    let touching: Option<i64> =
        tx.conn.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?;
    match touching {
        Some(id) => {
            tx.conn.prepare_cached("UPDATE gaps SET to_at = ?2 WHERE id = ?1")?.execute(params![id, to])?
        }
        None => {
            let sql = "INSERT INTO gaps (shard, from_at, to_at, code) VALUES (?1, ?2, ?3, ?4)";
            tx.conn.prepare_cached(sql)?.execute(params![gap.shard, from, to, code])?
        }
    };
    Ok(true)
}
