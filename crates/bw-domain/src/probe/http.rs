//! An HTTP/1.1 request and how its answer is followed.

use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// One request, parsed once. Host, port and path are kept beside the URL so that a probe parses nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpProbe {
    /// Normalised, without credentials and fragment.
    pub url: Box<str>,
    pub scheme: Scheme,
    /// Lower case; IPv6 without brackets.
    pub host: Box<str>,
    pub port: u16,
    /// Path and query, at least `/`.
    pub path: Box<str>,
    /// Upper case; `GET` unless said otherwise.
    pub method: Box<str>,
    /// In the order of their names. Credentials are among them, as `authorization`.
    pub headers: Box<[(Box<str>, Secret)]>,
    pub body: Option<Box<str>>,
    pub redirects: RedirectPolicy,
    /// Whether an untrusted certificate fails the probe. The chain is read in either case.
    pub verify: bool,
    /// Name servers to ask instead of the system's, `ip` or `ip:port`.
    pub resolver: Option<Box<str>>,
}

/// Plain or encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// The port when the URL names none.
    pub const fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// What to do with a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectPolicy {
    /// Go on, at most `limits::REDIRECTS_MAX` times; credentials stay with their own host.
    #[default]
    Follow,
    /// Go on while the host stays; another host is the failure `http.redirect`.
    SameHost,
    /// The redirect is the answer.
    None,
}
