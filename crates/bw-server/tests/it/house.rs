//! A server on a store of its own in a temporary directory, with a clock that stands still and a prober that
//! answers what it is told.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::job::Job;
use bw_domain::monitor::Defaults;
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::port::store::{Answer, Commit};
use bw_domain::port::wake::{Topic, Wake};
use bw_domain::schedule::Grid;
use bw_domain::state::{Context, Trigger, step};
use bw_domain::time::{Duration, Instant};
use bw_engine::catalog::LiveCatalog;
use bw_engine::usecase::Services;
use bw_engine::usecase::system::{Process, StoreFigures};
use bw_engine::vitals::{LoopName, Vitals};
use bw_server::auth::AuthConfig;
use bw_server::{App, router};
use bw_store::sqlite::{Handle, Options, open};
use bw_store::{Retention, SealKey};
use bw_testkit::builders::{START, fail, pass};
use bw_testkit::clock::ManualClock;
use bw_testkit::dice::Dice;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tower::ServiceExt;

/// The server and what stands behind it.
pub struct House {
    pub app: App,
    pub clock: Arc<ManualClock>,
    router: Router,
    _store: Handle,
    _directory: tempfile::TempDir,
}

/// An answer.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("answers are UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }

    /// The code of a problem document; empty for anything else.
    pub fn problem(&self) -> String {
        if self.header("content-type") != "application/problem+json" {
            return String::new();
        }
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        for member in ["type", "title", "detail"] {
            assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {document}");
        }
        assert!(document["errors"].is_array());
        document["code"].as_str().expect("a code").to_owned()
    }
}

impl House {
    /// Open to this machine, as `bellwether serve` is by default.
    pub async fn new() -> Self {
        House::with(AuthConfig::default()).await
    }

