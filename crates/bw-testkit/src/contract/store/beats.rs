//! `Beats`: kept, counted, and in the order in which they came. What becomes of a track is said by `Track::take`; here
//! is only that the store does it once, with the beat, and loses nothing.

use super::Installation;
use super::rig::{Rig, commit, plain};
use crate::builders::{beat, compiled, declaration};
use crate::dice::Dice;
use bw_domain::beat::{Beat, RunId, Signal, Taken, Track, Via};
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::monitor::Spec;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{
    Answer, Appended, Applied, BeatQuery, BeatRow, Commit, Edit, EditKind, Incoming, Refused, StoreError,
    Timer,
};
use bw_domain::state::{Context, Health, Heard, Trigger, step};
use bw_domain::time::{Duration, Instant};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A heartbeat that is expected every ten minutes and may be five minutes late.
fn document(name: &str) -> Value {
    json!({"name": name, "heartbeat": {"every": "10m", "grace": "5m", "run_limit": "3m"}})
}

async fn heartbeat(rig: &Rig<'_>, name: &str) -> Arc<Spec> {
    Arc::new(rig.create(&document(name)).await)
}

fn incoming(spec: &Arc<Spec>, beat: Beat) -> Incoming {
    Incoming { spec: spec.clone(), beat }
}

async fn append(rig: &Rig<'_>, batch: Vec<Incoming>) -> Vec<Appended> {
    rig.store.beats.append(batch).await.expect("the store is there")
}

/// Takes a beat that must be kept.
async fn take(rig: &Rig<'_>, spec: &Arc<Spec>, beat: Beat) -> Taken {
    match append(rig, vec![incoming(spec, beat)]).await[..] {
        [Appended::Taken(taken)] => taken,
        ref other => panic!("{other:?}"),
    }
}

async fn track(rig: &Rig<'_>, monitor: MonitorId) -> Option<Track> {
    rig.store.beats.tracks(vec![monitor]).await.expect("the store is there").remove(0)
}

async fn list(rig: &Rig<'_>, monitor: MonitorId, before: Option<u64>, limit: usize) -> Vec<BeatRow> {
    rig.store.beats.list(BeatQuery { monitor, before, limit }).await.expect("the store is there")
}

async fn due(rig: &Rig<'_>, until: Instant, limit: usize) -> Vec<Timer> {
    rig.store.beats.due(until, limit).await.expect("the store is there")
}

