//! What goes wrong, when and for how long; and what all that is wrong at an instant means for whoever asks the world
//! for something.

use crate::Ms;

/// One trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub from: Ms,
    /// When nothing of it is left.
    pub to: Ms,
    pub kind: FaultKind,
}

/// The kinds of trouble. Nodes and sinks are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The process dies within its so many next port calls and stays away until the end of the fault.
    Crash {
        node: usize,
        calls: u64,
    },
    /// The process is asked to stop, and stays away.
    Stop {
        node: usize,
    },
    /// The process does not run for a while, and knows nothing of it.
    Freeze {
        node: usize,
    },
    /// The store answers no call, or only when it is back.
    StoreAway,
    StoreFull,
    /// Each call takes up to so long.
    StoreSlow {
        ms: Ms,
    },
    /// The store does what it is asked and its answer is lost, so many times in a thousand.
    AnswersLost {
        permille: u64,
    },
    QueueAway,
    QueueFull,
    /// Jobs come twice and leases are lost.
    QueueUnsure,
    /// Wake-ups do not arrive.
    WakesLost,
    /// Our own network is lost: probes see nothing and say so.
    NetworkLost,
    /// Probes panic, so many times in a thousand.
    Panics {
        permille: u64,
    },
    /// Outcomes come up to so much later, at the end of the fault at the latest.
    OutcomesLate {
        ms: Ms,
    },
    /// Hardly any probe can be started.
    NoRoom,
    SinkSick {
        sink: u64,
        how: Sickness,
    },
    /// The clocks of store and nodes are set together, for good.
    HostStep {
        by: i64,
    },
    /// The clock of one node differs from the store's.
    Skew {
        node: usize,
        by: i64,
    },
    /// The clock of one node runs fast or slow, in parts of a million.
    Drift {
        node: usize,
        ppm: i64,
    },
}

/// How a sink can be ill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sickness {
    /// It says that it will never take this.
    Refuses,
    /// It takes nothing now and says when to come again.
    Busy,
    /// It cannot be reached.
    Away,
    /// It takes the message; what it answers does not arrive.
    LosesAnswers,
    /// It answers late.
    Slow,
}

/// How a node's clock differs from the store's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offset {
    by: i64,
    drift: Option<(Ms, i64)>,
}

impl Offset {
    /// The difference at this time, in milliseconds.
    pub fn at(&self, now: Ms) -> i64 {
        let drifted = self.drift.map_or(0, |(since, ppm)| (now - since) as i64 * ppm / 1_000_000);
        self.by + drifted
    }
}

/// Everything that is wrong now.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    /// Until when the store is away.
    pub store_away: Option<Ms>,
    pub store_full: bool,
    pub store_slow: Ms,
    pub answers_lost: u64,
    pub queue_away: bool,
    pub queue_full: bool,
    pub queue_unsure: bool,
    pub wakes_lost: bool,
    pub network_lost: bool,
    pub panics: u64,
    /// By how much at most, and until when.
    pub outcomes_late: (Ms, Ms),
    pub no_room: bool,
    pub sinks: Vec<(u64, Sickness)>,
    pub host_step: i64,
    pub frozen: Vec<usize>,
    pub offsets: [Offset; 5],
}

impl Mood {
    /// What all faults together mean at an instant.
    pub fn of(faults: &[Fault], now: Ms) -> Self {
        let mut mood = Mood::default();
        for fault in faults.iter().filter(|fault| fault.from <= now) {
            match fault.kind {
                FaultKind::HostStep { by } => mood.host_step += by,
                _ if fault.to <= now => {}
                _ => mood.add(fault),
            }
        }
        mood
    }

    fn add(&mut self, fault: &Fault) {
        match fault.kind {
            FaultKind::Crash { .. } | FaultKind::Stop { .. } | FaultKind::HostStep { .. } => {}
            FaultKind::Freeze { node } => self.frozen.push(node),
            FaultKind::StoreAway => self.store_away = self.store_away.max(Some(fault.to)),
            FaultKind::StoreFull => self.store_full = true,
            FaultKind::StoreSlow { ms } => self.store_slow = self.store_slow.max(ms),
            FaultKind::AnswersLost { permille } => self.answers_lost = self.answers_lost.max(permille),
            FaultKind::QueueAway => self.queue_away = true,
            FaultKind::QueueFull => self.queue_full = true,
            FaultKind::QueueUnsure => self.queue_unsure = true,
            FaultKind::WakesLost => self.wakes_lost = true,
            FaultKind::NetworkLost => self.network_lost = true,
            FaultKind::Panics { permille } => self.panics = self.panics.max(permille),
            FaultKind::OutcomesLate { ms } => self.outcomes_late = self.outcomes_late.max((ms, fault.to)),
            FaultKind::NoRoom => self.no_room = true,
            FaultKind::SinkSick { sink, how } => self.sinks.push((sink, how)),
            FaultKind::Skew { node, by } => self.offsets[node].by += by,
            FaultKind::Drift { node, ppm } => self.offsets[node].drift = Some((fault.from, ppm)),
        }
    }

    /// How a sink is.
    pub fn sink(&self, sink: u64) -> Option<Sickness> {
        self.sinks.iter().find(|(ill, _)| *ill == sink).map(|(_, how)| *how)
    }
}
