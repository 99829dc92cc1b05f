//! Jobs that report: when they say what, and what their clients do when nobody answers. Whatever a client gave up was
//! never received, and the truth knows.

use super::wishes::{Ask, Wish};
use crate::Ms;
use crate::chance::Chance;
use bw_domain::beat::{RunId, Signal};
use bw_domain::id::Uuid;
use serde_json::{Value, json};

/// A job with what it will say.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where its beats go.
    pub address: Uuid,
    /// It beats in time whatever happens, and insists: it is never silent.
    pub steady: bool,
    pub sendings: Vec<Sending>,
}

/// A beat that is sent.
#[derive(Clone, Debug)]
pub struct Sending {
    pub at: Ms,
    pub signal: Signal,
    pub run: Option<RunId>,
    /// It happened so long before, and the client says so.
    pub late_by: Option<Ms>,
    pub manner: Manner,
}

/// What a client does when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It gives up.
    Once,
    /// It comes again until it is answered.
    Insists,
    /// It hangs up so soon, whatever comes.
    HangsUp(Ms),
}

/// What is agreed with a job.
struct Agreed {
    steady: bool,
    every: Ms,
    grace: Ms,
    limit: Option<Ms>,
    document: Value,
}

/// How long its client waits for an answer.
pub const PATIENCE: Ms = 8_000;
/// Before it comes again.
pub const AGAIN: Ms = 1_000;

/// The documents and jobs of some heartbeats, the first of them with this number.
pub fn roll(chance: &Chance, first: usize, ends: Ms) -> Vec<(Value, Job)> {
    let count = chance.between(1..=2) as usize;
    (first..first + count).map(|number| one(chance, number, ends)).collect()
}

fn one(chance: &Chance, number: usize, ends: Ms) -> (Value, Job) {
    let address = Uuid(0xbea7_0000 + number as u128);
    let agreed = agree(chance);
    let mut heartbeat = agreed.document.clone();
    heartbeat["uuid"] = json!(address.to_string());
    let mut document = json!({"name": format!("m{number}"), "heartbeat": heartbeat});
    if chance.permille(300) {
        document["tell"] = json!({"first_up": true});
    }
    let mut telling = Telling { chance, agreed: &agreed, runs: 0, sendings: Vec::new() };
    telling.all(ends);
    let mut sendings = telling.sendings;
    sendings.sort_by_key(|sending| sending.at);
    (document, Job { address, steady: agreed.steady, sendings })
}

fn agree(chance: &Chance) -> Agreed {
    let steady = chance.permille(350);
    let slots = !steady && chance.permille(200);
    let every = if slots { 20_000 } else { *chance.pick(&[5_000, 10_000, 10_000, 20_000, 30_000, 60_000]) };
    let rules = *chance.pick(&["own", "own", "own", "healthchecks", "pulse"]);
    let grace = match rules {
        _ if slots => chance.between(1_000..=9_000),
        "pulse" if !steady => 0,
        _ => chance.between(5_000..=15_000),
    };
    let limit = (rules != "healthchecks" && chance.permille(500)).then(|| chance.between(4_000..=20_000));
    let mut document = json!({"grace": format!("{grace}ms")});
    if rules != "own" {
        document["rules"] = json!(rules);
    }
    match slots {
        true if chance.permille(500) => document["schedule"] = json!("*:*:0/20"),
        true => document["schedule"] = json!(["*:*:0,40", "*:*:20"]),
        false => document["every"] = json!(format!("{every}ms")),
    }
    if let Some(limit) = limit {
        document["run_limit"] = json!(format!("{limit}ms"));
    }
    let limit = if rules == "healthchecks" { Some(grace) } else { limit };
    Agreed { steady, every, grace, limit, document }
}

/// The story of a job while it is made up.
struct Telling<'a> {
    chance: &'a Chance,
    agreed: &'a Agreed,
    runs: u128,
    sendings: Vec<Sending>,
}