fn numbers(rows: &[BeatRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

/// What `sweep` would offer now, when everything received until now is in.
async fn decide(rig: &Rig<'_>, spec: &Spec) -> Commit {
    let loaded = rig.load(spec.id).await;
    let now = rig.clock().now();
    let track = loaded.track.clone().expect("it beat");
    let heard = Heard { track: &track, until: now, deaf: &[] };
    let spare = rig.store.incidents.spare().await.expect("the store is there");
    let context = Context { now, spare, base_url: "", actor: "" };
    commit(&loaded, step(spec, &loaded.observed, &loaded.state, Trigger::Heard(heard), &context))
}

/// As the store keeps it.
fn row_of(beat: &Beat, taken: Taken) -> BeatRow {
    BeatRow {
        monitor: beat.monitor,
        number: taken.number,
        at: beat.at,
        happened: beat.happened,
        signal: beat.signal,
        ignored: beat.ignored,
        run: beat.run,
        duration: taken.duration,
        slot: taken.slot,
        via: beat.via.clone(),
        body_bytes: beat.body.len() as u32,
    }
}

pub async fn a_beat_is_kept_and_counted(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = heartbeat(&rig, "Backup").await;
    assert_eq!(track(&rig, spec.id).await, None);
    assert_eq!(rig.load(spec.id).await.track, None);
    assert!(list(&rig, spec.id, None, 9).await.is_empty());
    let now = rig.clock().now();

    let mut model = Track::default();
    for (seconds, signal) in [(0, Signal::Start), (90, Signal::Success), (700, Signal::Exit(3))] {
        let beat = beat(&spec, now + Duration::from_secs(seconds), signal);
        let expected = model.take(spec.beats().expect("it is a heartbeat"), spec.revision, &beat);
        assert_eq!(take(&rig, &spec, beat.clone()).await, expected);
        assert_eq!(track(&rig, spec.id).await.as_ref(), Some(&model));
        assert_eq!(rig.load(spec.id).await.track.as_deref(), Some(&model));
        assert_eq!(list(&rig, spec.id, None, 1).await, [row_of(&beat, expected)]);
    }
    assert_eq!(list(&rig, spec.id, None, 9).await[1].duration, Some(Duration::from_secs(90)));
    assert_eq!(rig.all().await, [rig.load(spec.id).await]);
    assert_eq!(rig.load(spec.id).await.observed.seq, 0, "a beat is no decision");
}

pub async fn a_batch_is_taken_in_order(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (heartbeat(&rig, "A").await, heartbeat(&rig, "B").await);
    let now = rig.clock().now();
    let (mut in_a, mut in_b) = (Track::default(), Track::default());
    let (mut batch, mut expected) = (Vec::new(), Vec::new());
    let signals = [Signal::Start, Signal::Log, Signal::Success, Signal::Fail, Signal::Success];
    for (n, signal) in signals.into_iter().cycle().take(40).enumerate() {
        let (spec, model) = if n % 3 == 0 { (&b, &mut in_b) } else { (&a, &mut in_a) };
        let beat = beat(spec, now + Duration::from_secs(n as u64), signal);
        expected.push(model.take(spec.beats().expect("it is a heartbeat"), spec.revision, &beat));
        batch.push(incoming(spec, beat));
    }
    let kept: Vec<_> = expected.iter().map(|taken| Appended::Taken(*taken)).collect();
    assert_eq!(append(&rig, batch).await, kept);
    assert_eq!((in_a.count, in_b.count), (26, 14));
    let tracks = rig.store.beats.tracks(vec![b.id, MonitorId(99), a.id]).await.expect("the store is there");
    assert_eq!(tracks, [Some(in_b), None, Some(in_a)]);
    assert_eq!(append(&rig, Vec::new()).await, []);
}

pub async fn whatever_a_client_says_can_be_stored(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = heartbeat(&rig, "Backup").await;
    let now = rig.clock().now();
    let usual = beat(&spec, now, Signal::Success);
    let odd = Via {
        scheme: "".into(),
        method: "BREW".into(),
        remote: "2001:db8::1".into(),
        agent: "\u{0}\"'\\\u{1F980}\u{FEFF}\r\n".into(),
    };
    let beats = [
        Beat { body: Bytes::new(), ..usual.clone() },
        Beat { body: vec![0xff; limits::BEAT_BODY_MAX].into(), ..usual.clone() },
        Beat { via: Via::default(), signal: Signal::Log, ..usual.clone() },
        Beat { via: odd, signal: Signal::Exit(255), ..usual.clone() },
        Beat { happened: Some(now - Duration::from_secs(86_400)), signal: Signal::Fail, ..usual.clone() },
        Beat { run: Some(RunId(u128::MAX)), signal: Signal::Start, ..usual.clone() },
        Beat { run: Some(RunId(0)), took: Some(Duration::from_micros(1_500)), ..usual.clone() },
        Beat { ignored: true, signal: Signal::Exit(0), ..usual },
    ];
    let mut taken = Vec::new();
    for beat in &beats {
        taken.push(take(&rig, &spec, beat.clone()).await);
    }
    let rig = rig.kill().await;
    let rows = list(&rig, spec.id, None, 99).await;
    for ((beat, taken), row) in beats.iter().zip(taken).zip(rows.iter().rev()) {
        assert_eq!(*row, row_of(beat, taken));
        let body = rig.store.beats.body(spec.id, row.number).await.expect("the store is there");
        assert_eq!(body.as_ref(), Some(&beat.body));
    }
    for none in [0, 9] {
        assert_eq!(rig.store.beats.body(spec.id, none).await.expect("the store is there"), None);
    }
    assert_eq!(rig.store.beats.body(MonitorId(99), 1).await.expect("the store is there"), None);
}

pub async fn what_has_ended_takes_no_beats(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, other) = (heartbeat(&rig, "Backup").await, heartbeat(&rig, "Other").await);
    let silent = heartbeat(&rig, "Silent").await;
    let now = rig.clock().now();
    take(&rig, &spec, beat(&spec, now, Signal::Success)).await;
    assert!(track(&rig, spec.id).await.is_some_and(|track| track.due.is_some()));
    for spec in [&spec, &silent] {
        rig.apply(vec![plain(EditKind::Delete { id: spec.id, expect_revision: None })]).await;
    }
    let unknown = Arc::new(Spec { id: MonitorId(99), ..(*spec).clone() });
    let batch = [&spec, &other, &silent, &unknown, &other]
        .map(|spec| incoming(spec, beat(spec, now + Duration::from_secs(1), Signal::Success)));
    let answers = append(&rig, batch.into()).await;
    let kept: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Appended::Taken(taken) => taken.number,
            Appended::Gone => 0,
        })
        .collect();
    assert_eq!(kept, [0, 1, 0, 0, 2]);
    // What it was can still be read.
    let look = async |rig: &Rig<'_>| {
        let left = track(rig, spec.id).await.expect("it stays");
        assert_eq!((left.count, left.due), (1, None));
        assert_eq!(list(rig, spec.id, None, 9).await.len(), 1);
        assert_eq!(track(rig, silent.id).await, None);
        let timers = due(rig, Instant::MAX, 9).await;
        assert!(!timers.is_empty() && timers.iter().all(|timer| timer.monitor == other.id));
    };
    look(&rig).await;
    look(&rig.kill().await).await;
}

