//! What is configured for jobs and for the clients of other systems.

use bw_domain::secret::Secret;

/// `healthchecks:` and `heartbeat_service:` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeatSettings {
    /// The key of the one project: beats by slug come under it. Nothing: only by UUID.
    pub ping_key: Option<Secret>,
    /// The keys of the management interface of Healthchecks; nothing: it answers nobody.
    pub api_key: Option<Secret>,
    pub read_only_key: Option<Secret>,
    /// The secret of the heartbeat service's pages; nothing: they are open to sessions alone.
    pub secret: Option<Secret>,
    /// Below which paths the heartbeat service is served, without a slash at their ends.
    pub bases: Vec<String>,
    /// Where `monitor` tells of overdue pulses.
    pub slack_url: Option<Secret>,
}

impl BeatSettings {
    /// What `healthchecks:` says.
    pub fn keys(&self) -> [&Option<Secret>; 3] {
        [&self.ping_key, &self.api_key, &self.read_only_key]
    }

    /// What `heartbeat_service:` says.
    pub fn service(&self) -> (&Option<Secret>, &[String], &Option<Secret>) {
        (&self.secret, &self.bases, &self.slack_url)
    }
}

impl Default for BeatSettings {
    fn default() -> Self {
        BeatSettings {
            ping_key: None,
            api_key: None,
            read_only_key: None,
            secret: None,
            bases: vec!["/heartbeat".to_owned(), "/v1/heartbeat".to_owned()],
            slack_url: None,
        }
    }
}