impl Telling<'_> {
    fn all(&mut self, ends: Ms) {
        let (chance, every, grace) = (self.chance, self.agreed.every, self.agreed.grace);
        // A schedule's slots are on the full step; whoever is due every so often begins anywhere.
        let mut at = if self.agreed.document.get("schedule").is_some() {
            every
        } else {
            chance.between(10_000..=10_000 + every)
        };
        while at < ends {
            let late = match chance.between(0..=9) {
                _ if self.agreed.steady => chance.between(0..=1_000),
                0 => chance.between(0..=grace),
                _ => chance.between(0..=grace / 4),
            };
            match chance.between(0..=29) {
                _ if self.agreed.steady => self.run(at + late),
                0..=1 => at += (every + grace).next_multiple_of(every) + every * chance.between(0..=3),
                2..=3 => self.fails(at + late),
                4 => self.say(at + late, Signal::Log, None),
                5..=6 => self.overlap(at + late),
                7 => {
                    // It begins and never ends.
                    let run = self.id();
                    self.say(at + late, Signal::Start, run);
                    at += every;
                }
                _ => self.run(at + late),
            }
            at += every;
        }
    }

    fn say(&mut self, at: Ms, signal: Signal, run: Option<RunId>) {
        let manner = match self.chance.between(0..=19) {
            _ if self.agreed.steady => Manner::Insists,
            0..=5 => Manner::Once,
            6..=8 => Manner::HangsUp(self.chance.between(0..=40)),
            _ => Manner::Insists,
        };
        let late_by =
            (!self.agreed.steady && self.chance.permille(50)).then(|| self.chance.between(1..=4_000));
        self.sendings.push(Sending { at, signal, run, late_by, manner });
    }

    fn id(&mut self) -> Option<RunId> {
        self.runs += 1;
        self.chance.permille(600).then_some(RunId(self.runs))
    }

    fn success(&self) -> Signal {
        if self.chance.permille(300) { Signal::Exit(0) } else { Signal::Success }
    }

    /// How long a run takes that is within its limit.
    fn length(&self) -> Ms {
        self.chance.between(50..=self.agreed.limit.unwrap_or(4_000).clamp(1_100, 4_000) - 1_000)
    }

    /// One that goes well, with or without a start.
    fn run(&mut self, at: Ms) {
        // What insists for itself may end before it begins: a steady job says only that it is well.
        if self.agreed.steady || self.chance.permille(600) {
            return self.say(at, self.success(), None);
        }
        let (run, length) = (self.id(), self.length());
        self.say(at.saturating_sub(length), Signal::Start, run);
        self.say(at, self.success(), run);
    }

    fn overlap(&mut self, at: Ms) {
        let (a, b, length) = (self.id(), self.id(), self.length());
        self.say(at, Signal::Start, a);
        self.say(at + length / 3, Signal::Start, b);
        self.say(at + length / 2, self.success(), a);
        self.say(at + length, self.success(), b);
    }

    /// A failure, perhaps with a success right after it.
    fn fails(&mut self, at: Ms) {
        let run = self.id();
        let status = self.chance.between(1..=255) as u8;
        let signal = if self.chance.permille(500) { Signal::Fail } else { Signal::Exit(status) };
        if self.chance.permille(300) {
            self.say(at.saturating_sub(self.length()), Signal::Start, run);
        }
        self.say(at, signal, run);
        if self.chance.permille(600) {
            let after = *self.chance.pick(&[1, 1, 2, 5, 50, 300, 2_000]);
            self.say(at + after, self.success(), None);
        }
    }
}

/// What people ask for about a heartbeat.
pub fn wishes(chance: &Chance, monitor: usize, steady: bool, ends: Ms) -> Vec<Wish> {
    let created = chance.between(0..=8_000);
    let mut wishes = vec![Wish { at: created, monitor, ask: Ask::Create }];
    for _ in 0..chance.between(0..=2) {
        let at = chance.between(created + 5_000..=ends);
        let label = json!({"labels": {"team": format!("t{}", chance.between(0..=9))}});
        match chance.between(0..=9) {
            _ if steady => wishes.push(Wish { at, monitor, ask: Ask::Patch(label) }),
            0..=2 => {
                let grace = json!(format!("{}ms", chance.between(2_000..=20_000)));
                wishes.push(Wish { at, monitor, ask: Ask::Patch(json!({"heartbeat": {"grace": grace}})) });
            }
            3..=4 => wishes.push(Wish { at, monitor, ask: Ask::Patch(label) }),
            5..=7 => {
                let until = at + chance.between(1_000..=100_000);
                wishes.push(Wish { at, monitor, ask: Ask::Pause });
                wishes.push(Wish { at: until, monitor, ask: Ask::Resume });
            }
            8 => wishes.push(Wish { at, monitor, ask: Ask::Acknowledge }),
            _ => wishes.push(Wish { at, monitor, ask: Ask::Delete }),
        }
    }
    wishes.retain(|wish| wish.at < ends);
    wishes
}
