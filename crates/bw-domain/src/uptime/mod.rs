//! How much of a time something was up: weighted by time, never by counting checks, so that a change of cadence
//! changes nothing. Unknown time is excluded from the ratio and shown as coverage.

mod coverage;

pub use coverage::{Range, Sample, Uptime, measure, merge_vantages};
