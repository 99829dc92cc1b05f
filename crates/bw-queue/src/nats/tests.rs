//! Against a real server with files on disk, which each test starts for itself.

use super::connect::Bounds;
use super::{MAX_JOBS, NatsQueue, Options, connect};
use crate::broker::ConnectError;
use crate::broker::envelope::Envelope;
use crate::broker::ledger::tests::job;
use crate::real::RealClock;
use bw_domain::limits;
use bw_domain::port::queue::{Lane, Queue, QueueError};
use bw_domain::time::Duration;
use bw_testkit::contract::queue::broker::{self, Broker};
use bw_testkit::contract::queue::{Subject, suite};
use bw_testkit::nats::Server;
use bw_testkit::proxy::Proxy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

const OURS: u128 = 0x0123_4567_89ab_cdef;
const LEASE: Duration = Duration::from_secs(3);

fn options(url: &str, name: &str, lease: Duration) -> Options {
    let (url, name, clock) = (url.to_owned(), name.to_owned(), Arc::new(RealClock::start()));
    Options { url, name, installation: OURS, lease, max_jobs: MAX_JOBS, clock, roots: None }
}

async fn open(options: Options, jobs: usize) -> NatsQueue {
    let bounds = Bounds { jobs, ..Bounds::default() };
    NatsQueue::open(options, bounds).await.expect("the server makes streams")
}

fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("jobs-{}", NUMBER.fetch_add(1, SeqCst))
}

fn subject(queue: Arc<NatsQueue>, bound: usize, lease: Duration) -> Subject {
    let pass = Box::new(|by| Box::pin(tokio::time::sleep(by)) as _);
    Subject { queue, bound, lease, settle: Duration::from_millis(300), pass }
}

async fn broker(server: Arc<Server>, lease: Duration) -> Broker {
    let name = fresh_name();
    let road = Arc::new(Proxy::to(server.address()).await);
    let through = format!("nats://{}", road.address());
    let direct = options(&server.url(), &name, lease);
    let queue = Arc::new(open(options(&through, &name, lease), limits::QUEUE_JOBS).await);
    let put = |bytes: Vec<u8>| {
        let (url, subject) = (server.url(), format!("{name}.planned"));
        let put = move || {
            let (url, subject, bytes) = (url.clone(), subject.clone(), bytes.clone());
            async move {
                let context = async_nats::jetstream::new(async_nats::connect(url).await.unwrap());
                context.publish(subject, bytes.into()).await.unwrap().await.unwrap();
            }
        };
        Box::new(move || Box::pin(put()) as _)
    };
    let theirs = Envelope { installation: OURS + 1, not_before: None, jobs: vec![job(4711)] };
    let (counted, cut, stall, heal) = (queue.clone(), road.clone(), road.clone(), road);
    Broker {
        subject: subject(queue, limits::QUEUE_JOBS, lease),
        another: Box::new(move || {
            let direct = direct.clone();
            Box::pin(async move { Arc::new(open(direct, limits::QUEUE_JOBS).await) as _ })
        }),
        poison: put(b"{\"kind\":\"something else\"}".to_vec()),
        foreign: put(theirs.encode()),
        strangers: Box::new(move || (counted.strangers().unreadable, counted.strangers().foreign)),
        cut: Box::new(move || cut.cut()),
        stall: Box::new(move || stall.stall()),
        heal: Box::new(move || heal.heal()),
        restart: Box::new(move || {
            let server = server.clone();
            Box::pin(async move { server.restart().await })
        }),
        keeps: true,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let server = Server::start().await;
    suite(async || {
        let queue = open(options(&server.url(), &fresh_name(), LEASE), 100).await;
        subject(Arc::new(queue), 100, LEASE)
    })
    .await;
}

#[tokio::test]
async fn it_keeps_the_contract_of_brokers() {
    let server = Arc::new(Server::start().await);
    broker::suite(async || broker(server.clone(), LEASE).await).await;
}

#[tokio::test]
async fn a_killed_server_has_kept_the_jobs() {
    let server = Arc::new(Server::start().await);
    broker::a_broker_that_is_killed(broker(server, LEASE).await).await;
}

#[tokio::test]
async fn ten_thousand_jobs_come_out_once() {
    let server = Arc::new(Server::start().await);
    broker::ten_thousand_come_out_once(broker(server, limits::JOB_LEASE).await).await;
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = Server::start().await;
    let bounds = Bounds { jobs: 100, room: 3 };
    let queue = NatsQueue::open(options(&server.url(), "small", LEASE), bounds).await.unwrap();
    for number in 0..3 {
        queue.publish(Lane::Now, vec![job(number)]).await.unwrap();
    }
    let refused = queue.publish(Lane::Now, vec![job(3)]).await;
    assert!(matches!(refused, Err(QueueError::Full(3))), "{refused:?}");
}

#[tokio::test]
async fn a_stream_that_somebody_removed_is_made_again() {
    let server = Server::start().await;
    let queue = open(options(&server.url(), "gone", LEASE), 100).await;
    queue.publish(Lane::Now, vec![job(1)]).await.unwrap();
    let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    context.delete_stream("gone").await.unwrap();
    assert!(queue.receive(9, Duration::ZERO).await.is_err(), "that it is gone is told once");
    queue.publish(Lane::Now, vec![job(2)]).await.unwrap();
    let received = queue.receive(9, Duration::from_secs(5)).await.unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].job, job(2));
}

