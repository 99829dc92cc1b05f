//! Where an answer sends us, and whether we go.

use super::Hop;
use crate::redact;
use bw_domain::outcome::Code;
use bw_domain::probe::{HttpProbe, RedirectPolicy, Scheme};
use bw_net::{Answer, Endpoint, Failure};
use http::header::LOCATION;

/// The next hop.
#[derive(Debug)]
pub(super) struct Next {
    pub endpoint: Endpoint,
    /// What the method becomes, when it changes.
    pub method: Option<&'static str>,
    /// Whether credentials may go there.
    pub trusted: bool,
}

/// `None`: this answer is the last one. A redirect without a location is an answer like any other.
pub(super) fn next(probe: &HttpProbe, hop: &Hop<'_>, answer: &Answer) -> Result<Option<Next>, Failure> {
    let status = answer.status();
    let location = match (status, answer.headers.get(LOCATION)) {
        (301 | 302 | 303 | 307 | 308, Some(location)) if probe.redirects != RedirectPolicy::None => location,
        _ => return Ok(None),
    };
    let refused = |reason: String| Failure::new(Code::HTTP_REDIRECT, reason);
    let location =
        location.to_str().map_err(|_| refused("the redirect's location is not text".to_owned()))?;
    let endpoint = Endpoint::join(hop.url, location)
        .map_err(|reason| refused(format!("redirect to `{}`: {reason}", redact::url(location))))?;
    let shown = redact::url(&endpoint.url);
    if hop.scheme == Scheme::Https && endpoint.scheme == Scheme::Http {
        return Err(refused(format!("redirect from https back to {shown}")));
    }
    if probe.redirects == RedirectPolicy::SameHost && *endpoint.host != *probe.host {
        return Err(refused(format!("redirect to another host: {shown}")));
    }
    let upgraded = (hop.port, endpoint.port) == (80, 443);
    let same = *endpoint.host == *hop.host && (endpoint.port == hop.port || upgraded);
    Ok(Some(Next {
        method: method(status, hop.method.unwrap_or(&probe.method)),
        trusted: hop.trusted && same,
        endpoint,
    }))
}

/// As browsers do: 303 asks for another document, and 301 and 302 turn a POST into a GET.
fn method(status: u16, method: &str) -> Option<&'static str> {
    match (status, method) {
        (303, "HEAD") | (307 | 308, _) => None,
        (303, _) | (_, "POST") => Some("GET"),
        _ => None,
    }
}
