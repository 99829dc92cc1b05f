//! Which revision a slot belongs to, whatever order the changes came in.

use super::*;
use bw_testkit::builders::{START, revision};
use serde_json::json;

const ID: MonitorId = MonitorId(7);

fn every(seconds: u64) -> serde_json::Value {
    json!({"name": "Shop", "http": "http://shop.test/", "every": format!("{seconds}s"), "timeout": "1s"})
}

fn changes(cursor: u64, revisions: Vec<Revision>) -> Changes {
    Changes { cursor, revisions, actions: None }
}

fn catalog() -> LiveCatalog {
    LiveCatalog::new(Arc::default())
}

fn at(seconds: u64) -> Instant {
    START + Duration::from_secs(seconds)
}

#[test]
fn a_slot_belongs_to_the_revision_in_force() {
    let catalog = catalog();
    catalog.apply(changes(1, vec![revision(7, 1, START, &every(10))]));
    catalog.apply(changes(2, vec![revision(7, 2, at(60), &every(2))]));
    let of = |seconds| catalog.in_force(ID, at(seconds)).map(|spec| spec.revision);
    assert_eq!([of(0), of(59), of(60)], [Some(1), Some(1), Some(2)]);
    assert_eq!(catalog.in_force(ID, START - Duration::from_secs(1)), None);
    assert_eq!(catalog.get(ID).map(|spec| spec.revision), Some(2));
    assert_eq!(catalog.at(ID, 1).map(|spec| spec.revision), Some(1));

    let mut slots = Vec::new();
    let mut after = at(40);
    while let Some((slot, spec)) = catalog.next_slot(ID, after).filter(|(slot, _)| *slot < at(66)) {
        slots.push((spec.revision, spec.policy.every.as_secs()));
        after = slot;
    }
    assert_eq!(slots, [(1, 10), (1, 10), (2, 2), (2, 2), (2, 2)]);

    catalog.forget(at(60));
    assert_eq!(catalog.at(ID, 1), None, "nobody asks about its slots any more");
    assert_eq!(catalog.next_slot(ID, at(40)).map(|(_, spec)| spec.revision), Some(2));
}

#[test]
fn a_paused_monitor_has_no_slots_until_it_is_resumed() {
    let catalog = catalog();
    let mut paused = every(10);
    paused["enabled"] = json!(false);
    catalog.apply(changes(1, vec![revision(7, 1, START, &every(10)), revision(7, 2, at(30), &paused)]));
    let next =
        |seconds| catalog.next_slot(ID, at(seconds)).map(|(slot, spec)| (slot < at(30), spec.revision));
    assert_eq!(next(0), Some((true, 1)));
    assert_eq!(next(30), None);
    catalog.apply(changes(2, vec![revision(7, 3, at(90), &every(10))]));
    assert_eq!(next(30), Some((false, 3)));
}

#[test]
fn overlapping_refreshes_undo_nothing() {
    let catalog = catalog();
    let mut deleted = revision(7, 2, at(5), &every(10));
    deleted.declared = None;
    let first = vec![revision(7, 1, START, &every(10)), revision(8, 1, START, &every(10))];
    assert_eq!(catalog.apply(changes(2, first.clone())), [ID, MonitorId(8)]);
    assert_eq!(catalog.apply(changes(3, vec![deleted.clone()])), [ID]);
    assert!(catalog.apply(changes(2, first.clone())).is_empty(), "an earlier answer that comes late");
    assert_eq!(catalog.get(ID), None);
    let everything = first.into_iter().chain([deleted]).collect();
    catalog.apply(changes(4, everything));
    assert_eq!((catalog.get(ID), catalog.len()), (None, 1), "seen twice, it stays deleted");
}

#[test]
fn what_does_not_compile_is_kept_out_and_listed() {
    let catalog = catalog();
    let bad = json!({"name": "Shop", "http": "http://shop.test/", "every": "1s", "timeout": "9s"});
    catalog.apply(changes(1, vec![revision(7, 1, START, &every(10)), revision(7, 2, at(5), &bad)]));
    assert_eq!((catalog.get(ID), catalog.broken().len()), (None, 1));
    catalog.apply(changes(2, vec![revision(7, 3, at(9), &every(10))]));
    assert_eq!((catalog.len(), catalog.broken().len()), (1, 0));
}

#[test]
fn changes_are_followed_whoever_read_them() {
    let catalog = catalog();
    let mut followed = 0;
    catalog.apply(changes(1, vec![revision(7, 1, START, &every(10))]));
    assert_eq!(catalog.changed_since(&mut followed), Some(vec![ID]));
    assert_eq!(catalog.changed_since(&mut followed), Some(vec![]));
    let many = (1..=LOG as i64 + 1).map(|id| revision(100 + id, 1, START, &every(10))).collect();
    catalog.apply(changes(2, many));
    assert_eq!(catalog.changed_since(&mut followed), None, "too many to remember");
    assert_eq!(catalog.changed_since(&mut followed), Some(vec![]));
}

#[test]
fn equal_parts_are_kept_once() {
    let catalog = catalog();
    let expecting = json!({"name": "A", "http": "http://a.test/", "expect": ["status == 204"]});
    catalog.apply(changes(1, (1..=3).map(|id| revision(id, 1, START, &expecting)).collect()));
    let all = catalog.all();
    assert!(Arc::ptr_eq(&all[0].policy, &all[2].policy) && Arc::ptr_eq(&all[0].policy, &all[1].policy));
}

#[test]
fn heartbeats_that_agree_on_the_same_share_it_however_many_others_there_are() {
    let catalog = catalog();
    let beating = |id: i64| {
        let schedule = format!("{} {} * * *", id % 60, id / 60 % 24);
        revision(id, 1, START, &json!({"name": format!("b{id}"), "heartbeat": {"schedule": schedule}}))
    };
    catalog.apply(changes(1, (0..2 * 1_440).map(beating).collect()));
    let [one, other] = [3, 3 + 1_440].map(|id| catalog.get(MonitorId(id)).expect("a heartbeat"));
    assert!(Arc::ptr_eq(one.beats().expect("beats"), other.beats().expect("beats")));
    assert!(
        Arc::ptr_eq(&one.policy, &other.policy)
            && Arc::ptr_eq(&one.declared.probing, &other.declared.probing)
    );
    let terms = |spec: &Spec| spec.declared.heartbeat().expect("a heartbeat").terms.clone();
    assert!(Arc::ptr_eq(&terms(&one), &terms(&other)));
}
