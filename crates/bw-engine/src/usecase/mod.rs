//! The verbs: what a person or program may ask for. One file each area; interface, pages and command line call
//! these and nothing else.

use crate::catalog::LiveCatalog;
use crate::vitals::Vitals;
use bw_domain::monitor::Defaults;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::prober::Prober;
use bw_domain::port::queue::Queue;
use bw_domain::port::store::Store;
use bw_domain::port::wake::Wake;
use std::sync::Arc;

/// What the verbs work with; made once by the composition root.
#[derive(Clone)]
pub struct Services {
    pub store: Store,
    pub catalog: Arc<LiveCatalog>,
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
}
