//! Which addresses may be contacted. Asked at connect time, after names have become addresses, for literal
//! addresses and for every hop of a redirect, by probes and by senders alike.

mod address;
mod policy;

pub use address::{Reach, reach};
pub use policy::{Policy, Refusal};

#[cfg(test)]
mod tests;
