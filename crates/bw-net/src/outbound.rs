//! One HTTP request for a sender of actions: the same steps and the same guard as a probe, but what counts is
//! whether it got through. Redirects are not followed, certificates are always verified.

use crate::tls::Alpn;
use crate::{Answer, Dial, Endpoint, Exchange, Failure, Net, Stopwatch, USER_AGENT, exchange};
use bw_domain::monitor::Family;
use bw_domain::outcome::{Code, Phase};
use bw_domain::probe::Scheme;
use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT as AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer that are read: senders want a status and a sentence.
const ANSWER_MAX: usize = 64 << 10;

/// Sends requests for actions.
#[derive(Clone)]
pub struct Outbound {
    net: Arc<Net>,
}

/// What to send. The URL is often a secret: it is in no error and in no log.
#[derive(Clone)]
pub struct OutRequest {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub timeout: Duration,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct OutResponse {
    pub status: u16,
    pub headers: HeaderMap,
    /// At most 64 KiB of it.
    pub body: Vec<u8>,
}

/// Why nothing came back, without the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub enum OutError {
    /// The same request may succeed later.
    Later(Failure),
    /// It cannot: the request itself is wrong, or the guard forbids it.
    Never(Failure),
}

impl OutError {
    /// Whether to try again.
    pub fn retryable(&self) -> bool {
        matches!(self, OutError::Later(_))
    }
}

impl OutResponse {
    /// The first header of this name, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Outbound {
    pub fn new(net: Arc<Net>) -> Self {
        Outbound { net }
    }

    /// Sends one request and waits for its answer, at most `timeout` in all.
    pub async fn request(&self, request: OutRequest) -> Result<OutResponse, OutError> {
        let wrong = |reason: String| OutError::Never(Failure::new(Code::SELF_FAULT, reason));
        let endpoint = Endpoint::parse(&request.url).map_err(wrong)?;
        let timeout = request.timeout;
        let composed = compose(request, &endpoint).map_err(wrong)?;
        let watch = Stopwatch::start(self.net.clock());
        let mut answer = Answer::default();
        let sent = self.send(&endpoint, composed, timeout, (&watch, &mut answer));
        let sent = tokio::time::timeout(timeout, sent).await;
        let failed = match sent {
            Ok(sent) => sent.err(),
            Err(_) => Some(Failure::timeout(watch.phase().unwrap_or(Phase::Wait), timeout)),
        };
        match failed {
            None => {}
            // Enough of the answer is there.
            Some(failure) if failure.code == Code::BODY_CAP => {}
            Some(failure) if failure.code == Code::SELF_GUARD => return Err(OutError::Never(failure)),
            Some(failure) => return Err(OutError::Later(failure)),
        }
        Ok(OutResponse { status: answer.status(), headers: answer.headers, body: answer.body })
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        request: Request<Full<Bytes>>,
        within: Duration,
        (watch, answer): (&Stopwatch<'_>, &mut Answer),
    ) -> Result<(), Failure> {
        let net = &*self.net;
        let (host, port) = (&*endpoint.host, endpoint.port);
        let dial = Dial { host, port, family: Family::Any, resolver: None, within };
        let stream = net.dial_by(&net.remembered, &dial, watch, &mut None).await?;
        let request = Exchange { request, body_max: ANSWER_MAX };
        if endpoint.scheme == Scheme::Http {
            return exchange(stream, request, watch, answer).await;
        }
        let shaken = net.shake(stream, host, Alpn::Http, watch).await?;
        match shaken.distrust {
            Some(failure) => Err(failure),
            None => exchange(shaken.stream, request, watch, answer).await,
        }
    }
}

fn compose(request: OutRequest, endpoint: &Endpoint) -> Result<Request<Full<Bytes>>, String> {
    let mut composed = Request::new(Full::new(request.body));
    *composed.method_mut() = request.method;
    *composed.uri_mut() =
        endpoint.path.parse::<Uri>().map_err(|error| format!("the path of the URL: {error}"))?;
    let headers = composed.headers_mut();
    let host = HeaderValue::try_from(endpoint.authority()).map_err(|error| format!("the host: {error}"))?;
    headers.insert(HOST, host);
    headers.insert(AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in request.headers {
        let name = HeaderName::try_from(name).map_err(|_| "a header's name is not valid".to_owned())?;
        let value =
            HeaderValue::try_from(value).map_err(|_| format!("the value of header `{name}` is not valid"))?;
        headers.insert(name, value);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(composed)
}
