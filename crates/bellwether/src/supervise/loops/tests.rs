//! Loops of clay: one that panics, one that does not want to end, and the order in which they end.

use super::*;
use crate::system::SystemClock;
use crate::wake::ProcessWake;
use bw_domain::port::Fut;
use bw_engine::loops::Next;
use bw_engine::vitals::Vitals;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What happened, in order.
type Told = Arc<watch::Sender<Vec<String>>>;

struct Clay {
    name: LoopName,
    told: Told,
    /// Panics in its first tick of all lives.
    panics: Arc<Mutex<bool>>,
}

impl Tick for Clay {
    fn name(&self) -> LoopName {
        self.name
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(async move {
            let panics = std::mem::take(&mut *self.panics.lock().expect("nobody panics while holding it"));
            assert!(!panics, "clay breaks");
            self.told.send_modify(|told| told.push(format!("{} ticks", self.name.word())));
            Next::At(bw_domain::time::Instant::MAX)
        })
    }

    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move { self.told.send_modify(|told| told.push(format!("{} ends", self.name.word()))) })
    }
}

fn plant(names: &'static [LoopName], breaks: Option<LoopName>) -> (Plant, Told) {
    let told: Told = Arc::new(watch::channel(Vec::new()).0);
    let flags: Vec<_> = names.iter().map(|name| Arc::new(Mutex::new(Some(*name) == breaks))).collect();
    let made = told.clone();
    let make = move || -> Vec<Box<dyn Tick>> {
        let clay = |(name, panics): (&LoopName, &Arc<Mutex<bool>>)| -> Box<dyn Tick> {
            Box::new(Clay { name: *name, told: made.clone(), panics: panics.clone() })
        };
        names.iter().zip(&flags).map(clay).collect()
    };
    let rest = Rest {
        clock: Arc::new(SystemClock::new()),
        wake: Arc::new(ProcessWake::default()),
        vitals: Arc::new(Vitals::default()),
        sleep: Arc::new(|length| Box::pin(tokio::time::sleep(length))),
    };
    (Plant { make: Box::new(make), rest, role: Role::Serve }, told)
}

/// Runs until `enough` has been told, then stops, and answers everything.
async fn lived(plant: Plant, told: Told, enough: &'static str) -> Vec<String> {
    let mut seen = told.subscribe();
    let stop = async move {
        drop(seen.wait_for(|told| told.iter().any(|line| line == enough)).await);
    };
    tokio::time::timeout(Duration::from_secs(20), plant.run(stop, async {})).await.expect("it ends");
    told.borrow().clone()
}

#[tokio::test]
async fn after_a_panic_all_begin_again() {
    let (plant, told) = plant(&[LoopName::Plan, LoopName::Judge], Some(LoopName::Plan));
    let told = lived(plant, told, "plan ticks").await;
    let judge = told.iter().filter(|line| *line == "judge ends").count();
    assert_eq!(judge, 2, "it ended with the first life and with the second: {told:?}");
    assert_eq!(told.last().map(String::as_str), Some("judge ends"), "{told:?}");
}

#[tokio::test]
async fn what_feeds_ends_before_what_is_fed() {
    let names = &[LoopName::Lease, LoopName::Deliver, LoopName::Judge, LoopName::Work, LoopName::Plan];
    let (plant, told) = plant(names, None);
    let told = lived(plant, told, "plan ticks").await;
    let ends: Vec<&str> = told.iter().filter_map(|line| line.strip_suffix(" ends")).collect();
    assert_eq!(ends, ["plan", "work", "judge", "deliver", "lease"]);
}

#[tokio::test]
async fn beats_are_heard_until_nearly_everything_has_ended() {
    let (plant, told) = plant(&[LoopName::Ingest, LoopName::Deliver, LoopName::Plan], None);
    let (mut seen, heard) = (told.subscribe(), told.clone());
    let stop = async move {
        drop(seen.wait_for(|told| told.iter().any(|line| line == "ingest ticks")).await);
    };
    let deafen = async move { heard.send_modify(|told| told.push("listen ends".to_owned())) };
    tokio::time::timeout(Duration::from_secs(20), plant.run(stop, deafen)).await.expect("it ends");
    let told = told.borrow().clone();
    let ends: Vec<&str> = told.iter().filter_map(|line| line.strip_suffix(" ends")).collect();
    assert_eq!(ends, ["plan", "deliver", "listen", "ingest"]);
}
