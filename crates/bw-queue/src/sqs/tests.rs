//! Against an emulator, which each test starts for itself.

use super::{BURY, Options, SqsQueue, connect};
use crate::broker::ConnectError;
use crate::broker::envelope::Envelope;
use crate::broker::ledger::tests::job;
use crate::real::RealClock;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bw_domain::limits;
use bw_domain::port::queue::{Lane, Queue};
use bw_domain::time::Duration;
use bw_testkit::contract::queue::broker::{self, Broker};
use bw_testkit::contract::queue::{Subject, suite};
use bw_testkit::proxy::Proxy;
use bw_testkit::sqs::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const OURS: u128 = 0x0123_4567_89ab_cdef;
/// The emulator is slow while it serves many cases at once.
const LEASE: Duration = Duration::from_secs(5);

/// What a process has from its environment.
async fn environment() -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let credentials = Credentials::new("somebody", "secret", None, None, "the test");
    let loader = aws_config::defaults(BehaviorVersion::latest()).credentials_provider(credentials);
    loader.region(Region::new("eu-west-1")).http_client(http).load().await
}

async fn client(server: &Server) -> Client {
    let config = aws_sdk_sqs::config::Builder::from(&environment().await);
    Client::from_conf(config.endpoint_url(format!("http://{}", server.address())).build())
}

fn options(at: SocketAddr, name: &str, lease: Duration) -> Options {
    let (url, clock) = (Server::queue_url(at, name), Arc::new(RealClock::start()));
    Options { url, region: None, endpoint: None, installation: OURS, lease, clock }
}

async fn open(options: Options, bound: usize) -> SqsQueue {
    SqsQueue::open(options, &environment().await, bound).await.expect("the queue is there")
}

/// A new queue, with one for urgent jobs beside it.
async fn pair(client: &Client) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("jobs-{}", NUMBER.fetch_add(1, SeqCst));
    make(client, &name).await;
    make(client, &format!("{name}-now")).await;
    name
}

async fn make(client: &Client, name: &str) {
    client.create_queue().queue_name(name).send().await.expect("the emulator makes queues");
}

fn subject(queue: Arc<SqsQueue>, bound: usize, lease: Duration) -> Subject {
    let pass = Box::new(|by| Box::pin(tokio::time::sleep(by)) as _);
    Subject { queue, bound, lease, settle: Duration::from_millis(400), pass }
}

async fn broker(server: Arc<Server>, lease: Duration) -> Broker {
    let client = client(&server).await;
    let name = pair(&client).await;
    let road = Arc::new(Proxy::to(server.address()).await);
    let direct = options(server.address(), &name, lease);
    let queue = Arc::new(open(options(road.address(), &name, lease), limits::QUEUE_JOBS).await);
    let put = |body: String| {
        let (client, url) = (client.clone(), direct.url.clone());
        let put = move || {
            let call = client.send_message().queue_url(&url).message_body(&body);
            async move {
                call.send().await.unwrap();
            }
        };
        Box::new(move || Box::pin(put()) as _)
    };
    let theirs = Envelope { installation: OURS + 1, not_before: None, jobs: vec![job(4711)] };
    let (poison, foreign) = (put("{\"kind\":\"else\"}".to_owned()), put(STANDARD.encode(theirs.encode())));
    let (counted, cut, stall, heal) = (queue.clone(), road.clone(), road.clone(), road);
    Broker {
        subject: subject(queue, limits::QUEUE_JOBS, lease),
        another: Box::new(move || {
            let direct = direct.clone();
            Box::pin(async move { Arc::new(open(direct, limits::QUEUE_JOBS).await) as _ })
        }),
        poison,
        foreign,
        strangers: Box::new(move || (counted.strangers().unreadable, counted.strangers().foreign)),
        cut: Box::new(move || cut.cut()),
        stall: Box::new(move || stall.stall()),
        heal: Box::new(move || heal.heal()),
        restart: Box::new(move || {
            let (server, client, name) = (server.clone(), client.clone(), name.clone());
            Box::pin(async move {
                server.restart().await;
                make(&client, &name).await;
                make(&client, &format!("{name}-now")).await;
            })
        }),
        keeps: false,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let server = Server::start().await;
    let client = client(&server).await;
    suite(async || {
        let name = pair(&client).await;
        subject(Arc::new(open(options(server.address(), &name, LEASE), 100).await), 100, LEASE)
    })
    .await;
}

#[tokio::test]
async fn it_keeps_the_contract_of_brokers() {
    let server = Arc::new(Server::start().await);
    broker::suite(async || broker(server.clone(), LEASE).await).await;
}

#[tokio::test]
async fn it_goes_on_with_a_service_that_was_killed() {
    let server = Arc::new(Server::start().await);
    broker::a_broker_that_is_killed(broker(server, LEASE).await).await;
}

#[tokio::test]
async fn ten_thousand_jobs_come_out_once() {
    let server = Arc::new(Server::start().await);
    broker::ten_thousand_come_out_once(broker(server, limits::JOB_LEASE).await).await;
}

#[tokio::test]
async fn one_queue_serves_both_lanes() {
    let server = Server::start().await;
    make(&client(&server).await, "only").await;
    let queue = open(options(server.address(), "only", LEASE), 100).await;
    queue.publish(Lane::Planned, vec![job(1)]).await.unwrap();
    queue.publish(Lane::Now, vec![job(2)]).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let received = queue.receive(9, Duration::from_secs(5)).await.unwrap();
        assert!(!received.is_empty());
        queue.ack(received.iter().map(|leased| leased.lease.clone()).collect()).await.unwrap();
        seen.extend(received.iter().map(|leased| leased.job.monitor.0));
    }
    seen.sort_unstable();
    assert_eq!((seen, queue.lead()), (vec![1, 2], Duration::from_secs(2)));
}

