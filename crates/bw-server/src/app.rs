//! What every handler works with, made once by the composition root and cheap to clone.

use crate::auth::{Auth, AuthConfig};
use crate::beat::{BeatSettings, Rates};
use bw_engine::usecase::Services;
use bw_engine::usecase::system::Process;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The server's state.
#[derive(Clone)]
pub struct App {
    pub services: Services,
    /// What the process knows of itself: version, roles, configuration, store, whether it is ready.
    pub process: Arc<Process>,
    pub auth: Arc<Auth>,
    pub beats: Arc<BeatSettings>,
    /// How often beats may come.
    pub rates: Arc<Rates>,
}

impl App {
    /// The state of a server. The password of `auth` is hashed here and forgotten.
    pub fn new(services: Services, process: Arc<Process>, auth: AuthConfig) -> Self {
        let auth = Arc::new(Auth::new(auth, &*services.entropy));
        App { services, process, auth, beats: Arc::default(), rates: Arc::default() }
    }

    /// The same with what is configured for beats. A base that is named twice is served once.
    pub fn with_beats(self, mut beats: BeatSettings) -> Self {
        let mut seen = BTreeSet::new();
        beats.bases.retain(|base| seen.insert(base.clone()));
        App { beats: Arc::new(beats), ..self }
    }
}