#[tokio::test]
async fn a_repeated_publication_is_dropped_and_an_urgent_one_is_not() {
    let server = Server::start().await;
    let queue = open(options(&server.url(), "twice", LEASE), 100).await;
    for _ in 0..2 {
        queue.publish(Lane::Planned, vec![job(1), job(2)]).await.unwrap();
        queue.publish(Lane::Now, vec![job(3)]).await.unwrap();
    }
    let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let stream = context.get_stream("twice").await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 3, "one planned of two jobs, and two urgent");
}

/// What is refused at the start, each with the sentence that says what to do.
#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start() {
    let users = r#"
        accounts {
          $SYS { users: [] }
          full { jetstream: enabled, users: [
            { user: all, password: word }
            { user: few, password: word, permissions { publish: ["other.>"], subscribe: ["_INBOX.>"] } }
          ] }
          none { users: [ { user: poor, password: word } ] }
        }
    "#;
    let server = Server::start_with(users).await;
    let at = |user: &str| format!("nats://{user}{}", server.address());
    let good = || options(&at("all:word@"), "a", limits::JOB_LEASE);
    let refused = async |options: Options| match connect(options).await {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    };
    connect(good()).await.unwrap_or_else(|error| panic!("{error}"));
    let says = |error: ConnectError, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(!text.contains("word@"), "no password: {text}");
    };

    let error = refused(Options { lease: Duration::from_secs(30), ..good() }).await;
    assert!(matches!(error, ConnectError::Unfit(_)), "{error}");
    says(error, &["30s", "longest probe", "75s"]);

    let error = refused(Options { name: "a.b".to_owned(), ..good() }).await;
    says(error, &["`a.b`", "letters, digits"]);

    let error = refused(Options { url: "http://[".to_owned(), ..good() }).await;
    assert!(matches!(error, ConnectError::Address(_)), "{error}");
    says(error, &["nats://host:4222"]);

    let error = refused(Options { url: "nats://127.0.0.1:1".to_owned(), ..good() }).await;
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error}");
    says(error, &["127.0.0.1:1", "start it, or correct the address"]);

    let error = refused(Options { url: at("all:wrong@"), ..good() }).await;
    assert!(matches!(error, ConnectError::Forbidden(_)), "{error}");
    says(error, &["user and password"]);

    let error = refused(Options { url: at("few:word@"), ..good() }).await;
    assert!(matches!(error, ConnectError::Forbidden(_)), "{error}");
    says(error, &["permit to publish to `$JS.API.>`"]);

    let error = refused(Options { url: at("poor:word@"), ..good() }).await;
    assert!(matches!(error, ConnectError::Missing(_)), "{error}");
    says(error, &["JetStream"]);

    let error = refused(Options { installation: OURS + 1, ..good() }).await;
    assert!(matches!(error, ConnectError::Foreign(_)), "{error}");
    says(error, &["belongs to the installation 00000000000000000123456789abcdef", "stream of its own"]);
}

#[tokio::test]
async fn jobs_are_published_ahead() {
    let server = Server::start().await;
    let queue = open(options(&server.url(), "lead", LEASE), 100).await;
    assert_eq!(queue.lead(), Duration::from_secs(2));
}
