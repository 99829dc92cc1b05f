//! Heartbeats on the pages: when the next beat is due, runs, what did not come, bodies, and the form.

use super::world::World;
use bw_domain::beat::{Beat, Deaf, RunId, Signal, Via};
use bw_domain::monitor::Spec;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answer, Appended, Commit, Hearing, Incoming, NodeId};
use bw_domain::state::{Context, Heard, Trigger, step};
use bw_domain::time::Duration;
use bw_testkit::builders::START;
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

impl World {
    /// A beat of a heartbeat, now, and what is decided of it.
    async fn beat(&self, spec: &Spec, signal: Signal) -> u64 {
        self.report(spec, |beat| Beat { signal, ..beat }).await
    }

    async fn report(&self, spec: &Spec, change: impl FnOnce(Beat) -> Beat) -> u64 {
        let services = &self.app.services;
        let spec = services.catalog.get(spec.id).expect("it is there");
        let via = Via {
            scheme: "http".into(),
            method: "POST".into(),
            remote: "10.0.0.7".into(),
            agent: "curl/8".into(),
        };
        let beat = change(Beat {
            monitor: spec.id,
            at: self.clock.now(),
            happened: None,
            signal: Signal::Success,
            ignored: false,
            run: None,
            took: None,
            via,
            body: Default::default(),
        });
        let kept = services.store.beats.append(vec![Incoming { spec: spec.clone(), beat }]).await;
        let Some(Appended::Taken(taken)) = kept.expect("it is kept").pop() else { panic!("it is there") };
        self.decide(&spec).await;
        taken.number
    }

    /// A beat whose every text is of this kind.
    pub(super) async fn evil_beat(&self, spec: &Spec, text: &str) {
        let evil = Via { scheme: text.into(), method: text.into(), remote: text.into(), agent: text.into() };
        self.report(spec, |beat| Beat { via: evil, body: text.to_owned().into(), ..beat }).await;
    }

    /// What `sweep` would do now.
    async fn decide(&self, spec: &Spec) {
        let services = &self.app.services;
        let loaded = services.store.states.load(vec![spec.id]).await.expect("it is there");
        let loaded = loaded.into_iter().next().flatten().expect("it has rows");
        let Some(track) = loaded.track.as_deref() else { return };
        let spare = services.store.incidents.spare().await.expect("there is one");
        let now = self.clock.now();
        let deaf = services.store.beats.deaf().await.expect("it is known");
        let context = Context { now, spare, base_url: "", actor: "" };
        let heard = Trigger::Heard(Heard { track, until: now, deaf: &deaf });
        let step = step(spec, &loaded.observed, &loaded.state, heard, &context);
        let commit = Commit {
            monitor: spec.id,
            expect_seq: loaded.observed.seq,
            outcome: None,
            keep_evidence: false,
            observed: step.observed,
            state: step.state,
            transition: step.transition,
            incident: step.incident,
            events: step.events.into_vec(),
            track: step.track,
        };
        let answers = services.store.states.commit(vec![commit]).await.expect("it commits");
        assert_eq!(answers, [Answer::Committed]);
    }

    /// A node could not hear from so long ago until now.
    async fn was_deaf(&self, ago: Duration) {
        let (beats, now, node) = (&self.app.services.store.beats, self.clock.now(), NodeId(1));
        beats.begin_hearing(node, now - ago).await.expect("it begins");
        let deaf = Some(Deaf { from: now - ago, to: now });
        beats.hear(Hearing { node, until: now, deaf }).await.expect("it is noted");
    }
}

fn hourly(name: &str) -> serde_json::Value {
    json!({"name": name, "heartbeat": {"every": "1h", "grace": "10m"}})
}

#[tokio::test]
async fn a_new_one_shows_its_address_and_how_to_send_the_first_beat() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup waits for its first beat");
    let address = format!("http://127.0.0.1:8080/ping/{}", backup.uuid);
    page.says(&format!("<pre tabindex=0>{address}</pre>"));
    for way in
        ["Shell", "cron", "bellwether exec", "systemd", "PowerShell", "Python", "GitHub Actions", "GitLab CI"]
    {
        page.says(&format!("<h3>{way}</h3>"));
    }
    page.says(&format!("curl -fsS -m 10 --retry 5 -o /dev/null {address}"));
    page.says("Known once it has beaten for the first time.");
    page.says("Nobody. Give this heartbeat a webhook");
    let list = world.get("/").await;
    list.says("UNKNOWN");
    list.says("Last runs");
}

