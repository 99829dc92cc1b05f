//! What a child does while its parent watches: it judges outcomes and says which were acknowledged.

use crate::directory::Directory;
use bw_domain::job::{Job, OutcomeKey};
use bw_domain::monitor::Spec;
use bw_domain::outcome::Code;
use bw_domain::port::store::Answer;
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::{compiled, fail, job, pass};
use bw_testkit::contract::store::{Installation, Rig};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Monitors that the child has.
const MONITORS: usize = 4;

/// Judges outcomes of all monitors at the same time, for as long as it lives. Every third is a failure, so that
/// incidents open and close all the time.
pub async fn judge_all(directory: PathBuf) {
    let directory = Directory::at(directory);
    let rig = Rig::start(&directory).await;
    let specs = monitors(&rig).await;
    let [a, b, c, d] = &specs[..] else { panic!("there are {MONITORS} monitors") };
    let all = u32::MAX;
    tokio::join!(tell(&rig, a, all), tell(&rig, b, all), tell(&rig, c, all), tell(&rig, d, all));
}

/// Judges so many outcomes of one monitor, one after the other.
pub async fn judge_one(directory: PathBuf, outcomes: u32) {
    let directory = Directory::at(directory);
    let rig = Rig::start(&directory).await;
    let specs = monitors(&rig).await;
    tell(&rig, &specs[0], outcomes).await;
    directory.stop(rig.store).await;
}

/// The monitors, made at the first start.
pub async fn monitors(rig: &Rig<'_>) -> Vec<Spec> {
    let changes = rig.store.catalog.changes(0).await.expect("the store is there");
    let mut specs: Vec<Spec> = changes.revisions.iter().map(compiled).collect();
    while specs.len() < MONITORS {
        let name = format!("Monitor {}", specs.len());
        let document = json!({"name": name, "http": "http://shop.test/", "every": "1s",
                              "confirm": {"failures": 1, "recoveries": 1}});
        specs.push(rig.create(&document).await);
    }
    specs
}

async fn tell(rig: &Rig<'_>, spec: &Spec, outcomes: u32) {
    let seen = rig.load(spec.id).await.observed;
    let mut slot = seen.cells.first().map_or(spec.effective_from, |cell| cell.slot);
    for n in 0..outcomes {
        slot = slot + Duration::from_secs(1);
        let job = Job { slot, start: slot, ..job(spec, slot) };
        let outcome = if n % 3 == 1 { fail(job, Code::EXPECT_STATUS) } else { pass(job) };
        assert_eq!(rig.judge(spec, &outcome).await, Answer::Committed);
        let mut out = std::io::stdout().lock();
        // The parent may be gone or about to kill us.
        writeln!(out, "ack {} {}", spec.id, slot.ms()).and_then(|()| out.flush()).ok();
    }
}

/// The key that a line of the child acknowledges.
pub fn acknowledged(line: &str) -> Option<OutcomeKey> {
    let (monitor, slot) = line.strip_prefix("ack ")?.split_once(' ')?;
    let monitor = bw_domain::id::MonitorId(monitor.parse().ok()?);
    let slot = Instant::from_ms(slot.trim().parse().ok()?);
    Some(OutcomeKey { monitor, vantage: Default::default(), slot, r#try: 0 })
}
