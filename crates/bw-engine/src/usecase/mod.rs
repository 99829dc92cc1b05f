//! The verbs: what a person or program may ask for. One file each area; interface, pages and command line call
//! these and nothing else.

pub mod apply;
pub mod beats;
pub mod deliveries;
mod error;
mod history;
pub mod incidents;
pub mod kept_beats;
pub mod latency;
pub mod monitors;
pub mod outcomes;
pub mod pulses;
pub mod runs;
pub mod sessions;
pub mod system;
pub mod tokens;
pub mod uptime;

pub use error::UseError;
pub use history::{RANGE_DEFAULT, ROWS_MAX};

use crate::beats::BeatInbox;
use crate::catalog::LiveCatalog;
use crate::vitals::Vitals;
use bw_domain::monitor::Defaults;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::prober::Prober;
use bw_domain::port::queue::Queue;
use bw_domain::port::store::Store;
use bw_domain::port::wake::Wake;
use bw_domain::secret::Secret;
use std::sync::Arc;

/// What the verbs work with; made once by the composition root.
#[derive(Clone)]
pub struct Services {
    pub store: Store,
    pub catalog: Arc<LiveCatalog>,
    /// Where beats wait for `ingest`.
    pub beats: Arc<BeatInbox>,
    pub queue: Arc<dyn Queue>,
    pub prober: Arc<dyn Prober>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub wake: Arc<dyn Wake>,
    pub vitals: Arc<Vitals>,
    /// What a declaration does not say.
    pub defaults: Arc<Defaults>,
    /// The address under which people reach the pages, without a slash at the end; may be empty.
    pub base_url: Arc<str>,
    /// Where `monitor` of the heartbeat service tells of pulses, where that is configured.
    pub pulse_slack: Option<Secret>,
}

/// Who asks for a change.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The person, token or file, for timelines.
    pub actor: &'a str,
    /// The owner on whose behalf it is done: a file's name, or nobody (interface and pages). What another owner
    /// has declared is refused.
    pub owner: Option<&'a Arc<str>>,
}

impl<'a> By<'a> {
    /// A person or program at the interface or the pages.
    pub fn hand(actor: &'a str) -> Self {
        By { actor, owner: None }
    }
}
