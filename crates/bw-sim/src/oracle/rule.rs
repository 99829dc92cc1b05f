//! The counting rule of the product, read slowly: a list of rounds with their votes, and a walk back through it at each
//! round's end. No streak is kept, nothing is incremental.

use crate::journal::{Fact, Line};
use crate::past::Past;
use bw_domain::id::MonitorId;
use bw_domain::job::OutcomeKey;
use bw_domain::monitor::{Significance, Spec, Vantage, significance};
use bw_domain::outcome::{Outcome, Verdict};
use bw_domain::port::store::{Commit, Revision};
use bw_domain::schedule::vantages_at;
use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change of health with the votes of the rounds that it was counted from, oldest round first.
#[derive(Clone, Debug)]
pub struct Counted {
    pub monitor: MonitorId,
    pub to: Health,
    pub votes: Vec<Vote>,
}

/// What one vantage said in a round.
#[derive(Clone, Copy, Debug)]
pub struct Vote {
    pub key: OutcomeKey,
    pub verdict: Verdict,
    /// When the probe began and when it was over.
    pub at: Instant,
    pub over: Instant,
}

type RoundId = (Instant, u8);

/// A round that has ended.
struct Round {
    /// `None`: those that could see did not agree.
    said: Option<Verdict>,
    over: Instant,
    decided: Instant,
    votes: Vec<Vote>,
}

/// What the rule knows of one monitor.
struct Watch {
    spec: Arc<Spec>,
    health: Health,
    /// Outcomes of earlier revisions count nothing.
    since_revision: u32,
    last: BTreeMap<Vantage, Vote>,
    /// Rounds that said something since counting last began anew.
    rounds: Vec<Round>,
    /// The repeat that may vote.
    open: Option<RoundId>,
    conclusive_at: Option<Instant>,
}

/// A mark may be so old when a process dies.
const SLACK: Duration = Duration::from_secs(4);

/// Reads the whole journal. An error names the first decision whose health is not what the rule says.
pub fn read(past: &Past) -> Result<Vec<Counted>, String> {
    let mut watches: BTreeMap<MonitorId, Watch> = BTreeMap::new();
    let mut changes = Vec::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Edited { revision, .. } => edited(past, &mut watches, revision),
            Fact::Committed { commit, heard, .. } => {
                let Some(watch) = watches.get_mut(&commit.monitor) else { continue };
                let now = heard.last().copied().unwrap_or(line.wall);
                if let Some(change) = watch.decide(commit, now).map_err(|why| tell(line, commit, &why))? {
                    changes.push(change);
                }
            }
            _ => {}
        }
    }
    Ok(changes)
}