#[tokio::test]
async fn five_hundred_jobs_are_one_message() {
    let server = Server::start().await;
    let client = client(&server).await;
    let name = pair(&client).await;
    let queue = open(options(server.address(), &name, LEASE), 1_000).await;
    queue.publish(Lane::Planned, (0..501).map(job).collect()).await.unwrap();
    let url = Server::queue_url(server.address(), &name);
    let call = client.get_queue_attributes().queue_url(url);
    let found = call.attribute_names(Name::ApproximateNumberOfMessages).send().await.unwrap();
    assert_eq!(found.attributes.unwrap()[&Name::ApproximateNumberOfMessages], "2");
}

/// Poison, with and without a dead-letter queue. Leases are short, so that it comes again soon.
#[tokio::test]
async fn poison_is_moved_or_buried() {
    let server = Server::start().await;
    let client = client(&server).await;
    for name in ["bare", "guarded", "dead"] {
        make(&client, name).await;
    }
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":"2"}"#;
    let guarded = Server::queue_url(server.address(), "guarded");
    let call = client.set_queue_attributes().queue_url(&guarded).attributes(Name::RedrivePolicy, policy);
    call.send().await.unwrap();
    let left_alone = async |name: &str, times: u64| {
        let url = Server::queue_url(server.address(), name);
        client.send_message().queue_url(&url).message_body("what is this").send().await.unwrap();
        let queue = open(options(server.address(), name, Duration::from_secs(1)), 100).await;
        let mut after = 0;
        for _ in 0..200 {
            assert!(queue.receive(9, Duration::from_millis(300)).await.unwrap().is_empty());
            after += u32::from(queue.strangers().unreadable >= times);
            // Longer than its lease.
            if after == 6 {
                break;
            }
        }
        assert_eq!(queue.strangers().unreadable, times, "{name}");
        let count = client.get_queue_attributes().queue_url(&url);
        let count = count.attribute_names(Name::ApproximateNumberOfMessagesNotVisible);
        let found = count.attribute_names(Name::ApproximateNumberOfMessages).send().await.unwrap();
        assert!(found.attributes.unwrap().values().all(|number| number == "0"), "{name} is empty");
    };
    tokio::join!(left_alone("bare", u64::from(BURY)), left_alone("guarded", 2));
    let dead = Server::queue_url(server.address(), "dead");
    let found = client.receive_message().queue_url(dead).send().await.unwrap();
    assert_eq!(found.messages()[0].body(), Some("what is this"));
}

/// What is refused at the start, each with the sentence that says what to do.
#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start() {
    let server = Server::start().await;
    let client = client(&server).await;
    make(&client, "good").await;
    let fifo = client.create_queue().queue_name("a.fifo").attributes(Name::FifoQueue, "true");
    fifo.send().await.unwrap();
    let small = client.create_queue().queue_name("small").attributes(Name::MaximumMessageSize, "1024");
    small.send().await.unwrap();
    let at = |name: &str| options(server.address(), name, limits::JOB_LEASE);
    let refused = async |options: Options| match SqsQueue::open(
        options,
        &environment().await,
        limits::QUEUE_JOBS,
    )
    .await
    {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    };
    let says = |error: ConnectError, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    open(at("good"), limits::QUEUE_JOBS).await;

    let Err(error) = connect(Options { lease: Duration::from_secs(30), ..at("good") }).await else {
        panic!("the lease is shorter than a probe")
    };
    says(error, &["30s", "longest probe", "75s"]);

    let error = refused(Options { url: "jobs".to_owned(), ..at("good") }).await;
    assert!(matches!(error, ConnectError::Address(_)), "{error}");
    says(error, &["`jobs`", "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"]);

    let error = refused(at("missing")).await;
    assert!(matches!(error, ConnectError::Missing(_)), "{error}");
    says(error, &["/missing", "create it, or correct the URL"]);

    let error = refused(Options { endpoint: Some("http://127.0.0.1:1".to_owned()), ..at("good") }).await;
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error}");
    says(error, &["nobody answers", "AWS_ENDPOINT_URL"]);

    let error = refused(at("a.fifo")).await;
    assert!(matches!(error, ConnectError::Unfit(_)), "{error}");
    says(error, &["FIFO", "use a standard queue"]);

    let error = refused(at("small")).await;
    says(error, &["1024 bytes", "raise its maximum message size"]);

    let error = refused(Options { installation: OURS + 1, ..at("good") }).await;
    assert!(matches!(error, ConnectError::Foreign(_)), "{error}");
    says(error, &["belongs to the installation 00000000000000000123456789abcdef", "queue of its own"]);
}

/// The emulator permits everything, so what AWS answers is played here.
#[tokio::test]
async fn a_wrong_permission_is_told_with_the_permissions() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let refusing = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 16 << 10];
            let read = stream.read(&mut request).await.unwrap();
            assert!(String::from_utf8_lossy(&request[..read]).contains("AmazonSQS.GetQueueAttributes"));
            let body =
                r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User x may not"}"#;
            let head =
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    };
    let environment = environment().await;
    let opening = SqsQueue::open(options(at, "jobs", limits::JOB_LEASE), &environment, 100);
    let error = tokio::select! {
        opened = opening => opened.err().expect("nothing is permitted"),
        () = refusing => unreachable!("it refuses for ever"),
    };
    assert!(matches!(error, ConnectError::Forbidden(_)), "{error}");
    let text = error.to_string();
    for word in ["may not use the queue", "/jobs", "User x may not", "permit sqs:GetQueueAttributes"] {
        assert!(text.contains(word), "{text}");
    }
}
