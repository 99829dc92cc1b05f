//! Single loops, ticked by hand over ports in memory. The clock stands still unless a test turns it.

mod deliver;
mod flow;
mod ingest;
mod judge;
mod plan;
mod store;
mod sweep;
mod work;

use super::{Next, Parts, Tick, all};
use crate::catalog::LiveCatalog;
use crate::inbox::Inbox;
use crate::usecase::Services;
use crate::vitals::{LoopName, Vitals};
use bw_domain::action::{Action, ActionKind};
use bw_domain::delivery::{Attempt, AttemptResult, Receipt};
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::job::Job;
use bw_domain::outcome::Outcome;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::port::store::NodeId;
use bw_domain::port::wake::{Topic, Wake};
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::{START, revision};
use bw_testkit::clock::ManualClock;
use bw_testkit::dice::Dice;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use store::MemoryStore;

/// What the other ports were asked, and what they answer.
#[derive(Default)]
struct Around {
    /// Published and not yet received, with their lane.
    jobs: VecDeque<(Lane, Job)>,
    leases: u64,
    acked: Vec<Lease>,
    released: Vec<Lease>,
    extended: Vec<Lease>,
    queue_full: bool,
    depth: usize,
    room: usize,
    started: Vec<Assignment>,
    finished: Vec<Outcome>,
    dispatched: Vec<Dispatch>,
    /// What the sink of an address answers; without one it takes everything.
    sinks: BTreeMap<String, AttemptResult>,
    /// Sinks that do not answer.
    hanging: BTreeSet<String>,
    notified: Vec<Topic>,
}

#[derive(Clone, Default)]
struct Ports(Arc<Mutex<Around>>);

impl Ports {
    fn lock(&self) -> MutexGuard<'_, Around> {
        self.0.lock().expect("no test panics while holding the ports")
    }
}

impl Queue for Ports {
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        let mut around = self.lock();
        if around.queue_full {
            return Box::pin(ready(Err(QueueError::Full(around.jobs.len()))));
        }
        around.jobs.extend(jobs.into_iter().map(|job| (lane, job)));
        Box::pin(ready(Ok(())))
    }

    fn receive(&self, max: usize, _: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        let mut around = self.lock();
        let count = max.min(around.jobs.len());
        let taken: Vec<(Lane, Job)> = around.jobs.drain(..count).collect();
        let mut leased = Vec::new();
        for (_, job) in taken {
            around.leases += 1;
            leased.push(Leased { job, lease: Lease(Box::new(around.leases.to_le_bytes())) });
        }
        Box::pin(ready(Ok(leased)))
    }

    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        self.lock().acked.extend(leases);
        Box::pin(ready(Ok(())))
    }

    fn release(&self, leases: Vec<Lease>, _: Duration) -> Fut<'_, Result<(), QueueError>> {
        self.lock().released.extend(leases);
        Box::pin(ready(Ok(())))
    }

    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        self.lock().extended.extend(leases);
        Box::pin(ready(Ok(())))
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        let planned = self.lock().depth;
        Box::pin(ready(Ok(Depth { planned, ..Depth::default() })))
    }

    fn lead(&self) -> Duration {
        Duration::ZERO
    }
}

impl Prober for Ports {
    fn room(&self) -> usize {
        let around = self.lock();
        around.room.saturating_sub(around.started.len())
    }

    fn start(&self, mut batch: Vec<Assignment>) -> Vec<Assignment> {
        let beyond = batch.split_off(self.room().min(batch.len()));
        self.lock().started.extend(batch);
        beyond
    }

    fn finished(&self, max: usize) -> Fut<'_, Vec<Outcome>> {
        Box::pin(std::future::poll_fn(move |_| {
            let taken = self.take(max);
            if taken.is_empty() { Poll::Pending } else { Poll::Ready(taken) }
        }))
    }

    fn take(&self, max: usize) -> Vec<Outcome> {
        let mut around = self.lock();
        let count = max.min(around.finished.len());
        around.finished.drain(..count).collect()
    }

    fn once(&self, _: Assignment) -> Fut<'_, Outcome> {
        Box::pin(pending())
    }
}

impl Sender for Ports {
    fn send(&self, dispatch: Dispatch) -> Fut<'_, Receipt> {
        let url = match &*dispatch.action {
            ActionKind::Slack { url } | ActionKind::Webhook { url, .. } => url.expose().to_owned(),
            ActionKind::Log => "log".to_owned(),
        };
        let mut around = self.lock();
        around.dispatched.push(dispatch);
        if around.hanging.contains(&url) {
            return Box::pin(pending());
        }
        let result = around.sinks.get(&url).copied().unwrap_or(AttemptResult::Sent);
        let status = if result == AttemptResult::Sent { 200 } else { 503 };
        let attempt = Attempt { at: START, took_ms: 5, result, status, text: format!("status {status}") };
        Box::pin(ready(Receipt { attempt, retry_after: None }))
    }
}

