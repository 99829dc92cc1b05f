//! Probes: talk to targets; everything that happens becomes an Outcome.
