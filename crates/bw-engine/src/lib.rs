//! The loops, and the verbs that interface, pages and command line share. No runtime and no driver: a loop is
//! `tick(now)`, which looks at the state, does what is missing, and says when it wants to run again.

pub mod beats;
pub mod catalog;
pub mod inbox;
pub mod loops;
pub mod usecase;
pub mod vitals;