pub async fn what_is_no_beat_is_refused(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = heartbeat(&rig, "Backup").await;
    let probed = Arc::new(rig.monitor("Shop").await);
    let now = rig.clock().now();
    let good = incoming(&spec, beat(&spec, now, Signal::Success));
    let long = Beat { body: vec![b'x'; limits::BEAT_BODY_MAX + 1].into(), ..good.beat.clone() };
    let bad = [
        incoming(&spec, long),
        incoming(&probed, good.beat.clone()),
        incoming(&spec, beat(&probed, now, Signal::Log)),
    ];
    for bad in bad {
        let answer = rig.store.beats.append(vec![good.clone(), bad]).await;
        assert!(matches!(answer, Err(StoreError::Invalid(_))), "{answer:?}");
    }
    assert_eq!(track(&rig, spec.id).await, None);
    assert_eq!(take(&rig, &spec, good.beat).await.number, 1);
}

pub async fn a_decision_is_fenced_by_the_count(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = heartbeat(&rig, "Backup").await;
    let now = rig.clock().now();
    rig.clock().advance(Duration::from_secs(60));
    let none =
        Commit { track: Some(Box::default()), ..rig.follow(&spec, &rig.load(spec.id).await, Trigger::Timer) };
    assert_eq!(rig.commit(vec![none]).await, [Answer::Conflict]);

    take(&rig, &spec, beat(&spec, now, Signal::Success)).await;
    let early = decide(&rig, &spec).await;
    assert!(early.state.is_some() && early.track.is_some(), "{early:?}");
    take(&rig, &spec, beat(&spec, now + Duration::from_secs(1), Signal::Fail)).await;
    let before = rig.load(spec.id).await;
    let next = decide(&rig, &spec).await;
    // A beat came in between: nothing of the decision is written, and what was made from the present rows is.
    assert_eq!(rig.commit(vec![early, next.clone()]).await, [Answer::Conflict, Answer::Committed]);
    let after = rig.load(spec.id).await;
    assert_eq!(after.observed.seq, before.observed.seq + 1);
    assert_eq!((after.track, after.state.health), (next.track, Health::Down));
    // The rest of a decision needs no track.
    let plain = rig.follow(&spec, &rig.load(spec.id).await, Trigger::Timer);
    assert_eq!(rig.commit(vec![plain]).await, [Answer::Committed]);
    let rig = rig.kill().await;
    assert_eq!(rig.load(spec.id).await.track, track(&rig, spec.id).await.map(Box::new));
    assert_eq!(rig.load(spec.id).await.state.health, Health::Down);
    assert_eq!(track(&rig, spec.id).await.map(|track| (track.count, track.fell)), Some((2, None)));
}