fn tell(line: &Line, commit: &Commit, why: &str) -> String {
    let outcome =
        commit.outcome.as_ref().map(|outcome| (outcome.job.slot, outcome.job.r#try, outcome.verdict));
    format!("at {} ms monitor {} ({outcome:?}): {why}", line.at, commit.monitor)
}

fn edited(past: &Past, watches: &mut BTreeMap<MonitorId, Watch>, revision: &Revision) {
    if revision.declared.is_none() {
        watches.remove(&revision.id);
        return;
    }
    let spec = past.spec(revision);
    // Nobody looks at a heartbeat: its rules are others.
    if spec.beats().is_some() {
        return;
    }
    let first = (revision.effective_from, 1);
    let Some(watch) = watches.get_mut(&revision.id) else {
        let watch = Watch {
            open: spec.enabled.then_some(first),
            spec,
            health: Health::Unknown,
            since_revision: 1,
            last: BTreeMap::new(),
            rounds: Vec::new(),
            conclusive_at: None,
        };
        watches.insert(revision.id, watch);
        return;
    };
    let old = std::mem::replace(&mut watch.spec, spec);
    if significance(&old, &watch.spec) == Significance::Cosmetic {
        return;
    }
    watch.rounds.clear();
    watch.since_revision = revision.revision;
    watch.open = watch.spec.enabled.then_some(first);
    if !watch.spec.enabled {
        watch.health = Health::Unknown;
    }
}

impl Watch {
    /// One decision. Answers the change of health that it is.
    fn decide(&mut self, commit: &Commit, now: Instant) -> Result<Option<Counted>, String> {
        let before = self.health;
        let mut votes = match &commit.outcome {
            Some(outcome) => self.hear(outcome, now),
            None => self.time_passes(commit, now),
        };
        let actual = commit.state.as_ref().map_or(before, |state| state.health);
        if actual == Health::Unknown && self.health != Health::Unknown {
            self.lost_sight(now)?;
            votes.clear();
        }
        if actual != self.health {
            return Err(format!("it became {}, and by the rule it is {}", actual.word(), self.health.word()));
        }
        let change = Counted { monitor: commit.monitor, to: actual, votes };
        Ok((actual != before).then_some(change))
    }

    /// An outcome that counts may complete its round.
    fn hear(&mut self, outcome: &Outcome, now: Instant) -> Vec<Vote> {
        let (job, id) = (&outcome.job, (outcome.job.slot, outcome.job.r#try));
        let newer = self.last.get(&job.vantage).is_none_or(|last| id > (last.key.slot, last.key.r#try));
        if !newer || job.revision < self.since_revision || !self.spec.enabled {
            return Vec::new();
        }
        let over = outcome.at + Duration::from_micros(u64::from(outcome.latency_us));
        let vote = Vote { key: job.key(), verdict: outcome.verdict, at: outcome.at, over };
        self.last.insert(job.vantage, vote);
        if outcome.verdict != Verdict::Inconclusive {
            self.conclusive_at = self.conclusive_at.max(Some(outcome.at));
        }
        let asked = match id.1 {
            0 => vantages_at(&self.spec, id.0),
            _ if self.open == Some(id) => self.spec.policy.vantages.clone(),
            _ => return Vec::new(),
        };
        let votes = self.votes(id);
        if votes.len() < asked.len() { Vec::new() } else { self.close(id, votes, asked.len(), now) }
    }

    /// Without an outcome only a repeat whose time is over can say something.
    fn time_passes(&mut self, commit: &Commit, now: Instant) -> Vec<Vote> {
        let Some(open) = self.open else { return Vec::new() };
        let still = |state: &bw_domain::state::State| {
            state.round.as_ref().is_some_and(|round| (round.slot, round.r#try) == open)
        };
        if commit.state.as_ref().is_none_or(still) {
            return Vec::new();
        }
        let votes = self.votes(open);
        self.close(open, votes, self.spec.policy.vantages.len(), now)
    }

    /// What stands at a round.
    fn votes(&self, id: RoundId) -> Vec<Vote> {
        self.last.values().filter(|vote| (vote.key.slot, vote.key.r#try) == id).copied().collect()
    }

    /// A round has ended with these votes of so many.
    fn close(&mut self, id: RoundId, votes: Vec<Vote>, asked: usize, now: Instant) -> Vec<Vote> {
        if self.open.is_some_and(|open| open <= id) {
            self.open = None;
        }
        let count = |verdict| votes.iter().filter(|vote| vote.verdict == verdict).count();
        let (passes, fails) = (count(Verdict::Pass), count(Verdict::Fail));
        let able = passes + fails;
        let said = match asked {
            1 if able == 0 => return Vec::new(),
            1 => votes.first().map(|vote| vote.verdict),
            _ if able < usize::from(self.spec.policy.confirm.min).min(asked) => {
                self.health = Health::Unknown;
                self.rounds.clear();
                self.open = None;
                return Vec::new();
            }
            _ if fails * 2 > able => Some(Verdict::Fail),
            _ if passes * 2 > able => Some(Verdict::Pass),
            _ => None,
        };
        let over = votes.iter().map(|vote| vote.over).max().unwrap_or(now).min(now);
        self.rounds.push(Round { said, over, decided: now, votes });
        self.count(id, said, now)
    }

    /// Enough rounds in a row change the health; too few ask again.
    fn count(&mut self, id: RoundId, said: Option<Verdict>, now: Instant) -> Vec<Vote> {
        let (goal, need) = match said {
            Some(Verdict::Fail) => (Health::Down, self.spec.policy.confirm.failures),
            Some(_) => (Health::Up, self.spec.policy.confirm.recoveries),
            None => {
                self.open = None;
                return Vec::new();
            }
        };
        if self.health == goal {
            self.open = None;
            return Vec::new();
        }
        let row = self.row(said, now);
        if row.len() < usize::from(need) {
            self.open = id.1.checked_add(1).map(|repeat| (id.0, repeat));
            return Vec::new();
        }
        let deciding = row.iter().rev().flat_map(|round| round.votes.clone()).collect();
        self.health = goal;
        self.rounds.clear();
        self.open = None;
        deciding
    }

    /// The last rounds that say the same, newest first, none of them too old for the next.
    fn row(&self, said: Option<Verdict>, now: Instant) -> Vec<&Round> {
        let mut row: Vec<&Round> = Vec::new();
        let mut next = now;
        for round in self.rounds.iter().rev() {
            let forgotten = !row.is_empty() && next.since(round.over) > self.spec.stale_after();
            if round.said != said || forgotten {
                break;
            }
            next = round.decided;
            row.push(round);
        }
        row
    }

    /// Unknown is right when nobody has seen anything for long enough.
    fn lost_sight(&mut self, now: Instant) -> Result<(), String> {
        let limit = self.spec.stale_after();
        if let Some(seen) = self.conclusive_at.filter(|seen| now.since(*seen) + SLACK < limit) {
            return Err(format!("it became UNKNOWN although it was seen at {seen} and it was only {now}"));
        }
        self.health = Health::Unknown;
        self.rounds.clear();
        self.open = None;
        Ok(())
    }
}
