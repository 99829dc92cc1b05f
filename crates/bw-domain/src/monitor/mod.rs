//! What the user declared. `Declaration` is the document as people write it; `Spec` is the same, checked and
//! compiled, as the loops use it. Neither holds anything observed.

mod compile;
mod declaration;
mod diff;
mod heartbeat;
mod labels;
mod policy;
mod read;
mod spec;
mod vantage;
mod write;

pub use compile::{Checked, Defaults, check, compile, compile_taking};
pub use declaration::{
    Auth, ConfirmDeclared, Declaration, HttpOptions, ProbingDeclared, TargetDeclared, TellDeclared,
};
pub use diff::{Significance, significance};
pub use heartbeat::{
    EVERY_DEFAULT, HeartbeatDeclared, KeywordsDeclared, OwnDeclared, TermsDeclared, slug_of,
};
pub use labels::Labels;
pub use policy::{Agree, Confirm, Tell};
pub use read::KNOWN_KEYS;
pub use spec::{Policy, Spec, Vantages, Watch};
pub use vantage::{Families, Family, LOCAL, LocationId, Vantage};

#[cfg(test)]
mod tests;
