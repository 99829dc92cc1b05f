//! The request of one hop.

use super::Hop;
use crate::redact;
use bw_domain::outcome::Code;
use bw_domain::probe::HttpProbe;
use bw_net::{Failure, USER_AGENT, authority};
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT as AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;

/// Composes it. A declaration that cannot be sent was let through by mistake: that is our fault.
pub(super) fn compose(probe: &HttpProbe, hop: &Hop<'_>) -> Result<Request<Full<Bytes>>, Failure> {
    let body = match (&probe.body, hop.method) {
        (Some(body), None) => Bytes::copy_from_slice(body.as_bytes()),
        _ => Bytes::new(),
    };
    let mut request = Request::new(Full::new(body));
    let method = hop.method.unwrap_or(&probe.method);
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| wrong("the method", method))?;
    *request.uri_mut() = Uri::try_from(hop.path).map_err(|_| wrong("the path", hop.path))?;
    headers(request.headers_mut(), probe, hop)?;
    Ok(request)
}

fn headers(headers: &mut HeaderMap, probe: &HttpProbe, hop: &Hop<'_>) -> Result<(), Failure> {
    let host = authority(hop.scheme, hop.host, hop.port);
    headers.insert(HOST, HeaderValue::try_from(&host).map_err(|_| wrong("the host", &host))?);
    headers.insert(AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in &probe.headers {
        let named =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("the name of the header", name))?;
        let stays = match named {
            // It names the target, not where a redirect leads.
            HOST => hop.url == &*probe.url,
            CONTENT_TYPE => hop.method.is_none(),
            _ => hop.trusted || !redact::is_credential(name),
        };
        if stays {
            let value = HeaderValue::from_bytes(value.expose().as_bytes())
                .map_err(|_| wrong("the value of the header", name))?;
            headers.insert(named, value);
        }
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(())
}

fn wrong(what: &str, value: &str) -> Failure {
    Failure::new(Code::SELF_FAULT, format!("{what} `{value}` cannot be sent"))
}
