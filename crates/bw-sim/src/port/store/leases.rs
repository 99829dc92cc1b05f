//! Leases of shards: a fair share for each node that lives, an epoch for each change of the holder.

use crate::world::Link;
use bw_domain::port::store::{Answered, Held, Leases, NodeId};
use bw_domain::time::{Duration, Instant};

impl Leases for Link {
    fn hold(&self, node: NodeId, term: Duration) -> Answered<'_, (Vec<Held>, Instant)> {
        self.write(move |inner, _| {
            let now = inner.store_wall();
            let database = &mut inner.database;
            database.nodes.insert(node, now + term);
            database.nodes.retain(|_, until| *until > now);
            let share = database.shards.len().div_ceil(database.nodes.len());
            let mut held = Vec::new();
            // Its own first, so that shards move no more than they must.
            let mut order: Vec<usize> = (0..database.shards.len()).collect();
            order.sort_by_key(|shard| database.shards[*shard].holder != Some(node));
            for index in order {
                let shard = &mut database.shards[index];
                let mine = shard.holder == Some(node);
                if held.len() >= share {
                    if mine {
                        shard.holder = None;
                    }
                    continue;
                }
                if !mine && shard.holder.is_some() && shard.until > now {
                    continue;
                }
                if !mine {
                    shard.epoch += 1;
                }
                (shard.holder, shard.until) = (Some(node), now + term);
                held.push(Held { shard: index as u16, epoch: shard.epoch, until: shard.until });
            }
            held.sort_by_key(|held| held.shard);
            (held, now)
        })
    }

    fn release(&self, node: NodeId) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            inner.database.nodes.remove(&node);
            for shard in inner.database.shards.iter_mut().filter(|shard| shard.holder == Some(node)) {
                shard.holder = None;
            }
        })
    }
}
