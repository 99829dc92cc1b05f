//! What happens in a simulation, all of it a function of its seed: who watches what, how the targets really are, what
//! goes wrong, and what people ask for meanwhile. After `calm_from` nothing goes wrong any more, and everything must
//! come right.

mod jobs;
mod monitors;
mod troubles;
mod wishes;

pub use jobs::{AGAIN, Manner, PATIENCE};
pub use monitors::{Watched, actions};
pub use troubles::{CRASH_WITHIN, STOP_WITHIN};
pub use wishes::{Ask, Wish};

use crate::Ms;
use crate::chance::Chance;
use crate::fault::{Fault, FaultKind, Mood};
use crate::truth::Target;

/// The whole plan.
#[derive(Clone, Debug)]
pub struct Script {
    pub seed: u64,
    pub nodes: usize,
    pub watched: Vec<Watched>,
    pub faults: Vec<Fault>,
    pub wishes: Vec<Wish>,
    pub calm_from: Ms,
    pub ends: Ms,
}

/// What a simulation is made from. Written as text it is a kept seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    /// 0 is one.
    pub nodes: usize,
    /// So long instead of what the seed says.
    pub hours: Option<u64>,
    /// Only these monitors and faults; all when absent.
    pub monitors: Option<Vec<usize>>,
    pub faults: Option<Vec<usize>>,
    /// Nothing goes wrong after this.
    pub calm_from: Option<Ms>,
}

const MINUTE: Ms = 60_000;
/// Trouble comes about so often.
const PACE: Ms = 25_000;

impl Script {
    /// The plan of these options.
    pub fn of(options: &Options) -> Self {
        let chance = Chance::new(options.seed, 0);
        let nodes = options.nodes.max(1);
        let rolled = chance.between(2 * MINUTE..=6 * MINUTE);
        let rough = options.hours.map_or(rolled, |hours| hours * 60 * MINUTE);
        let quiet = chance.between(3 * MINUTE..=5 * MINUTE);
        let mut watched = Watched::roll(&chance, rough + quiet);
        let mut wishes = wishes::roll(&chance, watched.len(), rough + quiet);
        let faults = troubles::roll(&chance, nodes, rough, PACE);
        // Jobs have dice of their own: what is probed is the same with them and without.
        let chance = Chance::new(options.seed, 3);
        for (document, job) in jobs::roll(&chance, watched.len(), rough + quiet) {
            wishes.extend(jobs::wishes(&chance, watched.len(), job.steady, rough + quiet));
            watched.push(Watched::reporting(document, job));
        }
        wishes.sort_by_key(|wish| wish.at);
        let script = Script {
            seed: options.seed,
            nodes,
            watched,
            faults,
            wishes,
            calm_from: rough,
            ends: rough + quiet,
        };
        script.cut(options)
    }

    /// What shrinking has left.
    fn cut(mut self, options: &Options) -> Self {
        if let Some(kept) = &options.monitors {
            self.wishes.retain(|wish| kept.contains(&wish.monitor));
            for (number, watched) in self.watched.iter_mut().enumerate() {
                if !kept.contains(&number) {
                    watched.job = None;
                }
            }
        }
        if let Some(kept) = &options.faults {
            let faults = std::mem::take(&mut self.faults).into_iter().enumerate();
            self.faults = faults.filter(|(index, _)| kept.contains(index)).map(|(_, fault)| fault).collect();
        }
        if let Some(calm_from) = options.calm_from.filter(|at| *at < self.calm_from) {
            self.ends -= self.calm_from - calm_from;
            self.calm_from = calm_from;
            self.faults.retain(|fault| fault.from < calm_from);
            self.wishes.retain(|wish| wish.at < self.ends);
        }
        self
    }

    /// The numbers of the troubles that end processes.
    pub fn ends_of_processes(&self) -> Vec<usize> {
        let ends = |fault: &Fault| matches!(fault.kind, FaultKind::Crash { .. } | FaultKind::Stop { .. });
        (0..self.faults.len()).filter(|number| ends(&self.faults[*number])).collect()
    }

    /// Whether there is a job that is never silent.
    pub fn has_steady_job(&self) -> bool {
        self.watched.iter().filter_map(|watched| watched.job.as_ref()).any(|job| job.steady)
    }

    /// How the target of this host is now.
    pub fn target(&self, host: &str, now: Ms) -> Target {
        let watched = monitors::number(host).and_then(|number| self.watched.get(number));
        watched.map_or(Target::Up, |watched| watched.truth.at(now))
    }

    /// Stretches of true time in which nothing is wrong, and nothing was wrong for so long before.
    pub fn calm(&self, lead: Ms) -> Vec<(Ms, Ms)> {
        let mut calm = Vec::new();
        let mut from = lead;
        let mut faults: Vec<&Fault> = self.faults.iter().collect();
        faults.sort_by_key(|fault| fault.from);
        for fault in faults {
            if fault.from > from {
                calm.push((from, fault.from));
            }
            from = from.max(fault.to + lead);
        }
        if from < self.ends {
            calm.push((from, self.ends));
        }
        calm
    }

    /// By how much the clocks of store and nodes were set until then.
    pub fn host_step(&self, at: Ms) -> i64 {
        Mood::of(&self.faults, at).host_step
    }

    /// Whether the clocks showed this time twice, because they were set back. In milliseconds after the beginning.
    pub fn is_lived_twice(&self, wall: i64) -> bool {
        self.faults.iter().any(|fault| match fault.kind {
            FaultKind::HostStep { by } if by < 0 => {
                let set_at = fault.from as i64 + self.host_step(fault.from - 1);
                (set_at + by..=set_at).contains(&wall)
            }
            _ => false,
        })
    }
}
