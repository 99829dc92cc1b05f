//! What is watched, how it is declared, and who is told.

use super::jobs::Job;
use crate::Ms;
use crate::chance::Chance;
use crate::port::sender::{SINKS, address};
use crate::truth::Truth;
use bw_domain::action::{Action, ActionKind};
use bw_domain::id::ActionId;
use bw_domain::secret::Secret;
use serde_json::{Value, json};

/// A target, or a job, with the monitor that watches it.
#[derive(Clone, Debug)]
pub struct Watched {
    pub document: Value,
    pub truth: Truth,
    /// Where it is no target that is looked at, but a job that reports.
    pub job: Option<Job>,
}

impl Watched {
    /// A handful.
    pub fn roll(chance: &Chance, ends: Ms) -> Vec<Self> {
        let count = chance.between(2..=6) as usize;
        let one = |number| Watched {
            document: document(chance, number),
            truth: Truth::roll(chance, ends),
            job: None,
        };
        (0..count).map(one).collect()
    }

    /// A job. Nothing is to be seen of it but its beats.
    pub fn reporting(document: Value, job: Job) -> Self {
        Watched { document, truth: Truth::default(), job: Some(job) }
    }
}

fn document(chance: &Chance, number: usize) -> Value {
    let mut document = timing(chance);
    document["name"] = json!(format!("m{number}"));
    document["http"] = json!(format!("http://m{number}.test/"));
    if chance.permille(250) {
        document["family"] = json!("both");
    }
    if chance.permille(500) {
        document["webhook_url"] = json!(address(chance.between(0..=SINKS - 1)));
    }
    if chance.permille(300) {
        document["tell"] = json!({"first_up": true});
    }
    document
}

/// Cadence, time-out and thresholds that go together.
pub fn timing(chance: &Chance) -> Value {
    let every = *chance.pick(&[1_000, 2_000, 3_000, 5_000, 5_000, 10_000, 10_000, 15_000, 30_000, 60_000]);
    let timeout = chance.between(500..=5_000).min(every);
    let after = chance.between(0..=6_000).min(every);
    json!({
        "every": format!("{every}ms"),
        "timeout": format!("{timeout}ms"),
        "confirm": {
            "failures": chance.between(1..=3),
            "recoveries": chance.between(1..=3),
            "after": format!("{after}ms"),
        },
    })
}

/// The number of the target with this host.
pub fn number(host: &str) -> Option<usize> {
    host.strip_prefix('m')?.strip_suffix(".test")?.parse().ok()
}

/// The actions that are declared from the beginning.
pub fn actions(seed: u64) -> Vec<Action> {
    let url = |sink| Secret::new(address(sink));
    let kinds = [
        ActionKind::Webhook { url: url(0), headers: Default::default(), secret: None },
        ActionKind::Slack { url: url(1) },
    ];
    let count = 1 + (seed % 2) as usize;
    let named = (1i64..).zip(kinds).take(count);
    named
        .map(|(id, kind)| Action {
            id: ActionId(id),
            name: format!("action {id}"),
            owner: None,
            kind,
            broken: String::new(),
        })
        .collect()
}
