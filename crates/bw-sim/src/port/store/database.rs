//! What is stored. It survives every process; what only a process may hold is let go when it ends.

use crate::Ms;
use crate::mutant::Mutant;
use bw_domain::access::{Session, Token};
use bw_domain::action::Action;
use bw_domain::beat::{Deaf, Track};
use bw_domain::delivery::{Delivery, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::{ActionId, DeliveryId, EventId, IncidentId, MonitorId};
use bw_domain::incident::{Entry, Incident, IncidentChange};
use bw_domain::job::OutcomeKey;
use bw_domain::limits::SHARDS;
use bw_domain::monitor::Defaults;
use bw_domain::outcome::Outcome;
use bw_domain::port::store::{BeatRow, EvidenceRow, Gap, NodeId, Revision, TransitionRow};
use bw_domain::state::{Observed, State};
use bw_domain::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rows of a living monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub observed: Observed,
    pub state: State,
}

/// A delivery with its lease.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub delivery: Delivery,
    pub leased_until: Option<Instant>,
    /// The oldest of its chain since it was leased: its attempt has begun.
    pub sending_since: Option<Instant>,
}

impl Waiting {
    /// A row that nobody has.
    pub fn new(delivery: Delivery) -> Self {
        Waiting { delivery, leased_until: None, sending_since: None }
    }
}

/// One shard of the installation.
#[derive(Clone, Copy, Debug)]
pub struct Shard {
    pub published: Instant,
    pub accounted: Instant,
    pub holder: Option<NodeId>,
    pub epoch: u64,
    pub until: Instant,
}

/// A node that hears: how far its beats are in, and until when it is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Hearer {
    pub until: Instant,
    pub lease: Instant,
}

/// One entry of the feed of changes.
#[derive(Clone, Debug)]
pub enum Changed {
    Monitor(Box<Revision>),
    Actions,
}

/// Everything.
pub struct Database {
    pub defaults: Arc<Defaults>,
    /// Several nodes use it: nothing ends with a process, leases end by time alone.
    pub shared: bool,
    pub monitors: i64,
    pub incident_ids: i64,
    pub revisions: BTreeMap<MonitorId, Vec<Revision>>,
    pub feed: Vec<Changed>,
    pub actions: BTreeMap<ActionId, Action>,
    pub rows: BTreeMap<MonitorId, Row>,
    /// One for each key, unless something is broken.
    pub outcomes: BTreeMap<OutcomeKey, Vec<Outcome>>,
    pub evidence: Vec<EvidenceRow>,
    pub transitions: BTreeMap<MonitorId, Vec<TransitionRow>>,
    pub incidents: BTreeMap<IncidentId, (Incident, Vec<Entry>)>,
    pub timers: BTreeMap<MonitorId, Instant>,
    /// In the order in which they were written, with whether routes have seen them.
    pub events: Vec<(Event, bool)>,
    pub event_index: BTreeMap<EventId, usize>,
    pub deliveries: Vec<Waiting>,
    pub delivery_index: BTreeMap<DeliveryId, usize>,
    pub nodes: BTreeMap<NodeId, Instant>,
    pub shards: Vec<Shard>,
    pub gaps: Vec<Gap>,
    pub files: BTreeMap<Arc<str>, [u8; 32]>,
    pub tokens: Vec<Token>,
    pub sessions: BTreeMap<[u8; 32], Session>,
    /// In the order in which they were kept.
    pub beats: Vec<BeatRow>,
    pub tracks: BTreeMap<MonitorId, Track>,
    /// When each heartbeat wants a decision.
    pub wanted: BTreeMap<MonitorId, Instant>,
    pub hearers: BTreeMap<NodeId, Hearer>,
    /// The furthest that anybody has ever heard.
    pub furthest: Option<Instant>,
    pub deaf: BTreeSet<Deaf>,
    /// The last beats kept, with what their tracks were before: lost where the disk was not waited for.
    pub unsynced: Vec<(MonitorId, Option<Track>)>,
    synced: Ms,
}

