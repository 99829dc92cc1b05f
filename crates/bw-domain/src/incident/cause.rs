//! What is wrong, as far as the probes can tell.

use crate::outcome::{Code, Phase};
use serde::{Deserialize, Serialize};

/// The deciding failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentCause {
    pub code: Code,
    pub phase: Option<Phase>,
    /// A sentence with the value seen.
    pub text: String,
}
