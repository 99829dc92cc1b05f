//! `monitor`: it answers in every case, and each overdue pulse is told of once, and its end once.

use super::*;
use bw_domain::delivery::{Attempt, AttemptResult, DeliveryState, Receipt};
use bw_domain::event::EventKind;
use bw_domain::port::Fut;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::port::store::{DeliveryFilter, NodeId};
use bw_domain::time::Duration;
use bw_engine::inbox::Inbox;
use bw_engine::loops::{Parts, Tick, all};
use futures_util::FutureExt;
use http::StatusCode;
use std::sync::{Arc, Mutex};

const TOLD: &str = "Check Slack for error notifications";
const NOT_TOLD: &str = "Could not send Slack notification";

/// A sink that remembers what it was sent.
#[derive(Default)]
struct Sink {
    sent: Mutex<Vec<Dispatch>>,
    /// It answers so; nothing: it takes what it is sent.
    fails: Mutex<Option<AttemptResult>>,
    clock: Option<Arc<dyn Clock>>,
}

impl Sender for Sink {
    fn send(&self, dispatch: Dispatch) -> Fut<'_, Receipt> {
        let fails = *self.fails.lock().expect("no test panics while it holds this");
        let result = fails.unwrap_or(AttemptResult::Sent);
        let at = self.clock.as_ref().expect("a clock").now();
        let attempt = Attempt { at, took_ms: 1, result, status: 200, text: "ok".to_owned() };
        self.sent.lock().expect("no test panics while it holds this").push(dispatch);
        Box::pin(std::future::ready(Receipt { attempt, retry_after: None }))
    }
}

/// The loops of one process, ticked by hand.
struct Process {
    loops: Vec<Box<dyn Tick>>,
}

impl Process {
    fn new(world: &World, sink: &Arc<Sink>, node: u128) -> Self {
        let services = world.app.services.clone();
        let inbox = Arc::new(Inbox::default());
        Process { loops: all(&Parts { services, sender: sink.clone(), inbox, node: NodeId(node) }) }
    }

    async fn round(&mut self) {
        for one in &mut self.loops {
            one.tick().await;
            one.progress().now_or_never();
        }
        tokio::task::yield_now().await;
    }

    /// Lets time pass in small steps, as it does.
    async fn pass(&mut self, world: &World, seconds: u64) {
        for _ in 0..seconds * 2 {
            world.house.clock.advance(Duration::from_millis(500));
            self.round().await;
        }
    }

    /// Asks, while the loops run.
    async fn ask(&mut self, world: &World) -> Reply {
        let path = format!("/heartbeat/monitor?secret={ENCODED}");
        let asked = world.get(&path);
        tokio::pin!(asked);
        loop {
            tokio::select! {
                biased;
                reply = &mut asked => return reply,
                () = self.round() => world.house.clock.advance(Duration::from_millis(1)),
            }
        }
    }
}

fn sink(world: &World) -> Arc<Sink> {
    Arc::new(Sink { clock: Some(world.house.clock.clone()), ..Sink::default() })
}

impl Sink {
    /// What each message told, by its lines, since the last look.
    fn take(&self) -> Vec<Vec<(EventKind, String)>> {
        let line = |event: &Arc<bw_domain::event::Event>| {
            (event.kind, event.monitor.as_ref().expect("its monitor").name.clone())
        };
        let mut sent = self.sent.lock().expect("no test panics while it holds this");
        sent.drain(..)
            .map(|dispatch| dispatch.merged.iter().chain([&dispatch.event]).map(line).collect())
            .collect()
    }

    fn fails(&self, fails: Option<AttemptResult>) {
        *self.fails.lock().expect("no test panics while it holds this") = fails;
    }
}

async fn two_overdue(world: &World, process: &mut Process) -> [MonitorId; 2] {
    let one = world.declare(["web1", "backup", "nightly", "db"], "60s", false).await;
    let two = world.declare(["web2", "backup", "nightly", "db"], "60s", true).await;
    world.declare(["web3", "backup", "nightly", "silent"], "60s", true).await;
    // A Wednesday.
    world.until(at("2026-11-25T09:00:00Z"));
    process.pass(world, 20).await;
    world.pulse(one).await;
    world.pulse(two).await;
    process.pass(world, 5).await;
    [one, two]
}

fn overdue(host: &str) -> (EventKind, String) {
    (EventKind::PulseOverdue, format!("{host} / backup / nightly / db"))
}

fn recovered(host: &str) -> (EventKind, String) {
    (EventKind::PulseRecovered, format!("{host} / backup / nightly / db"))
}

