//! `Incidents` and their timelines.

use super::Installation;
use super::rig::{Rig, slot};
use crate::builders::{event, fail, job, pass};
use bw_domain::event::EventKind;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::{Acknowledged, Entry, EntryKind, Incident, IncidentChange};
use bw_domain::limits::TIMELINE_MAX;
use bw_domain::outcome::Code;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{IncidentFilter, IncidentPage};
use bw_domain::time::Duration;

async fn list(rig: &Rig<'_>, filter: IncidentFilter) -> IncidentPage {
    rig.store.incidents.list(filter).await.expect("the store is there")
}

async fn get(rig: &Rig<'_>, id: IncidentId) -> (Incident, Vec<Entry>) {
    rig.store.incidents.get(id).await.expect("the store is there").expect("the incident is there")
}

fn ids(page: &IncidentPage) -> Vec<i64> {
    page.items.iter().map(|incident| incident.id.0).collect()
}

pub async fn spare_ids_differ(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut spare = Vec::new();
    for _ in 0..3 {
        spare.push(rig.store.incidents.spare().await.expect("the store is there"));
    }
    spare.dedup();
    assert_eq!(spare.len(), 3);
    let (_, first) = rig.down("A").await;
    let rig = rig.kill().await;
    let (_, second) = rig.down("B").await;
    assert!(second > first, "ids are never used again");
}

pub async fn an_incident_opens_and_closes_with_its_monitor(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, id) = rig.down("Shop").await;
    let (incident, timeline) = get(&rig, id).await;
    assert_eq!((incident.monitor, incident.monitor_name.as_str()), (spec.id, "Shop"));
    assert_eq!((incident.cause.code, incident.closed_at), (Code::CONNECT_REFUSED, None));
    assert!(incident.first_failure_at <= incident.opened_at);
    assert!(timeline.len() >= 2 && timeline.is_sorted_by_key(|entry| entry.at), "{timeline:?}");
    rig.see(&spec, &fail(job(&spec, slot(&spec, 1)), Code::EXPECT_BODY)).await;
    let rig = rig.kill().await;
    let (still_open, timeline) = get(&rig, id).await;
    assert_eq!(still_open, incident);
    assert_eq!(timeline.last().map(|entry| entry.kind), Some(EntryKind::Changed));
    rig.see(&spec, &pass(job(&spec, slot(&spec, 2)))).await;
    let (closed, timeline) = get(&rig, id).await;
    assert!(closed.closed_at.is_some());
    assert_eq!(timeline.last().map(|entry| entry.kind), Some(EntryKind::Recovered));
    assert_eq!(rig.load(spec.id).await.state.incident, None);
    assert_eq!(rig.store.incidents.get(IncidentId(9_999)).await.expect("the store is there"), None);
}

pub async fn lists_are_paged(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut newest_first = Vec::new();
    let mut monitors = Vec::new();
    for name in ["A", "B", "C", "D", "E"] {
        let (spec, id) = rig.down(name).await;
        newest_first.insert(0, id.0);
        monitors.push(spec);
    }
    for spec in &monitors[..2] {
        rig.see(spec, &pass(job(spec, slot(spec, 1)))).await;
    }
    let filter = IncidentFilter { limit: 99, ..IncidentFilter::default() };
    assert_eq!(ids(&list(&rig, filter.clone()).await), newest_first);
    let open = list(&rig, IncidentFilter { open: Some(true), ..filter.clone() }).await;
    assert_eq!((ids(&open), open.next), (newest_first[..3].to_vec(), None));
    let closed = IncidentFilter { open: Some(false), ..filter.clone() };
    assert_eq!(ids(&list(&rig, closed).await), newest_first[3..]);
    let one = IncidentFilter { monitor: Some(monitors[2].id), ..filter.clone() };
    assert_eq!(ids(&list(&rig, one).await), newest_first[2..3]);

    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = list(&rig, IncidentFilter { before, limit: 2, ..filter.clone() }).await;
        paged.extend(ids(&page));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(paged, newest_first);
}

pub async fn people_change_incidents(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (_, id) = rig.down("Shop").await;
    let now = rig.clock().now() + Duration::from_secs(60);
    let entry = |kind, text: &str| vec![Entry::new(now, kind, text)];
    let acknowledged = Acknowledged { at: now, by: "ada".to_owned() };
    let events = vec![event(1, EventKind::IncidentAcknowledged, MonitorId(1))];
    let before = rig.store.deliveries.unrouted(99).await.expect("the store is there").len();
    let change = IncidentChange::Acknowledge {
        id,
        acknowledged: acknowledged.clone(),
        entries: entry(EntryKind::Acknowledged, "ada is on it"),
    };
    assert!(rig.store.incidents.change(change, events.clone()).await.expect("the store is there"));
    let note = |id| IncidentChange::Update {
        id,
        cause: None,
        not_observed_since: None,
        entries: entry(EntryKind::Note, "the disk is full"),
    };
    assert!(rig.store.incidents.change(note(id), vec![]).await.expect("the store is there"));
    let unknown = rig.store.incidents.change(note(IncidentId(9_999)), events).await;
    assert!(!unknown.expect("the store is there"));

    let rig = rig.kill().await;
    let (incident, timeline) = get(&rig, id).await;
    assert_eq!((incident.acknowledged, incident.closed_at), (Some(acknowledged), None));
    let told: Vec<_> = timeline.iter().rev().take(2).map(|entry| entry.text.as_str()).collect();
    assert_eq!(told, ["the disk is full", "ada is on it"]);
    let events = rig.store.deliveries.unrouted(99).await.expect("the store is there");
    assert_eq!(events.len(), before + 1);
}

pub async fn a_timeline_is_bounded(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (_, id) = rig.down("Shop").await;
    let first = get(&rig, id).await.1.remove(0);
    let now = rig.clock().now() + Duration::from_secs(60);
    let entries = (0..TIMELINE_MAX + 20)
        .map(|n| Entry::new(now + Duration::from_millis(n as u64), EntryKind::Note, format!("note {n}")))
        .collect();
    let change = IncidentChange::Update { id, cause: None, not_observed_since: Some(Some(now)), entries };
    assert!(rig.store.incidents.change(change, vec![]).await.expect("the store is there"));
    let (incident, timeline) = get(&rig, id).await;
    assert_eq!(incident.not_observed_since, Some(now));
    assert_eq!((timeline.len(), &timeline[0]), (TIMELINE_MAX, &first));
    assert_eq!(timeline[TIMELINE_MAX - 1].text, format!("note {}", TIMELINE_MAX + 19));
}
