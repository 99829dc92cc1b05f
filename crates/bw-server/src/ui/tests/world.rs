//! A server with a real store and nothing behind it: monitors are declared by the verbs, probed by hand, judged by
//! the state machine, and looked at through the router without sockets.

use crate::auth::AuthConfig;
use crate::{App, router};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::id::IncidentId;
use bw_domain::job::Job;
use bw_domain::monitor::{Defaults, Spec};
use bw_domain::outcome::{Code, Outcome, Verdict};
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::port::store::{Answer, Commit};
use bw_domain::port::wake::{Topic, Wake};
use bw_domain::schedule::Grid;
use bw_domain::state::{Cell, Context, Health, Observed, Recent, State, Trigger, step};
use bw_domain::time::Duration;
use bw_engine::catalog::LiveCatalog;
use bw_engine::usecase::monitors::{self, Create};
use bw_engine::usecase::system::{Process, StoreFigures};
use bw_engine::usecase::{By, Services};
use bw_store::sqlite::{self, Options};
use bw_store::{Retention, SealKey};
use bw_testkit::builders::{START, declaration, pass};
use bw_testkit::clock::ManualClock;
use bw_testkit::dice::Dice;
use http::header::{CONTENT_TYPE, HOST, LOCATION, ORIGIN};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// The server and what stands around it.
pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub prober: Arc<Once>,
    directory: PathBuf,
    /// Keeps the store open.
    _handle: sqlite::Handle,
}

/// What was answered.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl World {
    /// Empty, at [`START`], without credentials.
    pub fn new() -> Self {
        World::guarded(AuthConfig::default())
    }

    /// Empty, with what is configured of access.
    pub fn guarded(auth: AuthConfig) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("bellwether-pages-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let directory = std::env::temp_dir().join(name);
        let clock = Arc::new(ManualClock::new(START));
        let dice = Arc::new(Dice::new(7));
        let options = Options {
            directory: directory.clone(),
            key: SealKey::new([7; 32]),
            retention: Retention::default(),
            clock: clock.clone(),
            entropy: dice.clone(),
        };
        let opened = sqlite::open(options).expect("a new directory opens");
        let prober = Arc::new(Once::default());
        let defaults = Arc::new(Defaults::default());
        let services = Services {
            beats: Arc::default(),
            store: opened.store,
            catalog: Arc::new(LiveCatalog::new(defaults.clone())),
            queue: Arc::new(NoQueue),
            prober: prober.clone(),
            clock: clock.clone(),
            entropy: dice,
            wake: Arc::new(NoWake),
            vitals: Arc::default(),
            defaults,
            base_url: "".into(),
            pulse_slack: None,
        };
        let figures = || StoreFigures { kind: "sqlite", place: "bellwether.db".into(), bytes: Some(81_920) };
        let process = Arc::new(Process::new("0.1.0", START, figures));
        process.set_started();
        World { app: App::new(services, process, auth), clock, prober, directory, _handle: opened.handle }
    }

    /// Declares a monitor.
    pub async fn declare(&self, document: Value) -> Arc<Spec> {
        let create = Create { declared: declaration(&document), idempotency_key: None };
        let view = monitors::create(&self.app.services, create, By::hand("admin")).await.expect("it is good");
        view.spec
    }

    /// One probe of a monitor for the slot that began now; `change` makes it what it was.
    pub async fn probe(&self, spec: &Spec, change: impl FnOnce(Outcome) -> Outcome) {
        let services = &self.app.services;
        let slot = Grid::of(spec.id, spec.policy.every).at_or_before(self.clock.now());
        let mut outcome = change(pass(bw_testkit::builders::job(spec, slot)));
        outcome.at = slot + Duration::from_millis(3);
        let loaded = services.store.states.load(vec![spec.id]).await.expect("it is there");
        let loaded = loaded.into_iter().next().flatten().expect("it has rows");
        let spare = services.store.incidents.spare().await.expect("there is one");
        let now = self.clock.now() + Duration::from_millis(40);
        let context = Context { now, spare, base_url: "", actor: "" };
        let step = step(spec, &loaded.observed, &loaded.state, Trigger::Outcome(&outcome), &context);
        let commit = Commit {
            monitor: spec.id,
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
        let answers = services.store.states.commit(vec![commit]).await.expect("it commits");
        assert_eq!(answers, [Answer::Committed]);
    }

    /// Puts the last slots of a monitor into its row of observations, without outcomes: their latencies, or `None` for
    /// a fail.
    pub async fn seen(&self, spec: &Spec, count: u32, latency_us: impl Fn(u32) -> Option<u32>) {
        let services = &self.app.services;
        let newest = Grid::of(spec.id, spec.policy.every).at_or_before(self.clock.now());
        let mut recent = Recent::default();
        for index in 0..count {
            let slot = newest - spec.policy.every * (count - 1 - index);
            let verdict = if latency_us(index).is_some() { Verdict::Pass } else { Verdict::Fail };
            recent.put(slot, spec.policy.every, verdict, latency_us(index).unwrap_or(90_000));
        }
        let loaded = services.store.states.load(vec![spec.id]).await.expect("it is there");
        let loaded = loaded.into_iter().next().flatten().expect("it has rows");
        let cell = Cell {
            vantage: spec.policy.vantages[0],
            revision: spec.revision,
            slot: newest,
            r#try: 0,
            at: newest,
            verdict: Verdict::Pass,
            code: Code::OK,
            latency_us: latency_us(count - 1).unwrap_or(0),
            streak: 1,
            conclusive_at: newest,
            certificate: 0,
            recent,
        };
        let observed = Observed { seq: loaded.observed.seq, cells: [cell].into_iter().collect() };
        let state = State { health: Health::Up, round: None, ..loaded.state };
        let commit = Commit {
            monitor: spec.id,
            expect_seq: loaded.observed.seq,
            outcome: None,
            keep_evidence: false,
            observed: Some(observed),
            state: Some(state),
            transition: None,
            incident: None,
            events: Vec::new(),
            track: None,
        };
        let answers = services.store.states.commit(vec![commit]).await.expect("it commits");
        assert_eq!(answers, [Answer::Committed]);
    }

    /// `count` slots of a monitor; the clock stands just after the last.
    pub async fn slots(&self, spec: &Spec, count: u32, change: impl Fn(u32, Outcome) -> Outcome) {
        for index in 0..count {
            let slot = Grid::of(spec.id, spec.policy.every).after(self.clock.now());
            self.clock.step_to(slot + Duration::from_millis(50));
            self.probe(spec, |outcome| change(index, outcome)).await;
        }
    }

    /// Time passes.
    pub fn wait(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The incident that is open.
    pub async fn open_incident(&self, spec: &Spec) -> IncidentId {
        let view = monitors::get(&self.app.services, spec.id).await.expect("it is there");
        view.state.incident.expect("one is open")
    }

    /// Everything that is served.
    pub fn router(&self) -> Router {
        router(self.app.clone())
    }

    /// `GET`, as a browser on this machine asks.
    pub async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// `POST` of a form, as a browser on this machine sends it.
    pub async fn post(&self, path: &str, form: &str) -> Page {
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, "http://127.0.0.1:8080")
            .body(Body::from(form.to_owned()));
        self.ask(request.expect("a request")).await
    }

    /// Any request, from this machine.
    pub async fn ask(&self, mut request: Request<Body>) -> Page {
        let peer: SocketAddr = "127.0.0.1:50000".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        request.headers_mut().entry(HOST).or_insert("127.0.0.1:8080".parse().expect("a host"));
        let response = self.router().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is whole").to_bytes();
        let html = String::from_utf8(bytes.to_vec()).expect("pages are text");
        Page { status: parts.status, headers: parts.headers, html }
    }
}

