//! `kill -9` at any instant: everything that was acknowledged is there, and what is there belongs together.

use crate::child;
use crate::directory::{Directory, temporary};
use crate::telling::{acknowledged, judge_all, monitors};
use bw_domain::event::EventKind;
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::{IncidentFilter, OutcomeQuery};
use bw_domain::state::Health;
use bw_domain::time::Instant;
use bw_store::sqlite;
use bw_testkit::contract::store::{Installation, Rig};
use bw_testkit::dice::Dice;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

#[tokio::test]
async fn nothing_acknowledged_is_lost() {
    if let Some(directory) = child::directory() {
        return judge_all(directory).await;
    }
    let directory = temporary();
    let dice = Dice::new(23);
    let mut told = BTreeSet::new();
    for _ in 0..6 {
        told.extend(kill_after(directory.path(), 20 + (dice.throw() % 150) as usize));
        look(directory.path(), &told).await;
    }
}

/// Lets a child work until it has told of so many outcomes, and kills it.
fn kill_after(directory: &Path, lines: usize) -> Vec<OutcomeKey> {
    let mut command = child::command("killed::nothing_acknowledged_is_lost", directory);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("this binary starts");
    let out = child.stdout.take().expect("it was asked for");
    let mut told = Vec::new();
    for line in BufReader::new(out).lines() {
        told.extend(acknowledged(&line.expect("lines are text")));
        if told.len() == lines {
            child.kill().expect("it is our child");
        }
    }
    child.wait().expect("it is our child");
    assert!(told.len() >= lines, "the child ended by itself after {} outcomes", told.len());
    told
}

async fn look(path: &Path, told: &BTreeSet<OutcomeKey>) {
    let directory = Directory::at(path.to_owned());
    let rig = Rig::start(&directory).await;
    let mut stored = BTreeSet::new();
    let events = rig.store.deliveries.unrouted(1_000_000).await.expect("the store is there");
    for spec in monitors(&rig).await {
        let (from, to, limit) = (Instant::ZERO, Instant::MAX, 1_000_000);
        let query = OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit };
        let rows = rig.store.outcomes.range(query).await.expect("the store is there");
        stored.extend(rows.iter().map(|row| row.key));

        // What is believed follows from what is stored.
        let loaded = rig.load(spec.id).await;
        let Some(newest) = rows.first() else { continue };
        let health = if newest.verdict == Verdict::Fail { Health::Down } else { Health::Up };
        assert_eq!((loaded.state.health, loaded.observed.seq), (health, rows.len() as u64));
        assert_eq!(loaded.observed.cells[0].slot, newest.key.slot);

        // And incidents, transitions and events with it.
        let filter = IncidentFilter { monitor: Some(spec.id), limit: 1_000_000, ..IncidentFilter::default() };
        let incidents = rig.store.incidents.list(filter).await.expect("the store is there").items;
        let open: Vec<_> = incidents.iter().filter(|incident| incident.closed_at.is_none()).collect();
        assert_eq!(open.first().map(|incident| incident.id), loaded.state.incident);
        assert!(open.len() <= 1);
        let transitions =
            rig.store.outcomes.transitions(spec.id, 1_000_000).await.expect("the store is there");
        let of = |kind| {
            let of_it = |monitor: &bw_domain::event::Subject| monitor.id == spec.id;
            events.iter().filter(|e| e.kind == kind && e.monitor.as_ref().is_some_and(of_it)).count()
        };
        assert_eq!(of(EventKind::MonitorChanged), transitions.len());
        assert_eq!(of(EventKind::IncidentOpened), incidents.len());
        assert_eq!(of(EventKind::IncidentClosed), incidents.len() - open.len());
    }
    let lost: Vec<_> = told.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let report = sqlite::check(path).expect("it can be read");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    directory.stop(rig.store).await;
}
