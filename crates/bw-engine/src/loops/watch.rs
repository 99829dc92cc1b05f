//! `watch` measures ourselves and says when a bound is passed: once an episode, as an event and in the log. It also
//! keeps the catalog fresh where nothing else does.

use super::shards::Shards;
use super::{Next, Parts, Tick, noted, written};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::event::{Event, EventKind, Severity};
use bw_domain::id::EventId;
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::store::{NodeId, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::{Duration, Instant, Span};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const ROUND: Duration = Duration::from_secs(1);
/// Nobody asks about slots that are so old, unless accounting is behind.
const HISTORY: Duration = Duration::from_secs(15 * 60);
/// Accounting is behind by the longest window of a slot even when all is well.
const ACCOUNTED_BOUND: Duration = Duration::from_secs(5 * 60);

/// The loop.
pub(super) struct Watcher {
    services: Services,
    shards: Arc<Shards>,
    node: NodeId,
    /// Bounds that are passed at present, and since when.
    passed: BTreeMap<&'static str, Instant>,
    /// Events that the store has not taken yet.
    to_raise: Vec<Event>,
}

/// One bound.
struct Bound {
    key: &'static str,
    kind: EventKind,
    /// What to say while it is passed; `None` while all is well.
    passed: Option<String>,
}

impl Watcher {
    pub fn new(parts: &Parts, shards: Arc<Shards>) -> Self {
        let (services, node) = (parts.services.clone(), parts.node);
        Watcher { services, shards, node, passed: BTreeMap::new(), to_raise: Vec::new() }
    }

    async fn watch(&mut self) {
        if let Err(error) = self.measure().await {
            tracing::debug!("not everything could be measured: {error}");
        }
        let now = self.services.clock.now();
        for bound in self.bounds(now) {
            self.look(bound, now);
        }
        self.raise().await;
    }

    async fn measure(&self) -> Result<(), StoreError> {
        let services = &self.services;
        let (store, vitals, now) = (&services.store, &services.vitals, services.clock.now());
        let (mut published, mut accounted) = (now, now);
        for shard in self.shards.all(services.clock.monotonic()).values() {
            if let Some(marks) = &shard.marks {
                published = published.min(marks.published);
                accounted = accounted.min(marks.accounted);
            }
        }
        put(&vitals.schedule_lag, now.since(published));
        put(&vitals.accounted_lag, now.since(accounted));
        if let Ok(depth) = services.queue.depth().await {
            vitals.queue_now.store(depth.now as u64, Relaxed);
            vitals.queue_planned.store(depth.planned as u64, Relaxed);
            put(&vitals.queue_oldest, depth.oldest);
        }
        noted(services, services.catalog.refresh(store).await)?;
        services.catalog.forget(accounted.min(now - HISTORY));
        let (_, oldest) = noted(services, store.deliveries.backlog().await)?;
        put(&vitals.delivery_oldest, oldest.map_or(Duration::ZERO, |at| now.since(at)));
        Ok(())
    }

    fn bounds(&self, now: Instant) -> [Bound; 5] {
        let vitals = &self.services.vitals;
        let ms = |value: &AtomicU64| Duration::from_millis(value.load(Relaxed));
        let (lag, accounted) = (ms(&vitals.schedule_lag), ms(&vitals.accounted_lag));
        let lag = if lag > limits::LAG_BOUND {
            Some(format!("slots are handed out {} late", Span(lag)))
        } else {
            (accounted > ACCOUNTED_BOUND).then(|| format!("slots are accounted for {} late", Span(accounted)))
        };
        let queue = vitals.queue_planned.load(Relaxed);
        let queue = (queue >= limits::QUEUE_JOBS as u64).then(|| format!("{queue} jobs wait in the queue"));
        let away = vitals.store_away().filter(|since| now.since(*since) > limits::STORE_AWAY);
        let away = away.map(|since| format!("the store takes nothing since {since}"));
        let offset = vitals.clock_offset.load(Relaxed);
        let clock = offset.unsigned_abs() > limits::CLOCK_OFFSET.as_millis() as u64;
        let clock = clock
            .then(|| format!("this node's clock differs from the store's by {offset} ms: it does not plan"));
        let clock = clock.or_else(|| self.went_back(now));
        let blind = vitals
            .blind
            .load(Relaxed)
            .then(|| "this observer has lost its own network: it abstains".to_owned());
        [
            Bound { key: "lag", kind: EventKind::SystemLag, passed: lag },
            Bound { key: "queue", kind: EventKind::SystemQueue, passed: queue },
            Bound { key: "store", kind: EventKind::SystemStore, passed: away },
            Bound { key: "clock", kind: EventKind::SystemClock, passed: clock },
            Bound { key: "blind", kind: EventKind::LocationBlind, passed: blind },
        ]
    }

    /// Slots of the future have had their turn: the clock was set back, and nothing is probed until it is there again.
    fn went_back(&self, now: Instant) -> Option<String> {
        let shards = self.shards.all(self.services.clock.monotonic());
        let published = shards.values().filter_map(|shard| Some(shard.marks.as_ref()?.published)).max()?;
        let ahead = published.since(now);
        (ahead > limits::LAG_BOUND + self.services.queue.lead()).then(|| {
            format!("the clock was set back by {}: slots until {published} have had their turn", Span(ahead))
        })
    }

    /// Begins or ends an episode.
    fn look(&mut self, bound: Bound, now: Instant) {
        let Bound { key, kind, passed } = bound;
        match (passed, self.passed.contains_key(key)) {
            (Some(text), false) => {
                tracing::warn!("{kind}: {text}");
                self.passed.insert(key, now);
                self.to_raise.push(self.event(kind, now, Severity::Warning, text));
            }
            (None, true) => {
                let since = self.passed.remove(key).unwrap_or(now);
                tracing::warn!("{kind}: over, it began at {since}");
                if kind == EventKind::LocationBlind {
                    let text = format!("this observer sees again; it was blind since {since}");
                    self.to_raise.push(self.event(EventKind::LocationBack, now, Severity::Info, text));
                }
            }
            _ => {}
        }
    }

    fn event(&self, kind: EventKind, now: Instant, severity: Severity, text: String) -> Event {
        let id = EventId::of(&[&self.node.0.to_le_bytes(), kind.name().as_bytes(), &now.ms().to_le_bytes()]);
        let mut event = Event::new(id, kind, now, severity, text);
        if matches!(kind, EventKind::LocationBlind | EventKind::LocationBack) {
            event.location = Some(serde_json::json!({"name": "local"}));
        }
        event
    }

    /// What happened while the store was away is told when it is back.
    async fn raise(&mut self) {
        if self.to_raise.is_empty() {
            return;
        }
        let raised = self.services.store.deliveries.raise(self.to_raise.clone()).await;
        if written(&self.services, raised).is_ok() {
            self.to_raise.clear();
            self.services.wake.notify(Topic::Events);
        }
    }
}

fn put(gauge: &AtomicU64, value: Duration) {
    gauge.store(value.as_millis() as u64, Relaxed);
}

impl Tick for Watcher {
    fn name(&self) -> LoopName {
        LoopName::Watch
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(async move {
            self.watch().await;
            Next::At(self.services.clock.now() + ROUND)
        })
    }
}