async fn replace(rig: &Rig<'_>, id: MonitorId, document: &Value, consequence: Option<Commit>) -> Arc<Spec> {
    let kind = EditKind::Replace { id, expect_revision: None, declared: Box::new(declaration(document)) };
    match rig.apply(vec![Edit { kind, consequence }]).await.remove(0) {
        Applied::Monitor(revision) => Arc::new(compiled(&revision)),
        Applied::Action(_) => panic!("it was the edit of a monitor"),
    }
}

pub async fn an_edit_wants_a_decision(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = heartbeat(&rig, "Backup").await;
    let silent = heartbeat(&rig, "Silent").await;
    // A start alone wants no decision before its run is over.
    take(&rig, &spec, beat(&spec, rig.clock().now(), Signal::Start)).await;
    let longer = json!({"name": "Backup", "heartbeat": {"every": "1d"}});
    let mut before = track(&rig, spec.id).await.expect("it beat");
    let edited = replace(&rig, spec.id, &longer, None).await;
    assert!(before.due > Some(edited.effective_from));
    before.edited(edited.revision, edited.effective_from);
    assert_eq!(track(&rig, spec.id).await, Some(before.clone()));
    let wanted = Timer { due: edited.effective_from, monitor: spec.id };
    assert_eq!(due(&rig, edited.effective_from, 9).await, [wanted]);

    let loaded = rig.load(spec.id).await;
    let consequence = rig.follow(&edited, &loaded, Trigger::Edited);
    let again = replace(&rig, spec.id, &document("Backup"), Some(consequence)).await;
    before.edited(again.revision, again.effective_from);
    assert_eq!(track(&rig, spec.id).await, Some(before.clone()));
    // An edit that is refused changes nothing.
    let kind =
        EditKind::Replace { id: spec.id, expect_revision: Some(1), declared: Box::new(declaration(&longer)) };
    assert!(matches!(rig.try_apply(vec![plain(kind)]).await, Err(Refused::Stale(3))));
    replace(&rig, silent.id, &longer, None).await;
    let rig = rig.kill().await;
    assert_eq!(track(&rig, spec.id).await, Some(before));
    assert_eq!(track(&rig, silent.id).await, None);
}