#[tokio::test]
async fn the_first_line_says_when_the_next_beat_is_due() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    world.wait(MINUTE);
    world.beat(&backup, Signal::Success).await;
    world.wait(MINUTE);
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup is up: the next beat is due in 59 minutes");
    page.says("Expected at 2026-11-21 13:01:00 UTC.");
    page.says("told of success");
    page.says("1 succeeded");
    assert_eq!(page.html.matches("<td class=num><time").count(), 5, "the next five");
    world.get("/").await.says("next in 59 min");

    world.wait(HOUR);
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup is late: its beat was due 1 minute ago");
    page.says("people are told");
    let list = world.get("/").await;
    list.says("<td class=late>");
    list.says("LATE");
    list.says("due 1 min ago");

    world.wait(MINUTE * 10);
    world.decide(&backup).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup is down: its beat was due 11 minutes ago");
    page.says("No beat since");
    page.says("1 succeeded, 1 missed");
    page.says("word-missed>missed");
    page.says("The next one is due when it has beaten again.");
    assert!(page.html.contains("icon-down.svg"), "the tab shows it too");
    world.get("/").await.says("Backup has been down for");
    let incident = world.get(&format!("/ui/incidents/{}", world.open_incident(&backup).await)).await;
    incident.says("Backup has been down for");
    incident.says("No beat since");
    assert!(!incident.html.contains("The probes that decided"), "nobody probed");

    world.beat(&backup, Signal::Success).await;
    world.get("/ui/monitors/1").await.says("Backup is up: the next beat is due in 1 hour");
}

#[tokio::test]
async fn runs_have_their_starts_ends_durations_and_exit_status() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    for (took, signal) in [(30, Signal::Success), (90, Signal::Exit(0)), (60, Signal::Exit(3))] {
        world.beat(&backup, Signal::Start).await;
        world.wait(Duration::from_secs(took));
        world.report(&backup, |beat| Beat { signal, body: "said <b>this</b>".into(), ..beat }).await;
        world.wait(MINUTE * 20);
    }
    let run = RunId(7);
    world.report(&backup, |beat| Beat { signal: Signal::Start, run: Some(run), ..beat }).await;
    world.report(&backup, |beat| Beat { signal: Signal::Log, ..beat }).await;
    world.wait(MINUTE * 3);
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup failed; the next beat is due in");
    page.says("A run is under way, begun");
    page.says("failure with exit status 3 after 1 min");
    page.says("under way</span>");
    page.says("3 min so far");
    page.says("2 succeeded, 1 failed, 1 without an end");
    page.says("Durations of 3 runs: the median is 1 min, the longest 1 min 30 s");
    page.says("<td class=num>1 min 30 s<td class=num>0<td>");
    page.says("</svg> <span class=word-note>log</span>");
    page.says("/ui/monitors/1/beats/6>6</a>");
    world.get("/").await.says("runs for 3 min");
    // A run without an id ends whatever is under way: then that one's end is not known.
    world.beat(&backup, Signal::Success).await;
    world.get("/ui/monitors/1").await.says("no end told");
}

#[tokio::test]
async fn a_beat_shows_what_it_brought_along_as_text() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    let body = b"<script>alert(1)</script>\xff\x1b[31mred".as_slice();
    let beat = |beat| Beat { signal: Signal::Exit(2), body: body.into(), took: Some(MINUTE), ..beat };
    let number = world.report(&backup, beat).await;
    let page = world.get(&format!("/ui/monitors/1/beats/{number}")).await;
    page.says("Beat 1 of Backup: fail");
    page.says("&#60;script&#62;alert(1)&#60;/script&#62;\u{fffd}\u{fffd}[31mred");
    page.says("<dt>Exit status<dd>2");
    page.says("<dt>Client<dd>curl/8");
    page.says("POST over http");
    page.says("<dt>The run took<dd>1 min");
    for path in ["/ui/monitors/1/beats/2", "/ui/monitors/1/beats/x", "/ui/monitors/9/beats/1"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    let shop = world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    assert_eq!(world.get(&format!("/ui/monitors/{}/beats/1", shop.id)).await.status, 404);
}

#[tokio::test]
async fn older_beats_are_a_link_away_and_the_newest_too() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    for _ in 0..130 {
        world.wait(MINUTE);
        world.beat(&backup, Signal::Success).await;
    }
    let page = world.get("/ui/monitors/1").await;
    page.says("href=\"/ui/monitors/1?before=31#runs\"");
    assert!(page.html.contains("data-refresh=5"));
    let older = world.get("/ui/monitors/1?before=31").await;
    older.says("beats/30>30</a>");
    older.says("Newest beats");
    older.says("data-refresh=0");
    assert!(!older.html.contains("beats/31>"));
}

#[tokio::test]
async fn a_clock_that_is_held_says_so() {
    let world = World::new();
    let backup = world.declare(hourly("Backup")).await;
    world.beat(&backup, Signal::Success).await;
    world.wait(HOUR + MINUTE * 5);
    world.was_deaf(MINUTE * 6).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("The clock is held: we could not hear from 2026-11-21 12:59:00Z to 2026-11-21 13:05:00Z.");
    page.says("Nobody is told of silence before 2026-11-21 13:16:00Z.");
    world.wait(MINUTE * 10);
    world.decide(&backup).await;
    world.get("/ui/monitors/1").await.says("Backup is late: its beat was due 15 minutes ago");
    world.wait(MINUTE * 2);
    world.decide(&backup).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("Backup is down: its beat was due 17 minutes ago");
    page.says("1 succeeded, 1 missed");
    page.says("the clock was held for 6m");
}

