//! Only the holder of a shard moves its marks, and never back: what a node does after it lost a lease counts nothing.

use crate::journal::Fact;
use crate::past::Past;

pub fn holds(past: &Past) -> Result<(), String> {
    for line in &past.journal {
        let Fact::Moved { shard, which, from, to, node, holder } = &line.fact else { continue };
        if holder.is_some_and(|holder| holder != *node) {
            return Err(format!(
                "at {} ms {node:?} moved {which:?} of shard {shard}, which {holder:?} holds",
                line.at
            ));
        }
        if to < from {
            return Err(format!(
                "at {} ms {which:?} of shard {shard} went back from {from} to {to}",
                line.at
            ));
        }
    }
    Ok(())
}
