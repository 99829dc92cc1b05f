//! The story of each heartbeat as the journal has it: its beats in the order in which they were kept, its edits and its
//! decisions, with how things stood after each.

use crate::Ms;
use crate::journal::Fact;
use crate::past::Past;
use bw_domain::beat::{Agreement, Beat, Kind, Track};
use bw_domain::id::MonitorId;
use bw_domain::limits::RUNS_AT_ONCE;
use bw_domain::monitor::Spec;
use bw_domain::port::store::Commit;
use bw_domain::state::{Health, Transition};
use bw_domain::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One step of a story.
#[derive(Clone, Debug)]
pub struct Step {
    /// True time.
    pub at: Ms,
    pub what: What,
    /// How things stand after it.
    pub after: Standing,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    Edited,
    Kept(Box<Beat>),
    Decided(Option<Transition>),
}

/// How a heartbeat stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub spec: Arc<Spec>,
    pub health: Health,
    pub since: Instant,
    pub base: Option<Instant>,
    pub has_incident: bool,
    /// The last success or failure by its own instant, and whether it was a failure.
    pub last: Option<(Instant, bool)>,
    /// When the runs under way began, oldest first; those that were told of are out.
    pub runs: Vec<Instant>,
}

/// The steps of each heartbeat that there ever was.
pub fn stories(past: &Past) -> BTreeMap<MonitorId, Vec<Step>> {
    let mut told: BTreeMap<MonitorId, Vec<Step>> = BTreeMap::new();
    let mut runs: BTreeMap<MonitorId, Track> = BTreeMap::new();
    for line in &past.journal {
        let (monitor, what) = match &line.fact {
            Fact::Edited { revision, .. } => (revision.id, What::Edited),
            Fact::Kept { beat, .. } => (beat.monitor, What::Kept(beat.clone())),
            Fact::Committed { commit, .. } => (commit.monitor, What::Decided(commit.transition.clone())),
            _ => continue,
        };
        let before = told.get(&monitor).and_then(|steps| steps.last()).map(|step| step.after.clone());
        let mut after = match (before, &line.fact) {
            (Some(before), _) => before,
            (None, Fact::Edited { revision, .. }) if revision.revision == 1 => {
                let spec = past.spec(revision);
                if spec.beats().is_none() {
                    continue;
                }
                Standing::new(spec, revision.created_at)
            }
            _ => continue,
        };
        let track = runs.entry(monitor).or_default();
        match &line.fact {
            Fact::Edited { revision, commit, .. } => {
                if revision.declared.is_some() {
                    after.spec = past.spec(revision);
                } else {
                    after.spec = Arc::new(Spec { enabled: false, ..(*after.spec).clone() });
                }
                if let Some(commit) = commit {
                    after.decided(commit);
                }
            }
            Fact::Kept { spec, beat, .. } => {
                let agreement = spec.beats().expect("beats are kept of heartbeats");
                after.beat(beat);
                track.run(agreement, beat);
                after.runs = track.runs.iter().map(|run| run.at).collect();
            }
            Fact::Committed { commit, .. } => {
                after.decided(commit);
                if let Some(decided) = &commit.track {
                    track.runs.clone_from(&decided.runs);
                    after.runs = track.runs.iter().map(|run| run.at).collect();
                }
            }
            _ => {}
        }
        told.entry(monitor).or_default().push(Step { at: line.at, what, after });
    }
    told
}

/// True for a beat that says how the job went.
pub fn speaks(beat: &Beat) -> bool {
    !beat.ignored && (beat.signal.is_success() || beat.signal.is_failure())
}

trait Runs {
    fn run(&mut self, agreement: &Agreement, beat: &Beat);
}

impl Runs for Track {
    /// Which runs are under way after a beat, as plainly as it can be said.
    fn run(&mut self, agreement: &Agreement, beat: &Beat) {
        let theirs = agreement.terms.kind == Kind::Healthchecks;
        let mine = |run: &bw_domain::beat::Run| run.id == beat.run;
        if beat.ignored {
            return;
        }
        if beat.signal == bw_domain::beat::Signal::Start {
            self.runs.retain(|run| !theirs && !mine(run));
            if self.runs.len() == RUNS_AT_ONCE {
                self.runs.remove(0);
            }
            self.runs.push(bw_domain::beat::Run { id: beat.run, at: beat.instant() });
        } else if speaks(beat) {
            let all = beat.run.is_none() || theirs && beat.signal.is_failure();
            self.runs.retain(|run| !all && !mine(run));
        }
    }
}

impl Standing {
    fn new(spec: Arc<Spec>, since: Instant) -> Self {
        Standing {
            spec,
            health: Health::Unknown,
            since,
            base: None,
            has_incident: false,
            last: None,
            runs: Vec::new(),
        }
    }

    fn decided(&mut self, commit: &Commit) {
        if let Some(state) = &commit.state {
            (self.health, self.since, self.base) = (state.health, state.since, state.base);
            self.has_incident = state.incident.is_some();
        }
    }

    fn beat(&mut self, beat: &Beat) {
        let newest = self.last.is_none_or(|(last, _)| beat.instant() >= last);
        if speaks(beat) && newest {
            self.last = Some((beat.instant(), beat.signal.is_failure()));
        }
    }

    /// What was agreed.
    pub fn agreement(&self) -> &Agreement {
        self.spec.beats().expect("it is a heartbeat")
    }

    fn counts(&self, at: Instant) -> bool {
        self.base.is_none_or(|base| at >= base)
    }

    /// The last word that still counts, and whether it was a failure.
    pub fn said(&self) -> Option<(Instant, bool)> {
        self.last.filter(|(at, _)| self.counts(*at))
    }

    /// From where the next beat is expected. After a failure nothing is.
    pub fn expected_from(&self) -> Option<Instant> {
        match self.said() {
            Some((_, true)) => None,
            Some((at, false)) => Some(at),
            None => self.base.filter(|_| self.agreement().terms.kind == Kind::Own && self.last.is_some()),
        }
    }

    /// When silence would speak if everything could be heard.
    pub fn missed(&self) -> Option<Instant> {
        self.expected_from().and_then(|from| self.agreement().terms.missed(from))
    }

    /// When the oldest run under way began, if it still counts, and from when on it has failed.
    pub fn overrun(&self) -> Option<(Instant, Instant)> {
        let began = self.runs.first().copied().filter(|at| self.counts(*at))?;
        Some((began, self.agreement().terms.overrun(began)?))
    }
}
