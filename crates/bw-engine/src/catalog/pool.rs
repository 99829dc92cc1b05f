//! Equal parts of specifications are kept once: a hundred thousand monitors say the same few things.

use bw_domain::beat::Agreement;
use bw_domain::monitor::{Labels, Policy, ProbingDeclared, Spec, TargetDeclared, TermsDeclared, Watch};
use std::collections::HashMap;
use std::sync::Arc;

/// The parts that repeat.
#[derive(Debug, Default)]
pub(super) struct Pools {
    policies: Pool<Policy>,
    owners: Pool<str>,
    labels: Pool<[(String, String)]>,
    probing: Pool<ProbingDeclared>,
    agreed: Agreed,
}

impl Pools {
    /// The same specification, its parts shared with equal ones.
    pub fn share(&mut self, mut spec: Spec) -> Arc<Spec> {
        spec.owner = spec.owner.map(|owner| self.owners.share(owner));
        let declared = &mut *spec.declared;
        declared.probing = self.probing.share(declared.probing.clone());
        match (&mut declared.target, &mut spec.watch) {
            (TargetDeclared::Heartbeat(heartbeat), Watch::Beats(agreement)) => {
                self.agreed.share(&mut heartbeat.terms, agreement, &mut spec.policy);
            }
            _ => spec.policy = self.policies.share(spec.policy),
        }
        let Labels(labels) = &mut declared.labels;
        *labels = self.labels.share(std::mem::take(labels));
        Arc::new(spec)
    }
}

/// What heartbeats have agreed on, found by what was written: jobs have hundreds of schedules, and each has many jobs.
#[derive(Debug, Default)]
struct Agreed {
    held: HashMap<Arc<TermsDeclared>, (Arc<Agreement>, Arc<Policy>)>,
    /// How many were not there since what is gone was last looked for.
    missed: usize,
}

/// So many different ones are kept; more would be as many as there are heartbeats.
const AGREED_MAX: usize = 16_384;

impl Agreed {
    fn share(
        &mut self,
        terms: &mut Arc<TermsDeclared>,
        agreement: &mut Arc<Agreement>,
        policy: &mut Arc<Policy>,
    ) {
        if let Some((held, (agreed, looked))) = self.held.get_key_value(terms) {
            *terms = held.clone();
            // By whose rules is told by the names of its own, too.
            if *agreed == *agreement && *looked == *policy {
                (*agreement, *policy) = (agreed.clone(), looked.clone());
            }
            return;
        }
        self.missed += 1;
        if self.held.len() >= AGREED_MAX && self.missed >= AGREED_MAX {
            // What only the pool holds belongs to monitors that are gone.
            self.held.retain(|terms, _| Arc::strong_count(terms) > 1);
            self.missed = 0;
        }
        if self.held.len() < AGREED_MAX {
            self.held.insert(terms.clone(), (agreement.clone(), policy.clone()));
        }
    }
}

/// Distinct values beyond this are not looked for: a search that long would cost more than it saves.
const DISTINCT: usize = 64;

#[derive(Debug)]
struct Pool<T: ?Sized>(Vec<Arc<T>>);

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Pool(Vec::new())
    }
}

impl<T: ?Sized + PartialEq> Pool<T> {
    fn share(&mut self, value: Arc<T>) -> Arc<T> {
        if let Some(held) = self.0.iter().find(|held| **held == value) {
            return held.clone();
        }
        if self.0.len() >= DISTINCT {
            // What only the pool holds belongs to monitors that are gone.
            self.0.retain(|held| Arc::strong_count(held) > 1);
        }
        if self.0.len() < DISTINCT {
            self.0.push(value.clone());
        }
        value
    }
}