impl Wake for Ports {
    fn notify(&self, topic: Topic) {
        self.lock().notified.push(topic);
    }

    fn wait(&self, _: Topic) -> Fut<'_, ()> {
        Box::pin(pending())
    }
}

/// One process with everything around it.
struct World {
    store: MemoryStore,
    ports: Ports,
    clock: Arc<ManualClock>,
    parts: Parts,
    loops: Vec<Box<dyn Tick>>,
}

impl World {
    fn new() -> Self {
        let (store, ports) = (MemoryStore::default(), Ports::default());
        ports.lock().room = 100;
        let clock = Arc::new(ManualClock::new(START));
        World::process(store, ports, clock, 1)
    }

    fn process(store: MemoryStore, ports: Ports, clock: Arc<ManualClock>, node: u128) -> Self {
        let defaults = Arc::default();
        let services = Services {
            beats: Arc::default(),
            store: store.store(),
            catalog: Arc::new(LiveCatalog::new(Arc::clone(&defaults))),
            queue: Arc::new(ports.clone()),
            prober: Arc::new(ports.clone()),
            clock: clock.clone(),
            entropy: Arc::new(Dice::new(7)),
            wake: Arc::new(ports.clone()),
            vitals: Arc::new(Vitals::default()),
            defaults,
            base_url: "".into(),
            pulse_slack: None,
        };
        let (sender, inbox) = (Arc::new(ports.clone()), Arc::new(Inbox::default()));
        let parts = Parts { services, sender, inbox, node: NodeId(node) };
        let loops = all(&parts);
        World { store, ports, clock, parts, loops }
    }

    /// The process is killed; what was in the queue and in memory is gone.
    fn killed(self) -> Self {
        self.ports.lock().jobs.clear();
        self.ports.lock().started.clear();
        World::process(self.store, self.ports, self.clock, self.parts.node.0 + 1)
    }

    fn declare(&self, id: i64, number: u32, after: Duration, document: &Value) {
        let mut rows = self.store.rows();
        rows.revisions.push(revision(id, number, START + after, document));
    }

    fn action(&self, id: i64, url: &str) {
        let kind = ActionKind::Slack { url: bw_domain::secret::Secret::new(url) };
        let action = Action {
            id: ActionId(id),
            name: format!("action {id}"),
            owner: None,
            kind,
            broken: String::new(),
        };
        self.store.rows().actions.push(action);
    }

    /// Lets time pass for everybody.
    fn pass(&self, by: Duration) {
        self.clock.advance(by);
        self.store.rows().now = self.clock.now();
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn find(&mut self, name: LoopName) -> &mut Box<dyn Tick> {
        self.loops.iter_mut().find(|looped| looped.name() == name).expect("every loop is there")
    }

    /// One tick; then its own calls get their turn.
    fn tick(&mut self, name: LoopName) -> Next {
        let looped = self.find(name);
        let next = now(looped.tick());
        once(looped.progress());
        next
    }

    /// Ticks of several loops, one after the other, so many times.
    fn ticks(&mut self, names: &[LoopName], times: usize) {
        for _ in 0..times {
            for name in names {
                self.tick(*name);
            }
        }
    }

    /// `plan` holds its shards and has read the edits.
    fn ready_to_plan(&mut self) {
        self.store.rows().now = self.now();
        self.ticks(&[LoopName::Lease, LoopName::Plan], 3);
    }

    /// The jobs in the queue, without receiving them.
    fn slots(&self) -> Vec<(i64, i64)> {
        let around = self.ports.lock();
        around.jobs.iter().map(|(_, job)| (job.monitor.0, (job.slot.ms() - START.ms()) / 1_000)).collect()
    }

    fn health(&self, id: i64) -> &'static str {
        self.store.rows().states.get(&MonitorId(id)).map_or("none", |(_, state)| state.health.word())
    }
}

/// The answer of a future that need not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match once(future) {
        Some(answer) => answer,
        None => panic!("every port answers at once, so a tick need not wait"),
    }
}

/// Polls once.
fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

#[test]
fn there_is_one_of_each() {
    let names: Vec<LoopName> = World::new().loops.iter().map(|looped| looped.name()).collect();
    let distinct: BTreeSet<LoopName> = names.iter().copied().collect();
    assert_eq!(distinct, LoopName::ALL.into_iter().collect());
    assert_eq!(names.len(), distinct.len());
    let topics: Vec<Topic> = World::new().loops.iter().flat_map(|looped| looped.topics().to_vec()).collect();
    let heard: BTreeSet<Topic> = topics.iter().copied().collect();
    assert_eq!(topics.len(), heard.len(), "a topic wakes one loop");
}
