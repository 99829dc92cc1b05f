//! What an edit means for what was counted so far.

use super::Spec;

/// How deep an edit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Significance {
    /// Nothing that counts: a name, a label, a webhook.
    Cosmetic,
    /// Target, expectation or thresholds: counters start again, health and incident stay.
    Counting,
}

/// Compares two revisions of one monitor.
pub fn significance(old: &Spec, new: &Spec) -> Significance {
    let same = old.watch == new.watch && old.policy == new.policy && old.enabled == new.enabled;
    if same { Significance::Cosmetic } else { Significance::Counting }
}