pub async fn what_is_due_comes_in_order(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    assert_eq!(rig.store.beats.next().await.expect("the store is there"), None);
    let now = rig.clock().now();
    let mut specs = Vec::new();
    for n in 0..6u64 {
        let spec = heartbeat(&rig, &format!("Heartbeat {n}")).await;
        let at = now + Duration::from_secs([5, 3, 3, 9, 1, 7][n as usize]);
        // A start wants no decision before the run is over.
        take(&rig, &spec, beat(&spec, at, Signal::Start)).await;
        specs.push(spec);
    }
    let limit = Duration::from_secs(180);
    let timers: Vec<Timer> = [(1, 4), (3, 1), (3, 2), (5, 0), (7, 5), (9, 3)]
        .map(|(seconds, n): (u64, usize)| Timer {
            due: now + Duration::from_secs(seconds) + limit,
            monitor: specs[n].id,
        })
        .into();
    assert_eq!(due(&rig, Instant::MAX, 9).await, timers);
    assert_eq!(due(&rig, Instant::MAX, 2).await, timers[..2]);
    assert_eq!(due(&rig, timers[3].due, 9).await, timers[..4]);
    assert!(due(&rig, timers[0].due - Duration::from_millis(1), 9).await.is_empty());
    assert_eq!(rig.store.beats.next().await.expect("the store is there"), Some(timers[0].due));

    // A decision moves it on, a beat brings it near, and what was said before is not answered any more.
    rig.clock().step_to(timers[0].due);
    let fallen = decide(&rig, &specs[4]).await;
    assert_eq!(fallen.state.as_ref().map(|state| state.health), Some(Health::Down));
    assert_eq!(rig.commit(vec![fallen]).await, [Answer::Committed]);
    assert_eq!(due(&rig, Instant::MAX, 9).await, timers[1..]);
    let at = now + Duration::from_secs(20);
    take(&rig, &specs[3], beat(&specs[3], at, Signal::Success)).await;
    let first = Timer { due: at, monitor: specs[3].id };
    let rig = rig.kill().await;
    assert_eq!(due(&rig, Instant::MAX, 9).await, [&[first], &timers[1..5]].concat());
    assert!(rig.store.beats.next().await.expect("the store is there").is_some_and(|next| next <= at));
}

pub async fn lists_are_newest_first(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (heartbeat(&rig, "A").await, heartbeat(&rig, "B").await);
    let none = heartbeat(&rig, "None").await;
    let now = rig.clock().now();
    // Over several days.
    for n in 0..30u64 {
        let spec = if n % 3 == 0 { &b } else { &a };
        take(&rig, spec, beat(spec, now + Duration::from_secs(n * 7_200), Signal::Success)).await;
        rig.clock().advance(Duration::from_secs(7_200));
    }
    let of = async |before, limit| numbers(&list(&rig, a.id, before, limit).await);
    assert_eq!(of(None, 99).await, (1..=20).rev().collect::<Vec<_>>());
    assert_eq!(of(None, 3).await, [20, 19, 18]);
    assert_eq!(of(Some(18), 3).await, [17, 16, 15]);
    assert_eq!(of(Some(2), 3).await, [1]);
    assert!(of(Some(1), 3).await.is_empty());
    assert!(of(Some(0), 3).await.is_empty());
    assert_eq!(of(Some(99), 1).await, [20]);
    assert!(of(None, 0).await.is_empty());
    let monitors = vec![none.id, b.id, MonitorId(99), a.id];
    let recent = rig.store.beats.recent(monitors, 4).await.expect("the store is there");
    let shown: Vec<_> = recent.iter().map(|rows| numbers(rows)).collect();
    assert_eq!(shown, [vec![], vec![10, 9, 8, 7], vec![], vec![20, 19, 18, 17]]);
    assert!(recent[1].iter().all(|row| row.monitor == b.id));
}

pub async fn the_tail_loses_nothing(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (heartbeat(&rig, "A").await, heartbeat(&rig, "B").await);
    let now = rig.clock().now();
    let tail = async |after, limit| rig.store.beats.tail(after, limit).await.expect("the store is there");
    let told = |rows: &[BeatRow]| rows.iter().map(|row| (row.monitor, row.number)).collect::<Vec<_>>();
    let (rows, begin) = tail(None, 5).await;
    assert!(rows.is_empty());

    let mut all = Vec::new();
    let (mut seen, mut cursor) = (Vec::new(), begin);
    for n in 0..24u64 {
        let spec = if n % 2 == 0 { &a } else { &b };
        let at = now + Duration::from_secs(n);
        for beat in [beat(spec, at, Signal::Start), beat(spec, at, Signal::Fail)] {
            all.push((spec.id, take(&rig, spec, beat).await.number));
        }
        // Decisions write tracks, too: those are no beats.
        rig.clock().step_to(at);
        let decision = decide(&rig, spec).await;
        assert_eq!(rig.commit(vec![decision]).await, [Answer::Committed]);
        let (rows, next) = tail(Some(cursor), 3).await;
        assert!(rows.len() <= 3 && next >= cursor);
        seen.extend(told(&rows));
        cursor = next;
        rig.clock().advance(Duration::from_secs(10_000));
    }
    while seen.len() < all.len() {
        let (rows, next) = tail(Some(cursor), 3).await;
        assert!(!rows.is_empty(), "{} of {} were told", seen.len(), all.len());
        seen.extend(told(&rows));
        cursor = next;
    }
    assert_eq!(seen, all);
    assert_eq!(tail(Some(cursor), 3).await, (vec![], cursor));
    let (rows, last) = tail(None, 4).await;
    assert_eq!(told(&rows), all[all.len() - 4..]);
    assert!(tail(Some(last), 3).await.0.is_empty());
    let rig = rig.kill().await;
    take(&rig, &a, beat(&a, rig.clock().now(), Signal::Success)).await;
    let (rows, _) = rig.store.beats.tail(Some(cursor), 9).await.expect("the store is there");
    assert_eq!(told(&rows), [(a.id, 25)]);
}

