//! A store in memory for the tests of single loops: small, whole and synchronous. It can be told to be away, and it
//! remembers the order of what it was asked. What a real store does under faults is the business of the contract
//! suites and of the simulation.

mod beats;
mod outbox;

use beats::BeatRows;
use bw_domain::access::{Session, Token};
use bw_domain::action::Action;
use bw_domain::beat::Track;
use bw_domain::delivery::Delivery;
use bw_domain::event::Event;
use bw_domain::id::{ActionId, DeliveryId, EvidenceId, IncidentId, MonitorId, TokenId};
use bw_domain::incident::{Entry, Incident, IncidentChange};
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::{Certificate, Outcome};
use bw_domain::port::store::*;
use bw_domain::state::{Observed, State};
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard};

/// What is stored.
#[derive(Default)]
pub struct Rows {
    pub away: bool,
    /// Error texts of a full disk on every write.
    pub full: bool,
    /// Every call by name.
    pub calls: Vec<&'static str>,
    pub revisions: Vec<Revision>,
    pub actions: Vec<Action>,
    pub states: BTreeMap<MonitorId, (Observed, State)>,
    pub outcomes: BTreeMap<OutcomeKey, Outcome>,
    pub incidents: BTreeMap<IncidentId, Incident>,
    pub told: Vec<(IncidentId, Entry)>,
    pub spare: i64,
    pub events: Vec<(Event, bool)>,
    pub deliveries: BTreeMap<DeliveryId, (Delivery, Instant)>,
    pub order: Vec<DeliveryId>,
    pub marks: BTreeMap<u16, Watermarks>,
    pub gaps: Vec<Gap>,
    pub holder: Option<(NodeId, u64)>,
    pub now: Instant,
    pub conflicts: usize,
    pub beats: BeatRows,
}

/// The handle behind every port.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Rows>>);

impl MemoryStore {
    pub fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().expect("no test panics while holding the rows")
    }

    /// All ports.
    pub fn store(&self) -> Store {
        let all = Arc::new(self.clone());
        Store {
            catalog: all.clone(),
            states: all.clone(),
            outcomes: all.clone(),
            incidents: all.clone(),
            deliveries: all.clone(),
            timers: all.clone(),
            leases: all.clone(),
            accounts: all.clone(),
            access: all.clone(),
            beats: all,
        }
    }

    fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        read: impl FnOnce(&mut Rows) -> T,
    ) -> Answered<'_, T> {
        let mut rows = self.rows();
        rows.calls.push(name);
        let answer = if rows.away { Err(StoreError::Away("test".to_owned())) } else { Ok(read(&mut rows)) };
        Box::pin(ready(answer))
    }

    fn write<T: Send + 'static>(
        &self,
        name: &'static str,
        write: impl FnOnce(&mut Rows) -> T,
    ) -> Answered<'_, T> {
        if self.rows().full {
            return Box::pin(ready(Err(StoreError::Full("test".to_owned()))));
        }
        self.read(name, write)
    }
}

impl Rows {
    fn exists(&self, id: MonitorId) -> bool {
        self.revisions
            .iter()
            .rev()
            .find(|revision| revision.id == id)
            .is_some_and(|last| last.declared.is_some())
    }

    fn is_known(&self, key: &OutcomeKey) -> bool {
        let in_gap = |gap: &Gap| {
            gap.shard == bw_domain::schedule::shard_of(key.monitor)
                && gap.from < key.slot
                && key.slot <= gap.to
        };
        self.outcomes.contains_key(key) || (key.r#try == 0 && self.gaps.iter().any(in_gap))
    }

    fn commit(&mut self, commit: Commit) -> Answer {
        if !self.exists(commit.monitor) {
            return Answer::Gone;
        }
        if commit.outcome.as_ref().is_some_and(|outcome| self.is_known(&outcome.job.key())) {
            return Answer::Duplicate;
        }
        let row =
            self.states.entry(commit.monitor).or_insert((Observed::default(), State::new(Instant::ZERO, 1)));
        if self.conflicts > 0 || row.0.seq != commit.expect_seq {
            self.conflicts = self.conflicts.saturating_sub(1);
            return Answer::Conflict;
        }
        let count = |track: &Track| {
            self.beats.tracks.get(&commit.monitor).map(|held| held.count) == Some(track.count)
        };
        if commit.track.as_ref().is_some_and(|track| !count(track)) {
            return Answer::Conflict;
        }
        if let Some(track) = commit.track {
            self.beats.tracks.insert(commit.monitor, *track);
        }
        if let Some(observed) = commit.observed {
            row.0 = observed;
        }
        row.0.seq = commit.expect_seq + 1;
        if let Some(state) = commit.state {
            row.1 = state;
        }
        if let Some(outcome) = commit.outcome {
            self.outcomes.insert(outcome.job.key(), outcome);
        }
        if let Some(IncidentChange::Open(incident, _)) = commit.incident {
            self.incidents.insert(incident.id, *incident);
        }
        self.events.extend(commit.events.into_iter().map(|event| (event, false)));
        Answer::Committed
    }
}

impl Catalog for MemoryStore {
    fn changes(&self, after: u64) -> Answered<'_, Changes> {
        self.read("changes", |rows| Changes {
            cursor: rows.revisions.len() as u64,
            revisions: rows.revisions[(after as usize).min(rows.revisions.len())..].to_vec(),
            actions: Some(rows.actions.clone()),
        })
    }