#[tokio::test]
async fn beats_that_fit_another_zone_are_pointed_out() {
    let world = World::new();
    let document =
        json!({"name": "Night", "heartbeat": {"schedule": "0 18 * * *", "zone": "UTC", "grace": "8h"}});
    let night = world.declare(document).await;
    // 18:00 five hours west of here.
    world.wait(HOUR * 11 + MINUTE * 5);
    for _ in 0..4 {
        world.beat(&night, Signal::Success).await;
        world.wait(HOUR * 24);
    }
    let page = world.get("/ui/monitors/1").await;
    page.says("The first beats fit UTC-05:00, but the zone of this heartbeat is at UTC. Is its zone right?");
}

#[tokio::test]
async fn a_name_is_enough_and_mistakes_stand_beside_their_fields() {
    let world = World::new();
    let form = world.get("/ui/heartbeats/new").await;
    form.says("New heartbeat");
    let added = world.post("/ui/heartbeats/new", "name=Backup&every=1h&action=save").await;
    assert_eq!((added.status.as_u16(), added.location()), (303, "/ui/monitors/1?said=made"));
    let page = world.get("/ui/monitors/1?said=made").await;
    page.says("It stays silent until its first beat");
    page.says("/ping/");

    let wrong = "name=B&every=1h&schedule=0+3+*+*+*%0D%0A99+3+*+*+*&holidays=2026-13-01&zone=Nowhere";
    let page = world.post("/ui/heartbeats/new", wrong).await;
    assert_eq!(page.status, 422);
    page.says("id=w-zone");
    page.says("99 3 * * *</textarea>");
    assert!(page.html.contains("value=\"Nowhere\""));
    let both = world.post("/ui/heartbeats/new", "name=B&every=1h&schedule=0+3+*+*+*").await;
    both.says("id=w-schedule");
    both.says("Write either every or schedule, not both.");
    assert_eq!(world.app.services.catalog.all().len(), 1, "nothing was declared");
}

#[tokio::test]
async fn editing_pausing_and_deleting_are_those_of_monitors() {
    let world = World::new();
    let document = json!({
        "name": "Backup", "slug": "backup",
        "heartbeat": {"schedule": "0 3 * * *", "rules": "healthchecks", "tags": "a b", "post_only": true},
    });
    world.declare(document).await;
    let page = world.get("/ui/monitors/1/edit").await;
    page.says("Edit Backup");
    page.says("0 3 * * *</textarea>");
    page.says("name=post_only checked");
    let form = "name=Store&schedule=0+4+*+*+*&revision=1";
    let saved = world.post("/ui/monitors/1/edit", form).await;
    assert_eq!((saved.status.as_u16(), saved.location()), (303, "/ui/monitors/1?said=agreed"));
    let spec = world.app.services.catalog.get(bw_domain::id::MonitorId(1)).expect("it is there");
    assert_eq!(
        spec.declared.to_json(),
        json!({
            "name": "Store", "slug": "backup",
            "heartbeat": {"schedule": "0 4 * * *", "rules": "healthchecks", "tags": "a b"},
        })
    );
    let stale = world.post("/ui/monitors/1/edit", form).await;
    assert_eq!(stale.status, 422);
    stale.says("Somebody has edited this monitor meanwhile");
    assert_eq!(world.post("/ui/monitors/1/pause", "").await.location(), "/ui/monitors/1?said=rests");
    world.get("/ui/monitors/1?said=rests").await.says("no beat is expected");
    world.get("/ui/monitors/1").await.says("Store is paused");
    assert_eq!(world.post("/ui/monitors/1/resume", "").await.status, 303);
    world.get("/ui/monitors/1/delete").await.says("Its beats are no longer taken");
    assert_eq!(world.post("/ui/monitors/1/delete", "").await.location(), "/?said=deleted");
}

#[tokio::test]
async fn a_hundred_heartbeats_are_light() {
    let world = World::new();
    let mut specs = Vec::new();
    for number in 0..120 {
        let mut document = hourly(&format!("Job number {number:05}"));
        document["labels"] = json!({"team": "payments", "tier": "gold"});
        specs.push(world.declare(document).await);
    }
    for round in 0..12 {
        for spec in &specs {
            world.beat(spec, if round % 7 == 3 { Signal::Exit(1) } else { Signal::Success }).await;
        }
        world.wait(HOUR);
    }
    let page = world.get("/").await;
    assert_eq!(page.html.matches("<tr id=m").count(), 100);
    assert!(page.html.len() <= 60_000, "a hundred rows are {} bytes", page.html.len());
    page.says("<small>of 12</small> 83.33 %");
    assert_eq!(world.clock.now(), START + HOUR * 12);
}