#[tokio::test]
async fn each_overdue_pulse_is_told_once_and_its_end_once() {
    let world = World::with(AuthConfig::default(), true).await;
    let sink = sink(&world);
    let mut process = Process::new(&world, &sink, 1);
    let [one, _] = two_overdue(&world, &mut process).await;
    let reply = process.ask(&world).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, "No heartbeat is overdue"));
    process.pass(&world, 60).await;
    assert!(sink.take().is_empty(), "nobody has asked");

    let reply = process.ask(&world).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, TOLD));
    assert_eq!(sink.take(), [[overdue("web1"), overdue("web2")]], "one message with both");
    // Again, by another node, after a restart of this one.
    let mut process = Process::new(&world, &sink, 2);
    for _ in 0..3 {
        let reply = process.ask(&world).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, TOLD));
        process.pass(&world, 2).await;
    }
    assert_eq!(sink.take(), Vec::<Vec<_>>::new());

    process.pass(&world, 20).await;
    world.pulse(one).await;
    process.pass(&world, 5).await;
    assert!(sink.take().is_empty(), "an end is told when somebody asks");
    assert_eq!(process.ask(&world).await.text(), TOLD);
    assert_eq!(sink.take(), [[recovered("web1")]]);
    assert_eq!(process.ask(&world).await.text(), TOLD, "the other is still overdue");
    assert!(sink.take().is_empty());

    // It falls silent once more: that is another incident.
    process.pass(&world, 70).await;
    assert_eq!(process.ask(&world).await.status, StatusCode::OK);
    assert_eq!(sink.take(), [[overdue("web1")]]);

    let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
    let ledger = world.app.services.store.deliveries.list(filter).await.expect("the ledger");
    assert_eq!(ledger.len(), 4);
    for item in &ledger {
        assert_eq!(
            (item.delivery.state, item.action_name.as_str()),
            (DeliveryState::Sent, "heartbeat_service")
        );
        let address = Some("https://beats.example.com/heartbeat/dashboard");
        assert_eq!(item.event.link.as_deref(), address, "without the secret");
    }
}

#[tokio::test]
async fn a_slack_that_fails_is_said_and_tried_again() {
    let world = World::with(AuthConfig::default(), true).await;
    let sink = sink(&world);
    let mut process = Process::new(&world, &sink, 1);
    let [one, _] = two_overdue(&world, &mut process).await;
    process.pass(&world, 60).await;
    sink.fails(Some(AttemptResult::Retry));
    for _ in 0..2 {
        let reply = process.ask(&world).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::INTERNAL_SERVER_ERROR, NOT_TOLD));
    }
    // It pulses again before anybody was told: the end waits for the beginning.
    world.pulse(one).await;
    process.pass(&world, 3).await;
    process.ask(&world).await;
    assert!(sink.take().iter().flatten().all(|(kind, _)| *kind == EventKind::PulseOverdue));
    sink.fails(None);
    process.pass(&world, 40).await;
    assert_eq!(sink.take().last(), Some(&vec![overdue("web1"), overdue("web2")]));
    assert_eq!(process.ask(&world).await.text(), TOLD);
    assert_eq!(sink.take(), [[recovered("web1")]]);
}

#[tokio::test]
async fn what_slack_refused_is_told_when_the_address_is_right() {
    let world = World::with(AuthConfig::default(), true).await;
    let sink = sink(&world);
    let mut process = Process::new(&world, &sink, 1);
    two_overdue(&world, &mut process).await;
    process.pass(&world, 60).await;
    sink.fails(Some(AttemptResult::Refused));
    for _ in 0..2 {
        let reply = process.ask(&world).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::INTERNAL_SERVER_ERROR, NOT_TOLD));
        assert_eq!(sink.take().len(), 1, "each time that somebody asks");
        process.pass(&world, 5).await;
    }
    sink.fails(None);
    assert_eq!(process.ask(&world).await.text(), TOLD);
    assert_eq!(sink.take(), [[overdue("web1"), overdue("web2")]]);
    assert_eq!(process.ask(&world).await.text(), TOLD);
    assert!(sink.take().is_empty());
}

#[tokio::test]
async fn a_thousand_lines_are_not_one_message() {
    let world = World::with(AuthConfig::default(), true).await;
    let sink = sink(&world);
    let mut process = Process::new(&world, &sink, 1);
    let mut ids = Vec::new();
    for number in 0..230 {
        ids.push(world.declare(["web", "c", "t", &format!("job{number}")], "60s", true).await);
    }
    world.until(at("2026-11-25T09:00:00Z"));
    process.pass(&world, 20).await;
    for id in &ids {
        world.pulse(*id).await;
    }
    process.pass(&world, 65).await;
    assert_eq!(process.ask(&world).await.text(), TOLD);
    let told: Vec<usize> = sink.take().iter().map(Vec::len).collect();
    assert_eq!(told.iter().sum::<usize>(), 230);
    assert!(told.iter().all(|lines| *lines <= 100), "{told:?}");
    assert_eq!(process.ask(&world).await.status, StatusCode::OK);
    assert!(sink.take().is_empty());
}

#[tokio::test]
async fn it_answers_in_every_case() {
    let world = World::new().await;
    let path = format!("/heartbeat/monitor/?secret={ENCODED}");
    let quiet = "No heartbeat is overdue; no Slack address is configured, so nothing is sent";
    for reply in [world.get(&path).await, world.post(&path, "").await] {
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, quiet));
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    }
    let scheduled = |secret: &str| {
        let document = json!({"queryStringParameters": {"secret": secret}});
        let mut request = world.house.request("POST /v1/heartbeat/monitor", document);
        // Not from this machine: only the secret can open.
        let from: std::net::SocketAddr = "203.0.113.7:40000".parse().expect("an address");
        request.extensions_mut().insert(axum::extract::ConnectInfo(from));
        world.send(request)
    };
    assert_eq!(scheduled(SECRET).await.status, StatusCode::OK);
    let wrong = scheduled("wrong").await;
    assert_eq!((wrong.status, wrong.text()), (StatusCode::FORBIDDEN, "This is not the secret."));
    assert_eq!(scheduled("").await.status, StatusCode::UNAUTHORIZED);
    let mut process = Process::new(&world, &sink(&world), 1);
    two_overdue(&world, &mut process).await;
    process.pass(&world, 60).await;
    let reply = process.ask(&world).await;
    let overdue = "2 heartbeats are overdue; no Slack address is configured, so nothing is sent";
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, overdue));
}
