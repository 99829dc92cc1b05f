//! Heartbeats in a fleet: jobs report to either of two nodes, one of them dies under load; no answered beat is lost, nobody
//! well is ever announced, and who fell silent is announced in time.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::fleet::Fleet;
use crate::job::{Job, kinds};
use crate::message::text;
use crate::node::Node;
use crate::raw::{Raw, once};
use crate::slots::ms;
use bw_domain::limits::HEARING_LEASE;
use bw_testkit::server::Sink;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const PING_KEY: &str = "0123456789abcdefghijkl";
const SECRET: &str = "hush";
const EVERY: Duration = Duration::from_secs(4);
const GRACE: Duration = Duration::from_secs(2);
/// Heartbeats under load, and senders at each node.
const LOADED: usize = 40;
const SENDERS: usize = 4;
/// An edit counts from a moment later, and every node knows it by then.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

struct World {
    fleet: Fleet,
    apis: Vec<Node>,
    others: Vec<Node>,
    sink: Sink,
}

impl World {
    async fn begin() -> Self {
        let (fleet, sink) = (Fleet::with_nats().await, Sink::start().await);
        let mut file = format!(
            "healthchecks: {{ ping_key: {PING_KEY} }}\nheartbeat_service: {{ secret: {SECRET} }}\nmonitors:\n"
        );
        for n in 0..LOADED {
            file.push_str(&format!("  - {{ name: job{n}, heartbeat: {{ every: 1h }} }}\n"));
        }
        fleet.installation.write_file(&file);
        let (one, other) = tokio::join!(fleet.start("api"), fleet.start("api"));
        let others = vec![fleet.start("scheduler").await, fleet.start("worker").await];
        World { fleet, apis: vec![one, other], others, sink }
    }

    /// Waits until a node knows a heartbeat that was declared at another.
    async fn known(&self, node: usize, job: &Job) {
        eventually("it is known there", KNOWN_WITHIN, async || {
            let seen = self.apis[node].http().get(format!("/api/v1/monitors/{}", job.id)).await;
            if seen.status == 200 { Ok(()) } else { Err(seen.text) }
        })
        .await;
    }

