//! Equal parts of specifications are kept once: a hundred thousand monitors say the same few things.

use bw_domain::beat::Agreement;
use bw_domain::monitor::{Labels, Policy, ProbingDeclared, Spec, TargetDeclared, TermsDeclared, Watch};
use std::sync::Arc;

/// The parts that repeat.
#[derive(Debug, Default)]
pub(super) struct Pools {
    policies: Pool<Policy>,
    owners: Pool<str>,
    labels: Pool<[(String, String)]>,
    agreements: Pool<Agreement>,
    probing: Pool<ProbingDeclared>,
    terms: Pool<TermsDeclared>,
}

impl Pools {
    /// The same specification, its parts shared with equal ones.
    pub fn share(&mut self, mut spec: Spec) -> Arc<Spec> {
        spec.policy = self.policies.share(spec.policy);
        spec.owner = spec.owner.map(|owner| self.owners.share(owner));
        if let Watch::Beats(agreement) = spec.watch {
            spec.watch = Watch::Beats(self.agreements.share(agreement));
        }
        let declared = &mut *spec.declared;
        declared.probing = self.probing.share(declared.probing.clone());
        if let TargetDeclared::Heartbeat(heartbeat) = &mut declared.target {
            heartbeat.terms = self.terms.share(heartbeat.terms.clone());
        }
        let Labels(labels) = &mut declared.labels;
        *labels = self.labels.share(std::mem::take(labels));
        Arc::new(spec)
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
