//! Two of each role and a third worker, two thousand monitors, a target whose truth is known; and troubles at random:
//! kills, freezes beyond the lease, cuts, restarts of database and broker. Whatever happens: every slot is accounted
//! for, nobody well was ever DOWN, everybody broken is, and every change is told.

use crate::eventually::eventually;
use crate::fleet::{Broker, Fleet};
use crate::message::{messages_of, text};
use crate::node::Node;
use crate::slots;
use bw_testkit::dice::Dice;
use bw_testkit::proxy::Proxy;
use bw_testkit::server::{Answer, Sink, Target};
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const MONITORS: usize = 2_000;
/// Every so many-th monitor's target breaks.
const BROKEN: usize = 100;
/// Troubles while targets are broken, and after they were mended.
const TROUBLES: usize = 6;
/// Beyond the lease of a shard.
const FROZEN: Duration = Duration::from_secs(12);
/// What is cut off, or down, is so for so long.
const AWAY: Duration = Duration::from_secs(3);
/// From the end of the last trouble until everything is right: twenty seconds to recover, an interval of ten, a repeat,
/// and as much again for a machine with two cores that carries all of it.
const RIGHT_WITHIN: Duration = Duration::from_secs(75);
/// Monitors whose slots are counted.
const COUNTED: usize = 8;
/// `BELLWETHER_TEST_SEED` repeats the troubles of a run.
const SEED: &str = "BELLWETHER_TEST_SEED";

/// Everything that is there.
struct Storm {
    fleet: Fleet,
    target: Target,
    sink: Sink,
    apis: Vec<Node>,
    schedulers: Vec<Node>,
    workers: Vec<Node>,
    /// Between the first worker and the database.
    cable: Proxy,
    dice: Dice,
    /// Processes that were killed, or frozen while they may have been sending.
    interrupted: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_invented() {
    let seed = seed();
    println!("{SEED}={seed}");
    let mut storm = Storm::begin(Dice::new(seed)).await;
    storm.are("UP", MONITORS).await;
    assert_eq!(storm.sink.received(), [], "the first UP is silent");

    for n in broken() {
        storm.target.set_path(&format!("/{n}"), Answer::status(503));
    }
    storm.troubles().await;
    storm.are("DOWN", broken().count()).await;
    storm.are("UP", MONITORS - broken().count()).await;

    for n in broken() {
        storm.target.set_path(&format!("/{n}"), Answer::ok("ok"));
    }
    storm.troubles().await;
    storm.are("UP", MONITORS).await;

    storm.only_the_broken_were_down().await;
    let (told, doubled) = storm.everything_was_told().await;
    println!("{told} messages, {doubled} of them twice, {} interruptions", storm.interrupted);
    for n in 0..COUNTED {
        let id = 1 + (n * (MONITORS / COUNTED)) as i64;
        slots::all_accounted(&storm.apis[0], id).await;
    }
}

fn broken() -> impl Iterator<Item = usize> {
    (0..MONITORS).step_by(BROKEN)
}

impl Storm {
    async fn begin(dice: Dice) -> Self {
        let (fleet, target, sink) = (Fleet::with_nats().await, Target::start().await, Sink::start().await);
        let mut file =
            String::from("defaults: { every: 10s, timeout: 2s, confirm: { after: 2s } }\nmonitors:\n");
        for n in 0..MONITORS {
            let (url, webhook) = (target.at(&format!("/{n}")), sink.url());
            writeln!(file, "  - {{ name: m{n}, http: \"{url}\", webhook_url: \"{webhook}\" }}")
                .expect("a string takes everything");
        }
        fleet.installation.write_file(&file);
        let cable = Proxy::to(fleet.database()).await;
        // Both apply the file at once.
        let (one, other) = tokio::join!(fleet.start("api"), fleet.start("api"));
        let schedulers = vec![fleet.start("scheduler").await, fleet.start("scheduler").await];
        let first = fleet.start_by_way_of("worker", cable.address()).await;
        let workers = vec![first, fleet.start("worker").await, fleet.start("worker").await];
        let apis = vec![one, other];
        Storm { fleet, target, sink, apis, schedulers, workers, cable, dice, interrupted: 0 }
    }

