//! A configured deed: where a message goes. Declared in the file or through the API, or implied by a monitor's
//! `webhook_url`.

mod read;

pub use read::KNOWN_KEYS;

use crate::id::{ActionId, MonitorId};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;

/// A declared action.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Zero until the store gave it one.
    pub id: ActionId,
    pub name: String,
    pub owner: Option<String>,
    pub kind: ActionKind,
    /// Why it is broken, when a permanent error said so; empty while it works.
    pub broken: String,
}

/// What kind of deed, with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionKind {
    /// Slack's incoming webhook.
    Slack { url: Secret },
    /// Our event as JSON to any address, signed when a secret is given.
    Webhook { url: Secret, headers: BTreeMap<String, Secret>, secret: Option<Secret> },
    /// A line in our own log.
    Log,
}

impl ActionKind {
    /// The word of `type:`.
    pub fn word(&self) -> &'static str {
        match self {
            ActionKind::Slack { .. } => "slack",
            ActionKind::Webhook { .. } => "webhook",
            ActionKind::Log => "log",
        }
    }
}

/// Which action a delivery is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionRef {
    Declared(ActionId),
    /// The `webhook_url` of a monitor.
    MonitorWebhook(MonitorId),
    /// Where `monitor` of the heartbeat service tells of pulses.
    HeartbeatService,
}

/// The name of the heartbeat service's own action.
const HEARTBEAT_SERVICE: &str = "heartbeat_service";

impl fmt::Display for ActionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionRef::Declared(id) => write!(f, "action:{id}"),
            ActionRef::MonitorWebhook(id) => write!(f, "monitor:{id}"),
            ActionRef::HeartbeatService => f.write_str(HEARTBEAT_SERVICE),
        }
    }
}

impl ActionRef {
    /// The inverse of its text.
    pub fn parse(text: &str) -> Option<Self> {
        if text == HEARTBEAT_SERVICE {
            return Some(ActionRef::HeartbeatService);
        }
        let (kind, id) = text.split_once(':')?;
        let id = id.parse().ok()?;
        match kind {
            "action" => Some(ActionRef::Declared(ActionId(id))),
            "monitor" => Some(ActionRef::MonitorWebhook(MonitorId(id))),
            _ => None,
        }
    }
}

impl Action {
    /// Every secret with its path, in a fixed order, as in [`crate::monitor::Declaration::secrets_mut`].
    pub fn secrets_mut(&mut self) -> Vec<(String, &mut Secret)> {
        match &mut self.kind {
            ActionKind::Slack { url } => vec![("url".to_owned(), url)],
            ActionKind::Webhook { url, headers, secret } => {
                let mut found = vec![("url".to_owned(), url)];
                found.extend(headers.iter_mut().map(|(name, value)| (format!("headers.{name}"), value)));
                found.extend(secret.iter_mut().map(|value| ("secret".to_owned(), value)));
                found
            }
            ActionKind::Log => Vec::new(),
        }
    }
}