    fn apply(&self, _: Vec<Edit>) -> Answered<'_, Result<Vec<Applied>, Refused>> {
        self.write("apply", |_| Err(Refused::NotFound))
    }

    fn revisions(&self, id: MonitorId) -> Answered<'_, Vec<Revision>> {
        self.read("revisions", |rows| {
            rows.revisions.iter().filter(|revision| revision.id == id).cloned().collect()
        })
    }

    fn mark_action(&self, id: ActionId, broken: String) -> Answered<'_, ()> {
        self.write("mark_action", |rows| {
            rows.actions
                .iter_mut()
                .filter(|action| action.id == id)
                .for_each(|action| action.broken = broken.clone());
        })
    }

    fn applied_file(&self, _: Arc<str>) -> Answered<'_, Option<[u8; 32]>> {
        self.read("applied_file", |_| None)
    }

    fn remember_file(&self, _: Arc<str>, _: [u8; 32]) -> Answered<'_, ()> {
        self.write("remember_file", |_| ())
    }
}

impl States for MemoryStore {
    fn load(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Loaded>>> {
        self.read("load", |rows| {
            let load = |monitor: MonitorId| {
                let fresh = || (Observed::default(), State::new(Instant::ZERO, 1));
                let (observed, state) = rows.states.get(&monitor).cloned().unwrap_or_else(fresh);
                let track = rows.beats.tracks.get(&monitor).cloned().map(Box::new);
                rows.exists(monitor).then_some(Loaded { monitor, observed, state, track })
            };
            monitors.into_iter().map(load).collect()
        })
    }

    fn all(&self) -> Answered<'_, Vec<Loaded>> {
        self.read("all", |_| Vec::new())
    }

    fn commit(&self, batch: Vec<Commit>) -> Answered<'_, Vec<Answer>> {
        self.write("commit", |rows| batch.into_iter().map(|commit| rows.commit(commit)).collect())
    }
}

impl Outcomes for MemoryStore {
    fn range(&self, _: OutcomeQuery) -> Answered<'_, Vec<OutcomeRow>> {
        self.read("range", |_| Vec::new())
    }

    fn known(&self, keys: Vec<OutcomeKey>) -> Answered<'_, Vec<bool>> {
        self.read("known", |rows| keys.iter().map(|key| rows.is_known(key)).collect())
    }

    fn gaps(&self, _: MonitorId, _: Instant, _: Instant) -> Answered<'_, Vec<Gap>> {
        self.read("gaps", |rows| rows.gaps.clone())
    }

    fn evidence(&self, _: EvidenceId) -> Answered<'_, Option<EvidenceRow>> {
        self.read("evidence", |_| None)
    }

    fn evidence_of(&self, _: MonitorId, _: Option<IncidentId>, _: usize) -> Answered<'_, Vec<EvidenceRow>> {
        self.read("evidence_of", |_| Vec::new())
    }

    fn certificate(&self, _: MonitorId) -> Answered<'_, Option<Certificate>> {
        self.read("certificate", |_| None)
    }

    fn transitions(&self, _: MonitorId, _: usize) -> Answered<'_, Vec<TransitionRow>> {
        self.read("transitions", |_| Vec::new())
    }

    fn retain(&self, _: Instant) -> Answered<'_, usize> {
        self.write("retain", |_| 0)
    }
}

