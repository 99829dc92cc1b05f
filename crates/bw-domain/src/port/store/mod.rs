//! The store as small ports, each with its own contract suite. What must happen together is one method.

mod access;
mod accounts;
mod beats;
mod catalog;
mod deliveries;
mod error;
mod incidents;
mod leases;
mod outcomes;
mod states;
mod timers;

pub use access::Access;
pub use accounts::{Accounts, Gap, Watermark, Watermarks};
pub use beats::{Appended, BeatQuery, BeatRow, Beats, Hearing, Incoming};
pub use catalog::{Applied, Catalog, Changes, Edit, EditKind, Refused, Revision};
pub use deliveries::{Deliveries, DeliveryFilter, DeliveryItem, Outgoing, Routed};
pub use error::StoreError;
pub use incidents::{IncidentFilter, IncidentPage, Incidents};
pub use leases::{Held, Leases, NodeId};
pub use outcomes::{EvidenceRow, OutcomeQuery, OutcomeRow, Outcomes, TransitionRow};
pub use states::{Answer, Commit, Loaded, States};
pub use timers::{Timer, Timers};

use super::Fut;
use std::sync::Arc;

/// What every method answers.
pub type Answered<'a, T> = Fut<'a, Result<T, StoreError>>;

/// All store ports of one installation.
#[derive(Clone)]
pub struct Store {
    pub catalog: Arc<dyn Catalog>,
    pub states: Arc<dyn States>,
    pub outcomes: Arc<dyn Outcomes>,
    pub incidents: Arc<dyn Incidents>,
    pub deliveries: Arc<dyn Deliveries>,
    pub timers: Arc<dyn Timers>,
    pub leases: Arc<dyn Leases>,
    pub accounts: Arc<dyn Accounts>,
    pub access: Arc<dyn Access>,
    pub beats: Arc<dyn Beats>,
}
