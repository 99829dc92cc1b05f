//! Who asks. The guard puts it beside each request that it lets through; handlers take it as an argument.

use axum::extract::FromRequestParts;
use bw_domain::access::Scope;
use bw_domain::secret::Secret;
use http::request::Parts;
use std::convert::Infallible;
use subtle::ConstantTimeEq;

/// How the caller was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nobody was asked: this machine itself, an open path, or `--auth none`.
    Open,
    Token,
    Session,
}

/// The one who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For timelines: `admin`, the name of a token, or `somebody on this machine`.
    pub name: String,
    pub scope: Scope,
    pub via: Via,
    /// What forms of a session carry against requests forged by other sites.
    csrf: Option<Secret>,
}

impl Caller {
    pub(super) fn new(name: impl Into<String>, scope: Scope, via: Via, csrf: Option<[u8; 16]>) -> Self {
        let csrf = csrf.map(|bits| Secret::new(hex(&bits)));
        Caller { name: name.into(), scope, via, csrf }
    }

    pub(super) fn with_scope(self, scope: Scope) -> Self {
        Caller { scope, ..self }
    }

    /// Whether it may change things.
    pub fn may_write(&self) -> bool {
        self.scope == Scope::Write
    }

    /// The hidden field `csrf` of every form; empty where there is no session.
    pub fn csrf(&self) -> &str {
        self.csrf.as_ref().map_or("", Secret::expose)
    }

    /// Whether a form's hidden field is the one that we gave. Always, where there is no session.
    pub fn csrf_is(&self, sent: &str) -> bool {
        self.csrf.as_ref().is_none_or(|csrf| csrf.expose().as_bytes().ct_eq(sent.as_bytes()).into())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Without the guard nobody is known, so nothing is allowed that needs somebody.
        Ok(parts
            .extensions
            .get()
            .cloned()
            .unwrap_or_else(|| Caller::new("nobody", Scope::Read, Via::Open, None)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