impl Database {
    /// An empty one at the installation's first start.
    pub fn new(first_start: Instant, shared: bool) -> Self {
        let shard = Shard {
            published: first_start,
            accounted: first_start,
            holder: None,
            epoch: 0,
            until: Instant::ZERO,
        };
        Database {
            defaults: Arc::new(Defaults::default()),
            shared,
            monitors: 0,
            incident_ids: 0,
            revisions: BTreeMap::new(),
            feed: Vec::new(),
            actions: BTreeMap::new(),
            rows: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            evidence: Vec::new(),
            transitions: BTreeMap::new(),
            incidents: BTreeMap::new(),
            timers: BTreeMap::new(),
            events: Vec::new(),
            event_index: BTreeMap::new(),
            deliveries: Vec::new(),
            delivery_index: BTreeMap::new(),
            nodes: BTreeMap::new(),
            shards: vec![shard; usize::from(SHARDS)],
            gaps: Vec::new(),
            files: BTreeMap::new(),
            tokens: Vec::new(),
            sessions: BTreeMap::new(),
            beats: Vec::new(),
            tracks: BTreeMap::new(),
            wanted: BTreeMap::new(),
            hearers: BTreeMap::new(),
            furthest: None,
            deaf: BTreeSet::new(),
            unsynced: Vec::new(),
            synced: 0,
        }
    }

    /// A process has ended. Where it was the only one, its successor owns everything at once.
    pub fn abandoned(&mut self, node: NodeId, mutant: Option<Mutant>) {
        if mutant == Some(Mutant::TimersLostOnCrash) {
            self.timers.clear();
            self.wanted.clear();
        }
        if mutant == Some(Mutant::BeatsAnsweredEarly) {
            self.lose_unsynced();
        }
        if self.shared {
            return;
        }
        self.nodes.remove(&node);
        self.hearers.remove(&node);
        for shard in self.shards.iter_mut().filter(|shard| shard.holder == Some(node)) {
            shard.holder = None;
        }
        for waiting in &mut self.deliveries {
            waiting.leased_until = None;
        }
        // What was set aside in memory and not used may come again.
        self.incident_ids = self.incidents.keys().last().map_or(0, |id| id.0);
    }

    /// Writes an event, unless it is there.
    pub fn add_event(&mut self, event: Event) {
        if !self.event_index.contains_key(&event.id) {
            self.event_index.insert(event.id, self.events.len());
            self.events.push((event, false));
        }
    }

    /// Writes a delivery, unless it is there.
    pub fn add_delivery(&mut self, delivery: Delivery) {
        if !self.delivery_index.contains_key(&delivery.id) {
            self.delivery_index.insert(delivery.id, self.deliveries.len());
            self.deliveries.push(Waiting::new(delivery));
        }
    }

    /// An event that is there.
    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.event_index.get(&id).map(|index| &self.events[*index].0)
    }

    /// Deliveries that have not ended, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.deliveries.iter().filter(|waiting| waiting.delivery.state == DeliveryState::Waiting)
    }

    /// Writes the rows of a monitor, and the timer that follows from its state.
    pub fn put_row(&mut self, monitor: MonitorId, row: Row) {
        match row.state.timer() {
            Some(due) => self.timers.insert(monitor, due),
            None => self.timers.remove(&monitor),
        };
        self.rows.insert(monitor, row);
    }

    /// Writes a track, and the entry of the index that follows from it.
    pub fn put_track(&mut self, monitor: MonitorId, track: Track) {
        match track.due {
            Some(due) => self.wanted.insert(monitor, due),
            None => self.wanted.remove(&monitor),
        };
        self.tracks.insert(monitor, track);
    }

    /// The disk has what was written a while ago.
    pub fn sync(&mut self, now: Ms) {
        if now > self.synced + 1_000 {
            self.unsynced.clear();
            self.synced = now;
        }
    }

    /// The machine went down before the disk had the last beats.
    fn lose_unsynced(&mut self) {
        while let Some((monitor, before)) = self.unsynced.pop() {
            self.beats.pop();
            match before {
                Some(track) => self.put_track(monitor, track),
                None => drop((self.tracks.remove(&monitor), self.wanted.remove(&monitor))),
            }
        }
    }

    /// Changes an incident. False: it is not there.
    pub fn change_incident(&mut self, change: IncidentChange) -> bool {
        if let IncidentChange::Open(incident, entries) = change {
            self.incident_ids = self.incident_ids.max(incident.id.0);
            self.incidents.insert(incident.id, (*incident, entries));
            return true;
        }
        let Some((incident, timeline)) = self.incidents.get_mut(&change.id()) else { return false };
        timeline.extend_from_slice(change.entries());
        match change {
            IncidentChange::Open(..) => {}
            IncidentChange::Update { cause, not_observed_since, .. } => {
                if let Some(cause) = cause {
                    incident.cause = cause;
                }
                if let Some(since) = not_observed_since {
                    incident.not_observed_since = since;
                }
            }
            IncidentChange::Close { at, .. } => incident.closed_at = Some(at),
            IncidentChange::Acknowledge { acknowledged, .. } => incident.acknowledged = Some(acknowledged),
        }
        true
    }
}