const DAY: Duration = Duration::from_secs(86_400);

pub async fn old_beats_go_and_numbers_go_on(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, silent) = (heartbeat(&rig, "Backup").await, heartbeat(&rig, "Silent").await);
    take(&rig, &silent, beat(&silent, rig.clock().now(), Signal::Success)).await;
    for _ in 0..8 {
        take(&rig, &spec, beat(&spec, rig.clock().now(), Signal::Success)).await;
        rig.clock().advance(DAY);
    }
    let retain = async |rig: &Rig<'_>| {
        let now = rig.clock().now();
        rig.store.beats.retain(now).await.expect("the store is there")
    };
    assert_eq!(retain(&rig).await, 0);
    let before = (track(&rig, spec.id).await, track(&rig, silent.id).await);
    rig.clock().advance(limits::BEATS_KEPT - DAY * 4);
    assert!(retain(&rig).await > 0);
    assert_eq!(retain(&rig).await, 0);
    let rig = rig.kill().await;
    let left = numbers(&list(&rig, spec.id, None, 99).await);
    assert!(left.first() == Some(&8) && left.len() >= 4 && left.len() < 8, "{left:?}");
    assert!(list(&rig, silent.id, None, 9).await.is_empty());
    assert_eq!(rig.store.beats.body(spec.id, 1).await.expect("the store is there"), None);
    assert!(rig.store.beats.body(spec.id, 8).await.expect("the store is there").is_some());
    assert_eq!(rig.store.beats.tail(None, 99).await.expect("the store is there").0.len(), left.len());
    assert_eq!((track(&rig, spec.id).await, track(&rig, silent.id).await), before);

    // All of them go, and still the next one has its number.
    rig.clock().advance(DAY * 500);
    let (_, cursor) = rig.store.beats.tail(None, 1).await.expect("the store is there");
    assert!(retain(&rig).await > 0);
    let rig = rig.kill().await;
    assert!(list(&rig, spec.id, None, 9).await.is_empty());
    let now = rig.clock().now();
    assert_eq!(take(&rig, &spec, beat(&spec, now, Signal::Success)).await.number, 9);
    assert_eq!(take(&rig, &silent, beat(&silent, now, Signal::Success)).await.number, 2);
    assert_eq!(numbers(&list(&rig, spec.id, None, 9).await), [9]);
    assert_eq!(rig.store.beats.tail(Some(cursor), 9).await.expect("the store is there").0.len(), 2);
}