    /// Waits until so many monitors are so.
    async fn are(&self, health: &str, count: usize) {
        let name = format!("bellwether_monitors{{health=\"{health}\",mode=\"active\"}}");
        eventually(&format!("{count} are {health}"), RIGHT_WITHIN, async || {
            let seen = self.apis[0].metric(&name).await;
            if seen == count as f64 { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    async fn troubles(&mut self) {
        for _ in 0..TROUBLES {
            self.trouble().await;
            // Not a wait for anything: the next trouble comes when chance says so.
            tokio::time::sleep(Duration::from_millis(self.dice.throw() % 2_000)).await;
        }
    }

    async fn trouble(&mut self) {
        let which = self.dice.throw() % 9;
        let one = self.dice.throw() as usize;
        match which {
            0 => {
                // The first worker is the one at the cable; the others are killed.
                let at = 1 + one % 2;
                self.workers.remove(at).kill().await;
                self.workers.push(self.fleet.start("worker").await);
                self.interrupted += 1;
            }
            1 => {
                self.schedulers.remove(one % 2).kill().await;
                self.schedulers.push(self.fleet.start("scheduler").await);
                self.interrupted += 1;
            }
            2 => {
                self.apis.remove(one % 2).kill().await;
                self.apis.push(self.fleet.start("api").await);
                self.interrupted += 1;
            }
            3 => self.freeze(&self.schedulers[one % 2]).await,
            4 => self.freeze(&self.workers[one % 3]).await,
            5 => {
                self.cable.cut();
                tokio::time::sleep(AWAY).await;
                self.cable.heal();
            }
            6 => {
                self.fleet.postgres.kill();
                tokio::time::sleep(AWAY).await;
                self.fleet.postgres.restart();
            }
            7 => {
                // Nobody takes jobs: the queue fills.
                self.workers.iter().for_each(|worker| worker.signal(Signal::STOP));
                tokio::time::sleep(FROZEN).await;
                self.workers.iter().for_each(|worker| worker.signal(Signal::CONT));
            }
            _ => {
                let Broker::Nats(nats) = &self.fleet.broker else { unreachable!("it was started so") };
                nats.kill();
                tokio::time::sleep(AWAY).await;
                nats.restart().await;
            }
        }
        if (3..=7).contains(&which) {
            // What was being sent, or recorded, may be sent again.
            self.interrupted += 1;
        }
    }

    async fn freeze(&self, node: &Node) {
        node.signal(Signal::STOP);
        tokio::time::sleep(FROZEN).await;
        node.signal(Signal::CONT);
    }

    async fn only_the_broken_were_down(&self) {
        let incidents = self.apis[0].items("/api/v1/incidents?limit=1000").await;
        let subjects: BTreeSet<String> =
            incidents.iter().map(|incident| incident["subject"]["name"].to_string()).collect();
        let expected: BTreeSet<String> = broken().map(|n| format!("\"m{n}\"")).collect();
        assert_eq!(subjects, expected, "{incidents:?}");
        assert!(incidents.iter().all(|incident| !incident["closed_at"].is_null()), "{incidents:?}");
    }

    /// Every delivery reached the sink, or was told with a later one that did. Answers how many messages there were, and
    /// how many more than there should be.
    async fn everything_was_told(&self) -> (usize, usize) {
        let deliveries = eventually("nothing waits", RIGHT_WITHIN, async || {
            let deliveries = self.apis[0].items("/api/v1/deliveries?limit=1000").await;
            match deliveries.iter().find(|delivery| delivery["state"] == "waiting") {
                Some(waiting) => Err(json!(waiting)),
                None => Ok(deliveries),
            }
        })
        .await;
        let received = self.sink.received();
        let mut doubled = 0;
        for delivery in &deliveries {
            let merged = delivery["reason"].as_str().is_some_and(|reason| reason.starts_with("merged into "));
            let messages = messages_of(&received, delivery).len();
            assert!(merged || messages > 0 && delivery["state"] == "sent", "{delivery}");
            doubled += messages.saturating_sub(1);
        }
        assert!(deliveries.len() >= 2 * broken().count(), "each goes down and comes back: {deliveries:?}");
        for n in broken() {
            let name = format!("\nName: m{n}\n");
            assert!(received.iter().any(|message| text(message).contains(&name)), "nobody heard of m{n}");
        }
        // A chain of one monitor has one message under way at a time, and a process sends to several monitors at once.
        let most = self.interrupted * broken().count();
        assert!(doubled <= most, "{doubled} messages came twice after {} interruptions", self.interrupted);
        (received.len(), doubled)
    }
}

/// Another one in each run, unless one is given.
fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test run is repeated by a variable")]
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}
