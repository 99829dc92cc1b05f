//! A process on an installation, and the few verbs that every case needs: what the loops would do.

use super::Installation;
use crate::builders::{compiled, declaration, fail, job};
use crate::clock::ManualClock;
use bw_domain::id::{IncidentId, JobId, MonitorId, Uuid};
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answer, Applied, Commit, Edit, EditKind, Held, Loaded, NodeId, Refused, Store};
use bw_domain::schedule::Grid;
use bw_domain::state::{Context, Step, Trigger, step};
use bw_domain::time::{Duration, Instant};
use serde_json::{Value, json};

/// One process.
pub struct Rig<'i> {
    at: &'i dyn Installation,
    pub store: Store,
}

/// A monitor that is probed every ten seconds and is DOWN after one failure.
pub fn document(name: &str) -> Value {
    json!({"name": name, "http": "http://shop.test/", "every": "10s",
           "confirm": {"failures": 1, "recoveries": 1}})
}

impl<'i> Rig<'i> {
    pub async fn start(at: &'i dyn Installation) -> Self {
        Rig { at, store: at.start().await }
    }

    /// One more node of an installation that several may share.
    pub fn on(store: Store, at: &'i dyn Installation) -> Self {
        Rig { at, store }
    }

    pub fn clock(&self) -> &ManualClock {
        self.at.clock()
    }

    /// The next process, after this one ended in order.
    pub async fn stop(self) -> Self {
        self.at.stop(self.store).await;
        Rig::start(self.at).await
    }

    /// The next process, after this one was killed.
    pub async fn kill(self) -> Self {
        self.at.kill(self.store).await;
        Rig::start(self.at).await
    }

    /// Applies edits that are good.
    pub async fn apply(&self, edits: Vec<Edit>) -> Vec<Applied> {
        self.try_apply(edits).await.expect("the edits are good")
    }

    pub async fn try_apply(&self, edits: Vec<Edit>) -> Result<Vec<Applied>, Refused> {
        self.store.catalog.apply(edits).await.expect("the store is there")
    }

    /// One edit of a monitor, compiled.
    pub async fn edit(&self, kind: EditKind) -> Spec {
        match self.apply(vec![plain(kind)]).await.remove(0) {
            Applied::Monitor(revision) => compiled(&revision),
            Applied::Action(_) => panic!("it was the edit of a monitor"),
        }
    }

    /// A monitor of nobody, from its document.
    pub async fn create(&self, document: &Value) -> Spec {
        self.edit(create(document)).await
    }

    /// A monitor as [`document`] says.
    pub async fn monitor(&self, name: &str) -> Spec {
        self.create(&document(name)).await
    }

    pub async fn load(&self, monitor: MonitorId) -> Loaded {
        let rows = self.store.states.load(vec![monitor]).await.expect("the store is there");
        rows.into_iter().next().flatten().expect("the monitor is there")
    }

    /// What `judge` would offer for an outcome, decided from these rows.
    pub async fn decide(&self, spec: &Spec, loaded: &Loaded, outcome: &Outcome) -> Commit {
        let spare = self.store.incidents.spare().await.expect("the store is there");
        let now = self.clock().now().max(outcome.at);
        let context = Context { now, spare, base_url: "", actor: "" };
        let step = step(spec, &loaded.observed, &loaded.state, Trigger::Outcome(outcome), &context);
        let keep_evidence = step.keep_evidence;
        Commit { keep_evidence, outcome: Some(outcome.clone()), ..commit(loaded, step) }
    }

    /// What follows from a trigger that is not an outcome.
    pub fn follow(&self, spec: &Spec, loaded: &Loaded, trigger: Trigger<'_>) -> Commit {
        let context = Context { now: self.clock().now(), spare: IncidentId(0), base_url: "", actor: "" };
        commit(loaded, step(spec, &loaded.observed, &loaded.state, trigger, &context))
    }

    pub async fn commit(&self, batch: Vec<Commit>) -> Vec<Answer> {
        self.store.states.commit(batch).await.expect("the store is there")
    }

    /// Loads, decides and commits one outcome.
    pub async fn judge(&self, spec: &Spec, outcome: &Outcome) -> Answer {
        let loaded = self.load(spec.id).await;
        let decision = self.decide(spec, &loaded, outcome).await;
        self.commit(vec![decision]).await[0]
    }

    /// Judges an outcome that must be new.
    pub async fn see(&self, spec: &Spec, outcome: &Outcome) {
        assert_eq!(self.judge(spec, outcome).await, Answer::Committed, "{outcome:?}");
    }

    /// A monitor whose first outcome was a failure, so that it is DOWN.
    pub async fn down(&self, name: &str) -> (Spec, IncidentId) {
        let spec = self.monitor(name).await;
        self.see(&spec, &fail(job(&spec, slot(&spec, 0)), Code::CONNECT_REFUSED)).await;
        let incident = self.load(spec.id).await.state.incident;
        (spec, incident.expect("one failure is enough"))
    }

    /// Takes all shards for a node.
    pub async fn hold(&self, node: u128) -> Vec<Held> {
        let term = Duration::from_secs(10);
        self.store.leases.hold(NodeId(node), term).await.expect("the store is there").0
    }

    /// The rows of every monitor.
    pub async fn all(&self) -> Vec<Loaded> {
        self.store.states.all().await.expect("the store is there")
    }
}

/// The creation of a monitor of nobody, without a first look.
pub fn create(document: &Value) -> EditKind {
    create_for(None, document)
}

/// The creation of a monitor of an owner. Documents that differ become monitors that differ.
pub fn create_for(owner: Option<&str>, document: &Value) -> EditKind {
    let bits = JobId::of(&[owner.unwrap_or_default().as_bytes(), document.to_string().as_bytes()]).0;
    EditKind::Create {
        uuid: Uuid::from_random(u128::from_le_bytes(bits)),
        owner: owner.map(Into::into),
        declared: Box::new(declaration(document)),
        first_look: false,
    }
}

/// An edit without a consequence.
pub fn plain(kind: EditKind) -> Edit {
    Edit { kind, consequence: None }
}

/// What is offered of a step.
pub(super) fn commit(loaded: &Loaded, step: Step) -> Commit {
    Commit {
        monitor: loaded.monitor,
        expect_seq: loaded.observed.seq,
        outcome: None,
        keep_evidence: false,
        observed: step.observed,
        state: step.state,
        transition: step.transition,
        incident: step.incident,
        events: step.events.into_vec(),
        track: step.track,
    }
}

/// The `n`th slot of a monitor after its revision began to count.
pub fn slot(spec: &Spec, n: u32) -> Instant {
    let grid = Grid::of(spec.id, spec.policy.every);
    grid.after(spec.effective_from) + spec.policy.every * n
}
