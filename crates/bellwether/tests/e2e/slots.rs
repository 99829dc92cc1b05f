//! Every slot is accounted for: the grid, recomputed from what was answered, has no hole.

use crate::eventually::eventually;
use crate::node::Node;
use bw_domain::limits::EDIT_LEAD;
use bw_domain::time::Instant;
use serde_json::Value;
use std::time::Duration;

/// A slot that a killed process had under way is given up only when no answer to it can come any more, and shards are
/// looked at in turn.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);

/// The instant of an answer, in milliseconds.
#[track_caller]
pub fn ms(time: &Value) -> i64 {
    let read = time.as_str().and_then(Instant::parse);
    read.unwrap_or_else(|| panic!("{time} is no time")).ms()
}

/// Waits until each slot of a monitor has one outcome, from the first that is its own up to now.
pub async fn all_accounted(node: &Node, id: i64) {
    let monitor = node.monitor(id).await;
    // A monitor counts from a moment after its creation on, so that every planner knows it before.
    let from = ms(&monitor["created_at"]) + EDIT_LEAD.as_millis() as i64;
    let until = ms(&node.get("/api/v1/system").await["at"]);
    eventually("every slot has one outcome", SETTLED_WITHIN, async || {
        let mut slots = slots(node, id).await;
        slots.sort_unstable();
        match trouble(&slots, from, until) {
            None => Ok(()),
            Some(trouble) => Err(format!("{trouble}\nof {slots:?} from {from} until {until}")),
        }
    })
    .await;
}

/// The slots that have an outcome; repeats have the slot of their round.
async fn slots(node: &Node, id: i64) -> Vec<i64> {
    let outcomes = node.items(format!("/api/v1/monitors/{id}/outcomes?limit=10000")).await;
    outcomes.iter().filter(|outcome| outcome["try"] == 0).map(|outcome| ms(&outcome["slot"])).collect()
}

/// What is wrong with slots in order; two neighbours give the grid.
fn trouble(slots: &[i64], from: i64, until: i64) -> Option<String> {
    let every = slots.windows(2).map(|pair| pair[1] - pair[0]).min();
    let Some(every) = every.filter(|every| *every > 0) else {
        return Some("there are no neighbours, or a slot has two outcomes".to_owned());
    };
    let first = from + (slots[0] - from).rem_euclid(every);
    let planned = (0..).map(|step| first + step * every).take_while(|slot| *slot < until);
    let holes: Vec<i64> = planned.filter(|slot| slots.binary_search(slot).is_err()).collect();
    let strangers: Vec<i64> = slots.iter().copied().filter(|slot| (slot - first) % every != 0).collect();
    if holes.is_empty() && strangers.is_empty() {
        return None;
    }
    Some(format!("holes {holes:?}, beside the grid {strangers:?}"))
}