/// Beats, decisions, edits and kills in any order: the tracks are those of a model that only takes.
pub async fn what_was_answered_is_there_after_a_kill(at: &dyn Installation) {
    let mut rig = Rig::start(at).await;
    let dice = Dice::new(4);
    let mut specs = Vec::new();
    for n in 0..5 {
        specs.push(heartbeat(&rig, &format!("Heartbeat {n}")).await);
    }
    let mut model: BTreeMap<MonitorId, Track> = BTreeMap::new();
    for round in 1..=120u64 {
        rig.clock().advance(Duration::from_millis(dice.throw() % 400_000));
        let now = rig.clock().now();
        let any = (dice.throw() % 5) as usize;
        match dice.throw() % 8 {
            0..=4 => {
                let (mut batch, mut expected) = (Vec::new(), Vec::new());
                for _ in 0..=dice.throw() % 9 {
                    let spec = &specs[(dice.throw() % 5) as usize];
                    let beat = random(&dice, spec, now);
                    let track = model.entry(spec.id).or_default();
                    let taken = track.take(spec.beats().expect("it is a heartbeat"), spec.revision, &beat);
                    expected.push(Appended::Taken(taken));
                    batch.push(incoming(spec, beat));
                }
                assert_eq!(append(&rig, batch).await, expected);
            }
            5..=6 => {
                let Some(track) = model.get_mut(&specs[any].id) else { continue };
                let decision = decide(&rig, &specs[any]).await;
                let decided = decision.track.clone();
                assert_eq!(rig.commit(vec![decision]).await, [Answer::Committed]);
                *track = decided.map_or_else(|| track.clone(), |track| *track);
            }
            _ => {
                let every = ["5m", "10m", "1h"][(dice.throw() % 3) as usize];
                let document = json!({"name": &*specs[any].declared.name, "heartbeat": {"every": every}});
                specs[any] = replace(&rig, specs[any].id, &document, None).await;
                let (revision, from) = (specs[any].revision, specs[any].effective_from);
                model.entry(specs[any].id).and_modify(|track| track.edited(revision, from));
                // Beats are taken by the revision in force.
                rig.clock().step_to(from.max(now));
            }
        }
        if round % 24 == 0 {
            rig = if round % 72 == 0 { rig.stop().await } else { rig.kill().await };
        }
        let monitors: Vec<_> = specs.iter().map(|spec| spec.id).collect();
        let tracks = rig.store.beats.tracks(monitors).await.expect("the store is there");
        let expected: Vec<_> = specs.iter().map(|spec| model.get(&spec.id).cloned()).collect();
        assert_eq!(tracks, expected, "after round {round}");
        let mut timers: Vec<_> = model
            .iter()
            .filter_map(|(monitor, track)| track.due.map(|due| Timer { due, monitor: *monitor }))
            .collect();
        timers.sort();
        assert_eq!(due(&rig, Instant::MAX, 99).await, timers, "after round {round}");
    }
    for spec in &specs {
        let count = model.get(&spec.id).map_or(0, |track| track.count);
        let all = numbers(&list(&rig, spec.id, None, 100_000).await);
        assert_eq!(all, (1..=count).rev().collect::<Vec<_>>());
    }
}

fn random(dice: &Dice, spec: &Spec, now: Instant) -> Beat {
    let signals =
        [Signal::Success, Signal::Start, Signal::Fail, Signal::Log, Signal::Exit(0), Signal::Exit(9)];
    let signal = signals[(dice.throw() % 6) as usize];
    let run = dice.throw().is_multiple_of(2).then(|| RunId(u128::from(dice.throw() % 4)));
    let ago = Duration::from_millis(dice.throw() % 100_000);
    let happened = dice.throw().is_multiple_of(4).then(|| now - ago);
    Beat { run, happened, ignored: dice.throw().is_multiple_of(16), ..beat(spec, now, signal) }
}

pub async fn several_of_healthchecks_share_a_slug(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let create = async |name: &str, rules: &str| {
        let document = json!({"name": name, "slug": "backup", "heartbeat": {"rules": rules}});
        rig.try_apply(vec![plain(super::rig::create(&document))]).await
    };
    for name in ["A", "B"] {
        assert!(create(name, "healthchecks").await.is_ok());
    }
    assert!(create("C", "own").await.is_ok());
    assert_eq!(create("D", "own").await.map(drop), Err(Refused::Taken("backup".to_owned())));
    assert!(create("E", "healthchecks").await.is_ok());
}