    pub async fn with(auth: AuthConfig) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(START));
        let entropy = Arc::new(Dice::new(7));
        let opened = open(Options {
            directory: directory.path().to_owned(),
            key: SealKey::new([7; 32]),
            retention: Retention::default(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        })
        .expect("a store");
        let defaults = Arc::new(Defaults::default());
        let services = Services {
            beats: Arc::default(),
            store: opened.store,
            catalog: Arc::new(LiveCatalog::new(defaults.clone())),
            queue: Arc::new(EmptyQueue),
            prober: Arc::new(Passing),
            clock: clock.clone(),
            entropy,
            wake: Arc::new(Nobody),
            vitals: Arc::new(Vitals::default()),
            defaults,
            base_url: "".into(),
            pulse_slack: None,
        };
        services.catalog.refresh(&services.store).await.expect("a catalog");
        let figures =
            || StoreFigures { kind: "sqlite", place: "bellwether.db".to_owned(), bytes: Some(4_096) };
        let mut process = Process::new("0.1.0", START, figures);
        process.loops = vec![LoopName::Plan, LoopName::Judge];
        process.roles = vec!["serve"];
        process.set_started();
        let app = App::new(services, Arc::new(process), auth);
        let router = router(app.clone());
        House { app, clock, router, _store: opened.handle, _directory: directory }
    }

    /// Sends a request from this machine: `METHOD PATH`, with a JSON body unless it is null.
    pub async fn ask(&self, what: &str, body: Value) -> Reply {
        self.send(self.request(what, body)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), Value::Null).await
    }

    /// The request that `ask` sends, for those who add to it.
    pub fn request(&self, what: &str, body: Value) -> Request<Body> {
        let (method, path) = what.split_once(' ').expect("METHOD PATH");
        let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        let here: SocketAddr = "127.0.0.1:50000".parse().expect("an address");
        let request = request.extension(ConnectInfo(here));
        match body {
            Value::Null => request.body(Body::empty()),
            body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        }
        .expect("a request")
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        House::send_to(&self.router, request).await
    }

    /// Sends a request to another router.
    pub async fn send_to(router: &Router, request: Request<Body>) -> Reply {
        let response = router.clone().oneshot(request).await.expect("it always answers");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Declares a monitor through `/api/v1` and answers its id.
    pub async fn declare(&self, document: Value) -> i64 {
        let reply = self.ask("POST /api/v1/monitors", document).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()["id"].as_i64().expect("an id")
    }

    /// Lets the edit lead pass, so that slots belong to the newest revision.
    pub fn settle(&self) {
        self.clock.advance(Duration::from_secs(3));
    }

    /// Moves to the monitor's next slot and commits what a probe saw there. Answers the slot.
    pub async fn observe(&self, id: i64, seen: Seen) -> Instant {
        let id = MonitorId(id);
        let spec = self.app.services.catalog.get(id).expect("a monitor");
        let slot = Grid::of(id, spec.policy.every).after(self.clock.now());
        self.clock.advance(slot.since(self.clock.now()));
        for vantage in &spec.policy.vantages {
            let job = Job { vantage: *vantage, ..bw_testkit::builders::job(&spec, slot) };
            self.commit(id, seen.of(job)).await;
        }
        // The probes began three milliseconds after their slot.
        self.clock.advance(Duration::from_millis(3));
        slot
    }

    /// Lets slots pass without anybody looking.
    pub fn skip(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn commit(&self, id: MonitorId, outcome: Outcome) {
        let services = &self.app.services;
        let spec = services.catalog.get(id).expect("a monitor");
        let loaded =
            services.store.states.load(vec![id]).await.expect("rows").pop().flatten().expect("a row");
        let spare: IncidentId = services.store.incidents.spare().await.expect("an id");
        let context = Context { now: outcome.at, spare, base_url: "", actor: "" };
        let step = step(&spec, &loaded.observed, &loaded.state, Trigger::Outcome(&outcome), &context);
        let commit = Commit {
            monitor: id,
            expect_seq: loaded.observed.seq,
            outcome: Some(outcome),
            keep_evidence: step.keep_evidence,
            observed: step.observed,
            state: step.state,
            transition: step.transition,
            incident: step.incident,
            events: step.events.into_vec(),
            track: None,
        };
        let answers = services.store.states.commit(vec![commit]).await.expect("a commit");
        assert_eq!(answers, [Answer::Committed]);
    }
}

/// What a probe sees.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    Pass,
    Fail(Code),
    /// A pass that took so many milliseconds.
    Slow(u32),
}

impl Seen {
    fn of(self, job: Job) -> Outcome {
        match self {
            Seen::Pass => pass(job),
            Seen::Fail(code) => fail(job, code),
            Seen::Slow(ms) => Outcome { latency_us: ms * 1_000, ..pass(job) },
        }
    }
}

struct Passing;

impl Prober for Passing {
    fn room(&self) -> usize {
        0
    }

    fn start(&self, batch: Vec<Assignment>) -> Vec<Assignment> {
        batch
    }

    fn finished(&self, _: usize) -> Fut<'_, Vec<Outcome>> {
        Box::pin(std::future::pending())
    }

    fn take(&self, _: usize) -> Vec<Outcome> {
        Vec::new()
    }

    fn once(&self, assignment: Assignment) -> Fut<'_, Outcome> {
        Box::pin(std::future::ready(pass(assignment.job)))
    }
}

struct EmptyQueue;

impl Queue for EmptyQueue {
    fn publish(&self, _: Lane, _: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn receive(&self, _: usize, _: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn ack(&self, _: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn release(&self, _: Vec<Lease>, _: Duration) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn extend(&self, _: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        Box::pin(std::future::ready(Ok(Depth::default())))
    }

    fn lead(&self) -> Duration {
        Duration::ZERO
    }
}

struct Nobody;

impl Wake for Nobody {
    fn notify(&self, _: Topic) {}

    fn wait(&self, _: Topic) -> Fut<'_, ()> {
        Box::pin(std::future::pending())
    }
}