impl Page {
    /// Asserts that the page holds this, as it stands in its source.
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.html.contains(text), "the page does not say {text:?}:\n{}", self.html);
    }

    /// Where the browser is sent.
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().expect("text"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            eprintln!("{} stays: {error}", self.directory.display());
        }
    }
}

/// A prober that answers one probe at a time with what it was told.
#[derive(Default)]
pub struct Once(Mutex<Option<Outcome>>);

impl Once {
    /// The next probe sees this.
    pub fn sees(&self, outcome: Outcome) {
        *self.0.lock().expect("nobody panics here") = Some(outcome);
    }
}

impl Prober for Once {
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
        let told = self.0.lock().expect("nobody panics here").take();
        let seen = told.unwrap_or_else(|| pass(assignment.job));
        Box::pin(async move { Outcome { job: assignment.job, ..seen } })
    }
}

struct NoQueue;

impl Queue for NoQueue {
    fn publish(&self, _: Lane, _: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }

    fn receive(&self, _: usize, _: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn ack(&self, _: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }

    fn release(&self, _: Vec<Lease>, _: Duration) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }

    fn extend(&self, _: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async { Ok(()) })
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        Box::pin(async { Ok(Depth::default()) })
    }

    fn lead(&self) -> Duration {
        Duration::ZERO
    }
}

struct NoWake;

impl Wake for NoWake {
    fn notify(&self, _: Topic) {}

    fn wait(&self, _: Topic) -> Fut<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// A failure of the target with this code, its phases cut where it failed.
pub fn failed(outcome: Outcome, code: Code) -> Outcome {
    bw_testkit::builders::fail(outcome.job, code)
}