    async fn stop(self) {
        for node in self.apis.into_iter().chain(self.others) {
            node.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_both_originals_report_to_either_node() {
    let world = World::begin().await;
    let urls: Vec<String> = world.apis.iter().map(|node| node.http().url()).collect();

    // Of the heartbeat service: the first pulse makes it, at both nodes at once, and it is one.
    let pulse = b"GET /v1/heartbeat/pulse?host=h&category=c&type=t&name=n HTTP/1.1\r\nhost: beats\r\n\r\n";
    let (one, other) = tokio::join!(once(&urls[0], pulse), once(&urls[1], pulse));
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.body, other.body);
    for node in &world.apis {
        eventually("there is one pulse with two beats", KNOWN_WITHIN, async || {
            let all = node.items("/api/v1/monitors?kind=heartbeat&limit=1000").await;
            let pulses: Vec<&Value> =
                all.iter().filter(|one| one["heartbeat"]["pulse"].is_object()).collect();
            match pulses[..] {
                [pulse] if pulse["beats"]["count"] == 2 => Ok(()),
                _ => Err(json!(pulses)),
            }
        })
        .await;
        let page = node.http().get(format!("/v1/heartbeat/dashboard?secret={SECRET}")).await;
        assert!(page.status == 200 && page.text.contains("id=myTable"), "{}", page.text);
        let asked = node.http().get(format!("/v1/heartbeat/monitor?secret={SECRET}")).await;
        assert!(asked.status == 200 && asked.text.starts_with("No heartbeat is overdue"), "{}", asked.text);
    }

    // Of Healthchecks: one run begins at one node and ends at the other, by UUID and by slug, and under `exec`.
    let declared =
        json!({"name": "Nightly", "slug": "nightly", "heartbeat": {"rules": "healthchecks", "every": "1h"}});
    let reply =
        world.apis[0].http().send(Request::new("POST", "/api/v1/monitors").json(&declared)).await.expect(201);
    let uuid = reply["uuid"].as_str().expect("an address").to_owned();
    let job = Job { id: reply["id"].as_i64().expect("an id"), uuid };
    let by_slug = format!("/ping/{PING_KEY}/nightly");
    let start = world.apis[0].http().get(format!("/ping/{}/start", job.uuid)).await;
    // The other node asks the store once before it says that it knows no such heartbeat.
    let end = world.apis[1].http().get(by_slug.clone()).await;
    assert_eq!((start.status, end.status), (200, 200), "{} {}", start.text, end.text);
    world.apis[1].until(job.id, "UP", PATIENCE).await;
    let fail = world.apis[0].http().get(format!("{by_slug}/fail")).await;
    assert_eq!(fail.status, 200, "{}", fail.text);
    world.apis[1].until(job.id, "DOWN", PATIENCE).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(["exec", "--beat", &format!("{}/ping/{}", urls[1], job.uuid), "--", "true"]);
    command
        .env_clear()
        .env("HOME", world.fleet.installation.data())
        .env("PATH", "/usr/bin:/bin")
        .kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
    world.apis[0].until(job.id, "UP", PATIENCE).await;
    let beats = world.apis[0].items(format!("/api/v1/monitors/{}/beats", job.id)).await;
    assert_eq!(kinds(&beats), ["start", "success", "fail", "start", "success/0"]);
    assert!(beats[3]["duration_ms"].is_u64(), "the run from node to node has its duration: {}", beats[3]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_within_a_second_while_all_live() {
    let world = World::begin().await;
    let job = Job::declare(&world.apis[0], "Has ended", (EVERY, GRACE), &world.sink).await;
    world.known(1, &job).await;
    // Beats of one job come to both.
    job.beat(&world.apis[0]).await;
    let last = job.beat(&world.apis[1]).await;
    world.sink.wait_for(1).await;
    let incident = job.incidents(&world.apis[0]).await.remove(0);
    let deadline = last + (EVERY + GRACE).as_millis() as i64;
    assert_eq!(ms(&incident["first_failure_at"]), deadline, "{incident}");
    let sent = eventually("it is in the ledger", PATIENCE, async || {
        let deliveries = world.apis[1].deliveries().await;
        let sent = deliveries.iter().find(|delivery| delivery["state"] == "sent");
        sent.map(|sent| ms(&sent["attempts"][0]["at"])).ok_or_else(|| json!(deliveries))
    })
    .await;
    assert!((deadline..=deadline + 1_000).contains(&sent), "sent {} ms after its grace", sent - deadline);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_dies_under_load() {
    let mut world = World::begin().await;
    let goes_on = Job::declare(&world.apis[0], "Goes on", (EVERY, GRACE), &world.sink).await;
    let has_ended = Job::declare(&world.apis[0], "Has ended", (EVERY, GRACE), &world.sink).await;
    for job in [&goes_on, &has_ended] {
        world.known(1, job).await;
    }
    let loaded: Vec<String> = world.apis[1]
        .items("/api/v1/monitors?limit=1000")
        .await
        .iter()
        .filter(|monitor| monitor["name"].as_str().is_some_and(|name| name.starts_with("job")))
        .map(|monitor| monitor["uuid"].as_str().expect("an address").to_owned())
        .collect();
    assert_eq!(loaded.len(), LOADED);

    // Both nodes are under load when the second one dies, and each job has beaten there.
    let (mut senders, first, end) = (JoinSet::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    for (n, mine) in loaded.chunks(LOADED / (2 * SENDERS)).enumerate() {
        let url = world.apis[n % 2].http().url();
        senders.spawn(send(url, mine.to_vec(), (first.clone(), end.clone())));
    }
    first.notified().await;
    goes_on.beat(&world.apis[1]).await;
    let last = has_ended.beat(&world.apis[1]).await;
    world.apis.remove(1).kill().await;
    let survivor = &world.apis[0];

    // Silence is told within a second, and the lease of the node that cannot say any more how far its beats are in.
    let patience = EVERY + GRACE + HEARING_LEASE + Duration::from_secs(10);
    let mut alive = tokio::time::interval(Duration::from_secs(1));
    let told = eventually("the message", patience, async || {
        tokio::select! {
            biased;
            _ = alive.tick() => drop(goes_on.beat(survivor).await),
            () = std::future::ready(()) => {}
        }
        let received = world.sink.received();
        match received.iter().find(|message| text(message).contains("New: DOWN")) {
            Some(message) => Ok(text(message)),
            None => Err(received.len()),
        }
    })
    .await;
    assert!(told.contains("Name: Has ended\n"), "{told}");
    let incident = has_ended.incidents(survivor).await.remove(0);
    let deadline = last + (EVERY + GRACE).as_millis() as i64;
    let opened = ms(&incident["opened_at"]);
    let latest = deadline + HEARING_LEASE.as_millis() as i64 + 1_000;
    assert!((deadline..=latest).contains(&opened), "opened {} ms after its grace", opened - deadline);
    assert!(goes_on.incidents(survivor).await.is_empty(), "whoever beats is never announced");

    // Senders at the survivor end when told to; whatever was answered by either node is there, once.
    end.notify_waiters();
    let counts: BTreeMap<String, (u64, u64)> = senders
        .join_all()
        .await
        .into_iter()
        .flatten()
        .map(|(uuid, done, lost)| (uuid, (done, lost)))
        .collect();
    let mut all = 0;
    for monitor in survivor.items("/api/v1/monitors?limit=1000").await {
        let Some((answered, lost)) = monitor["uuid"].as_str().and_then(|uuid| counts.get(uuid)) else {
            continue;
        };
        let path = format!("/api/v1/monitors/{}/beats?limit=1000", monitor["id"]);
        let counted = monitor["beats"]["count"].as_u64().expect("a heartbeat counts its beats");
        assert!(
            (*answered..=answered + lost).contains(&counted),
            "{monitor}: {answered} answered, {lost} lost"
        );
        assert_eq!(survivor.items(path).await.len() as u64, counted.min(1_000), "{monitor}");
        all += answered;
    }
    println!("{all} beats were answered");
    assert!(all > 0);
    world.stop().await;
}

/// Beats one heartbeat after the other, gently, until nobody answers or it is told to end.
async fn send(
    url: String,
    mine: Vec<String>,
    (first, end): (Arc<Notify>, Arc<Notify>),
) -> Vec<(String, u64, u64)> {
    let mut counts: Vec<(String, u64, u64)> = mine.into_iter().map(|uuid| (uuid, 0, 0)).collect();
    let mut raw = Raw::to(&url).await.expect("it listens");
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let mut ended = std::pin::pin!(end.notified());
    for n in 0.. {
        tokio::select! {
            biased;
            () = &mut ended => break,
            _ = pace.tick() => {}
        }
        let at = n % counts.len();
        let (uuid, answered, lost) = &mut counts[at];
        match raw.get(&format!("/ping/{uuid}")).await {
            Ok(told) => {
                assert_eq!((told.status, told.body.as_str()), (200, "OK"), "{}", told.head);
                *answered += 1;
                first.notify_one();
            }
            Err(_) => {
                *lost += 1;
                break;
            }
        }
    }
    counts
}

/// All nodes end while a beat is awaited, and come back after its deadline: nothing is announced, and the job is heard.
#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_restart_during_a_deadline() {
    let mut world = World::begin().await;
    let job = Job::declare(&world.apis[0], "Goes on", (EVERY, GRACE), &world.sink).await;
    world.known(1, &job).await;
    job.beat(&world.apis[1]).await;
    job.is(&world.apis[0], "up").await;
    world.apis.remove(1).kill().await;
    world.apis.remove(0).stop().await;
    for node in world.others.drain(..) {
        node.kill().await;
    }
    // Not a wait for anything: nobody is there until it would have been missed.
    tokio::time::sleep(EVERY + GRACE + Duration::from_secs(1)).await;
    for role in ["api", "api"] {
        world.apis.push(world.fleet.start(role).await);
    }
    for role in ["scheduler", "worker"] {
        world.others.push(world.fleet.start(role).await);
    }
    let node = &world.apis[0];
    for _ in 0..3 {
        job.beat(node).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(job.incidents(node).await.is_empty(), "{}", node.log());
    }
    // A real end is still found.
    let told = eventually("the message", EVERY + GRACE + HEARING_LEASE + PATIENCE, async || {
        world.sink.received().pop().map(|message| text(&message)).ok_or("nothing")
    })
    .await;
    assert!(told.contains("Old: UP -> New: DOWN"), "{told}");
    world.stop().await;
}
