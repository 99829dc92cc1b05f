//! A monitor as it is written in YAML and JSON. What was not said stays `None`, so that defaults of the
//! installation can still apply and an export says what the import said.

use super::heartbeat::{HeartbeatDeclared, slug_of};
use super::labels::Labels;
use super::vantage::Families;
use crate::beat::Kind;
use crate::probe::RedirectPolicy;
use crate::secret::Secret;
use crate::time::Span;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// One declared monitor. A million of them must fit: what few say, and what many say alike, stands behind one pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The key in its file; its name when absent.
    pub id: Option<String>,
    pub name: String,
    pub slug: Option<String>,
    pub target: TargetDeclared,
    /// What only probed monitors say; equal ones share it.
    pub probing: Arc<ProbingDeclared>,
    pub tell: TellDeclared,
    pub webhook_url: Option<Secret>,
    pub labels: Labels,
    pub enabled: Option<bool>,
}

impl Default for Declaration {
    fn default() -> Self {
        Declaration {
            id: None,
            name: String::new(),
            slug: None,
            target: TargetDeclared::default(),
            probing: ProbingDeclared::none(),
            tell: TellDeclared::default(),
            webhook_url: None,
            labels: Labels::default(),
            enabled: None,
        }
    }
}

/// How a probe is made and judged, as far as it was said.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProbingDeclared {
    /// What an `http:` map says beside `url`.
    pub http: HttpOptions,
    pub method: Option<String>,
    pub headers: BTreeMap<String, Secret>,
    pub body: Option<String>,
    pub auth: Option<Auth>,
    pub every: Option<Span>,
    pub timeout: Option<Span>,
    pub family: Option<Families>,
    /// Locations; only `local` for now.
    pub from: Vec<String>,
    pub expect: Vec<String>,
    pub confirm: ConfirmDeclared,
}

/// What is shared by all of whose probing nothing is said: every heartbeat.
static NOTHING: LazyLock<Arc<ProbingDeclared>> = LazyLock::new(Arc::default);

impl ProbingDeclared {
    /// Nothing was said.
    pub fn none() -> Arc<Self> {
        NOTHING.clone()
    }

    /// Behind a pointer; the same one for all that say nothing.
    pub fn shared(self) -> Arc<Self> {
        if self == **NOTHING { Self::none() } else { Arc::new(self) }
    }
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum TargetDeclared {
    /// Nothing yet: a mistake that `compile` reports.
    #[default]
    Missing,
    Http(String),
    /// `host:port`.
    Tcp(String),
    /// `host:port`, 443 when no port is given.
    Tls(String),
    /// Nothing is probed: the job itself reports.
    Heartbeat(HeartbeatDeclared),
}

/// What an `http:` map may say beside `url`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpOptions {
    pub redirects: Option<RedirectPolicy>,
    pub verify: Option<bool>,
    /// Name servers to ask instead of the system's.
    pub resolver: Option<String>,
}

/// Credentials of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    Basic { username: String, password: Secret },
    Bearer(Secret),
}

/// `confirm:` as written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ConfirmDeclared {
    pub failures: Option<u16>,
    pub recoveries: Option<u16>,
    pub after: Option<Span>,
    /// `2 of 3`, or a bare number.
    pub agree: Option<String>,
    pub min: Option<u16>,
}

/// `tell:` as written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TellDeclared {
    pub first_up: Option<bool>,
}

impl Declaration {
    /// Its key among the objects of its owner.
    pub fn key(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.name)
    }

    /// Points to what the one before says, too, where both say the same: a file or a catalog is read one after the
    /// other, and neighbours are alike.
    pub fn share_with(&mut self, before: &Declaration) {
        if self.probing == before.probing {
            self.probing = before.probing.clone();
        }
        if self.labels == before.labels {
            self.labels = before.labels.clone();
        }
        if let (TargetDeclared::Heartbeat(own), TargetDeclared::Heartbeat(held)) =
            (&mut self.target, &before.target)
            && own.terms == held.terms
        {
            own.terms = held.terms.clone();
        }
    }

    /// To say something else of the probes of this one alone.
    pub fn probing_mut(&mut self) -> &mut ProbingDeclared {
        Arc::make_mut(&mut self.probing)
    }

    /// What was agreed with the job, where it is a heartbeat.
    pub fn heartbeat(&self) -> Option<&HeartbeatDeclared> {
        match &self.target {
            TargetDeclared::Heartbeat(heartbeat) => Some(heartbeat),
            _ => None,
        }
    }

    /// Its name in addresses: what was given, else for a heartbeat made of its name.
    pub fn slug_shown(&self) -> Option<std::borrow::Cow<'_, str>> {
        match &self.slug {
            Some(slug) => Some(slug.as_str().into()),
            None => self.heartbeat().map(|_| slug_of(&self.name).into()),
        }
    }

    /// The slug that no other monitor of the owner may have. Clients of Healthchecks make several with one.
    pub fn slug_unique(&self) -> Option<&str> {
        let shared = self.heartbeat().is_some_and(|heartbeat| heartbeat.kind() == Kind::Healthchecks);
        self.slug.as_deref().filter(|_| !shared)
    }

    /// Every secret with its path, in a fixed order: for sealing, and for keeping what a write left as `***`.
    pub fn secrets_mut(&mut self) -> Vec<(String, &mut Secret)> {
        let mut found: Vec<(String, &mut Secret)> = Vec::new();
        // Only what holds secrets gets a copy of its own.
        if !self.probing.headers.is_empty() || self.probing.auth.is_some() {
            let probing = Arc::make_mut(&mut self.probing);
            found.extend(probing.headers.iter_mut().map(|(name, value)| (format!("headers.{name}"), value)));
            match &mut probing.auth {
                Some(Auth::Basic { password, .. }) => found.push(("auth.password".to_owned(), password)),
                Some(Auth::Bearer(token)) => found.push(("auth.bearer".to_owned(), token)),
                None => {}
            }
        }
        if let Some(url) = &mut self.webhook_url {
            found.push(("webhook_url".to_owned(), url));
        }
        found
    }

    /// Puts the stored values where `self` says `***`. Answers the paths that had nothing to keep.
    pub fn keep_masked(&mut self, stored: &Declaration) -> Vec<String> {
        let mut stored = stored.clone();
        let kept: BTreeMap<String, Secret> =
            stored.secrets_mut().into_iter().map(|(path, secret)| (path, secret.clone())).collect();
        let mut missing = Vec::new();
        for (path, secret) in self.secrets_mut() {
            if secret.is_mask() {
                match kept.get(&path) {
                    Some(value) => *secret = value.clone(),
                    None => missing.push(path),
                }
            }
        }
        missing
    }
}
