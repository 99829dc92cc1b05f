//! `Accounts`: the marks are in the row of the shard, beside the epoch that may move them.

use super::Postgres;
use super::conn::{Script, get, params};
use super::error::{Fault, Result};
use bw_domain::limits::SHARDS;
use bw_domain::port::store::{Accounts, Answered, Gap, Watermark, Watermarks};
use bw_domain::time::Instant;
use std::collections::{BTreeMap, HashSet};

impl Accounts for Postgres {
    fn watermarks(&self, shards: Vec<u16>) -> Answered<'_, Vec<Watermarks>> {
        self.call(async move {
            shards.iter().try_for_each(|shard| exists(*shard))?;
            let sql = "SELECT shard, published, accounted FROM shards ORDER BY shard";
            let rows = self.conn().await?.query(sql, params![]).await?;
            let marks = |shard: u16| {
                let row = rows.get(usize::from(shard));
                let row = row.ok_or_else(|| Fault::damaged("shard", format!("no row {shard}")))?;
                let (published, accounted) = (Instant::from_ms(get(row, 1)?), Instant::from_ms(get(row, 2)?));
                Ok(Watermarks { shard, published, accounted })
            };
            shards.into_iter().map(marks).collect()
        })
    }

    fn advance(&self, moves: Vec<(u16, u64, Watermark, Instant)>) -> Answered<'_, Vec<bool>> {
        self.call(async move {
            moves.iter().try_for_each(|(shard, ..)| exists(*shard))?;
            // One row for each shard and epoch: of several moves of a mark the furthest.
            let mut furthest: BTreeMap<(i16, i64), (i64, i64)> = BTreeMap::new();
            for (shard, epoch, which, to) in &moves {
                let marks = furthest.entry((*shard as i16, *epoch as i64)).or_default();
                match which {
                    Watermark::Published => marks.0 = marks.0.max(to.ms()),
                    Watermark::Accounted => marks.1 = marks.1.max(to.ms()),
                }
            }
            let mut script = Script::default();
            let shards: Vec<i16> = furthest.keys().map(|(shard, _)| *shard).collect();
            script.push(LOCK, params![shards.clone()]);
            let sql = "UPDATE shards s SET published = greatest(s.published, u.published),
                           accounted = greatest(s.accounted, u.accounted)
                       FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[])
                           u(shard, epoch, published, accounted)
                       WHERE s.shard = u.shard AND s.epoch = u.epoch RETURNING s.shard, s.epoch";
            let values = params![
                shards,
                furthest.keys().map(|(_, epoch)| *epoch).collect::<Vec<i64>>(),
                furthest.values().map(|(published, _)| *published).collect::<Vec<i64>>(),
                furthest.values().map(|(_, accounted)| *accounted).collect::<Vec<i64>>(),
            ];
            script.push(sql, values);
            let conn = self.conn().await?;
            let answer = conn.begin_with(&script).await;
            let answers = conn.end(answer).await?;
            let moved = answers.last().into_iter().flatten();
            let moved =
                moved.map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect::<Result<HashSet<(i16, i64)>>>()?;
            Ok(moves
                .iter()
                .map(|(shard, epoch, ..)| moved.contains(&(*shard as i16, *epoch as i64)))
                .collect())
        })
    }

    fn gap(&self, gaps: Vec<(u64, Gap)>) -> Answered<'_, Vec<bool>> {
        self.call(async move {
            gaps.iter().try_for_each(|(_, gap)| exists(gap.shard))?;
            let mut script = Script::default();
            let shards: Vec<i16> = gaps.iter().map(|(_, gap)| gap.shard as i16).collect();
            script.push(LOCK, params![shards]);
            gaps.iter().for_each(|(epoch, gap)| record(&mut script, *epoch, gap));
            let conn = self.conn().await?;
            let answer = conn.begin_with(&script).await;
            let answers = conn.end(answer).await?;
            let moved = |rows: &Vec<tokio_postgres::Row>| {
                rows.first().map_or(Ok(0), |row| get::<i64>(row, 0)).map(|count| count > 0)
            };
            answers[1..].iter().map(moved).collect()
        })
    }
}

/// In one order, so that nobody waits in a circle.
const LOCK: &str = "SELECT shard FROM shards WHERE shard = ANY($1) ORDER BY shard FOR UPDATE";

fn exists(shard: u16) -> Result<()> {
    match shard < SHARDS {
        true => Ok(()),
        false => Err(Fault::Invalid(format!("there is no shard {shard}"))),
    }
}

/// Writes a gap, as the rest of the one before it where they touch: a queue that stays full is one row. Nothing when
/// somebody else has the shard.
fn record(script: &mut Script, epoch: u64, gap: &Gap) {
    let sql = "WITH moved AS (
                   UPDATE shards SET published = greatest(published, $4), accounted = greatest(accounted, $4)
                   WHERE shard = $1 AND epoch = $2 RETURNING shard),
               grown AS (
                   UPDATE gaps SET to_at = $4 WHERE id = (
                       SELECT g.id FROM gaps g JOIN moved m ON m.shard = g.shard
                       WHERE g.to_at = $3 AND g.code = $5 ORDER BY g.id LIMIT 1) RETURNING id),
               begun AS (
                   INSERT INTO gaps (shard, from_at, to_at, code)
                   SELECT m.shard, $3, $4, $5 FROM moved m WHERE NOT EXISTS (SELECT 1 FROM grown) RETURNING id)
               SELECT count(*) FROM moved";
    let code = i16::from(gap.code.number());
    script.push(sql, params![gap.shard as i16, epoch as i64, gap.from.ms(), gap.to.ms(), code]);
}