impl Incidents for MemoryStore {
    fn spare(&self) -> Answered<'_, IncidentId> {
        self.read("spare", |rows| {
            rows.spare += 1;
            IncidentId(rows.spare)
        })
    }

    fn list(&self, _: IncidentFilter) -> Answered<'_, IncidentPage> {
        self.read("list", |_| IncidentPage::default())
    }

    fn get(&self, _: IncidentId) -> Answered<'_, Option<(Incident, Vec<Entry>)>> {
        self.read("get", |_| None)
    }

    fn change(&self, _: IncidentChange, _: Vec<Event>) -> Answered<'_, bool> {
        self.write("change", |_| false)
    }
}

impl Timers for MemoryStore {
    fn due(&self, now: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.read("due", |rows| {
            let timers = rows
                .states
                .iter()
                .filter_map(|(id, (_, state))| Some(Timer { due: state.timer()?, monitor: *id }));
            let mut due: Vec<Timer> = timers.filter(|timer| timer.due <= now).collect();
            due.sort_unstable();
            due.truncate(limit);
            due
        })
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.read("next", |rows| rows.states.values().filter_map(|(_, state)| state.timer()).min())
    }
}

impl Leases for MemoryStore {
    fn hold(&self, node: NodeId, term: Duration) -> Answered<'_, (Vec<Held>, Instant)> {
        self.write("hold", |rows| {
            let epoch = match rows.holder {
                Some((holder, epoch)) if holder == node => epoch,
                Some((_, epoch)) => epoch + 1,
                None => 1,
            };
            rows.holder = Some((node, epoch));
            let until = rows.now + term;
            ((0..bw_domain::limits::SHARDS).map(|shard| Held { shard, epoch, until }).collect(), rows.now)
        })
    }

    fn release(&self, _: NodeId) -> Answered<'_, ()> {
        self.write("release", |_| ())
    }
}

impl Accounts for MemoryStore {
    fn watermarks(&self, shards: Vec<u16>) -> Answered<'_, Vec<Watermarks>> {
        self.read("watermarks", |rows| {
            let fresh = |shard| Watermarks {
                shard,
                published: bw_testkit::builders::START,
                accounted: bw_testkit::builders::START,
            };
            shards.into_iter().map(|shard| rows.marks.get(&shard).copied().unwrap_or(fresh(shard))).collect()
        })
    }

    fn advance(&self, moves: Vec<(u16, u64, Watermark, Instant)>) -> Answered<'_, Vec<bool>> {
        self.write("advance", |rows| {
            let holder = rows.holder.map(|(_, epoch)| epoch);
            let mut answers = Vec::new();
            for (shard, epoch, which, to) in moves {
                let fresh = Watermarks {
                    shard,
                    published: bw_testkit::builders::START,
                    accounted: bw_testkit::builders::START,
                };
                let ours = holder == Some(epoch);
                let marks = rows.marks.entry(shard).or_insert(fresh);
                match which {
                    Watermark::Published if ours => marks.published = marks.published.max(to),
                    Watermark::Accounted if ours => marks.accounted = marks.accounted.max(to),
                    _ => {}
                }
                answers.push(ours);
            }
            answers
        })
    }

    fn gap(&self, gaps: Vec<(u64, Gap)>) -> Answered<'_, Vec<bool>> {
        self.write("gap", |rows| {
            for (_, gap) in &gaps {
                let to = Watermarks { shard: gap.shard, published: gap.to, accounted: gap.to };
                rows.marks.insert(gap.shard, to);
                rows.gaps.push(*gap);
            }
            vec![true; gaps.len()]
        })
    }
}

impl Access for MemoryStore {
    fn tokens(&self) -> Answered<'_, Vec<Token>> {
        self.read("tokens", |_| Vec::new())
    }

    fn add_token(&self, _: Token) -> Answered<'_, TokenId> {
        self.write("add_token", |_| TokenId(1))
    }

    fn revoke_token(&self, _: TokenId, _: Instant) -> Answered<'_, bool> {
        self.write("revoke_token", |_| false)
    }

    fn session(&self, _: [u8; 32]) -> Answered<'_, Option<Session>> {
        self.read("session", |_| None)
    }

    fn put_session(&self, _: Session) -> Answered<'_, ()> {
        self.write("put_session", |_| ())
    }

    fn end_session(&self, _: [u8; 32]) -> Answered<'_, ()> {
        self.write("end_session", |_| ())
    }

    fn end_idle_sessions(&self, _: Instant) -> Answered<'_, ()> {
        self.write("end_idle_sessions", |_| ())
    }
}
