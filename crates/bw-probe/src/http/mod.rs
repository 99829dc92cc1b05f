//! An HTTP probe: one exchange, or a chain of them along redirects. Each hop resolves, passes the guard, connects
//! and shakes hands anew.

mod redirect;
mod request;

use crate::record::Record;
use bw_domain::limits;
use bw_domain::monitor::Family;
use bw_domain::outcome::Code;
use bw_domain::probe::{HttpProbe, Scheme};
use bw_net::{Alpn, Dial, Endpoint, Exchange, Failure, Net, Stopwatch, exchange};
use std::time::Duration;

/// Where a hop goes, and what it takes along.
#[derive(Clone, Copy)]
struct Hop<'a> {
    scheme: Scheme,
    host: &'a str,
    port: u16,
    path: &'a str,
    url: &'a str,
    /// `None`: the probe's own method, with its body.
    method: Option<&'static str>,
    /// Whether credentials may go there.
    trusted: bool,
}

/// The target itself is answered as one hop, redirects as further ones.
pub(crate) async fn run(
    net: &Net,
    probe: &HttpProbe,
    (family, within): (Family, Duration),
    watch: &Stopwatch<'_>,
    record: &mut Record,
) -> Result<(), Failure> {
    let mut hop = Hop {
        scheme: probe.scheme,
        host: &probe.host,
        port: probe.port,
        path: &probe.path,
        url: &probe.url,
        method: None,
        trusted: true,
    };
    let mut endpoint: Endpoint;
    loop {
        reach(net, probe, &hop, (family, within), (watch, record)).await?;
        let Some(next) = redirect::next(probe, &hop, &record.answer)? else { return Ok(()) };
        if record.hops.len() >= usize::from(limits::REDIRECTS_MAX) {
            let text = format!("more than {} redirects", limits::REDIRECTS_MAX);
            return Err(Failure::new(Code::HTTP_REDIRECT, text));
        }
        record.redirected(&probe.url, watch, next.endpoint.url.clone());
        let method = next.method.or(hop.method);
        endpoint = next.endpoint;
        hop = Hop {
            scheme: endpoint.scheme,
            host: &endpoint.host,
            port: endpoint.port,
            path: &endpoint.path,
            url: &endpoint.url,
            method,
            trusted: next.trusted,
        };
    }
}

/// One hop: connection, handshake, exchange.
async fn reach(
    net: &Net,
    probe: &HttpProbe,
    hop: &Hop<'_>,
    (family, within): (Family, Duration),
    (watch, record): (&Stopwatch<'_>, &mut Record),
) -> Result<(), Failure> {
    let request = request::compose(probe, hop)?;
    let request = Exchange { request, body_max: limits::BODY_MAX };
    let dial = Dial { host: hop.host, port: hop.port, family, resolver: probe.resolver.as_deref(), within };
    let stream = net.dial(&dial, watch, &mut record.address).await?;
    if hop.scheme == Scheme::Http {
        return exchange(stream, request, watch, &mut record.answer).await;
    }
    let shaken = net.shake(stream, hop.host, Alpn::Http, watch).await?;
    record.note(shaken.certificate);
    // Nothing is sent to a server that is not the one that was meant.
    match shaken.distrust {
        Some(failure) if probe.verify => Err(failure),
        _ => exchange(shaken.stream, request, watch, &mut record.answer).await,
    }
}
