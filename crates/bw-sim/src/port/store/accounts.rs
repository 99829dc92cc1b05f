//! Watermarks and gaps. What an old epoch asks for is refused.

use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Inner, Life, Link, Lives};
use bw_domain::port::store::{Accounts, Answered, Gap, Watermark, Watermarks};
use bw_domain::time::Instant;

impl Accounts for Link {
    fn watermarks(&self, shards: Vec<u16>) -> Answered<'_, Vec<Watermarks>> {
        self.read(move |inner| {
            let mark = |shard: u16| {
                let stored = inner.database.shards[usize::from(shard)];
                Watermarks { shard, published: stored.published, accounted: stored.accounted }
            };
            shards.into_iter().map(mark).collect()
        })
    }

    fn advance(&self, moves: Vec<(u16, u64, Watermark, Instant)>) -> Answered<'_, Vec<bool>> {
        self.write(move |inner, life| {
            let advance = |(shard, epoch, which, to)| {
                let ours = is_ours(inner, shard, epoch);
                if ours {
                    put(inner, life, shard, which, to);
                }
                ours
            };
            moves.into_iter().map(advance).collect()
        })
    }

    fn gap(&self, gaps: Vec<(u64, Gap)>) -> Answered<'_, Vec<bool>> {
        self.write(move |inner, life| {
            let record = |(epoch, gap): (u64, Gap)| {
                let ours = is_ours(inner, gap.shard, epoch);
                if ours {
                    if inner.mutant != Some(Mutant::GapNotRecorded) {
                        inner.database.gaps.push(gap);
                    }
                    inner.note(life, Fact::Written { gap });
                    put(inner, life, gap.shard, Watermark::Published, gap.to);
                    put(inner, life, gap.shard, Watermark::Accounted, gap.to);
                }
                ours
            };
            gaps.into_iter().map(record).collect()
        })
    }
}

fn is_ours(inner: &Inner, shard: u16, epoch: u64) -> bool {
    inner.database.shards[usize::from(shard)].epoch == epoch || inner.mutant == Some(Mutant::OldEpochAccepted)
}

fn put(inner: &mut Inner, life: Life, shard: u16, which: Watermark, to: Instant) {
    let stored = &mut inner.database.shards[usize::from(shard)];
    let holder = stored.holder;
    let mark = match which {
        Watermark::Published => &mut stored.published,
        Watermark::Accounted => &mut stored.accounted,
    };
    let from = *mark;
    *mark = from.max(to);
    if to > from {
        inner.note(life, Fact::Moved { shard, which, from, to, node: Lives::id(life), holder });
    }
}
