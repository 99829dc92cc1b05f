//! Talking to the interface: over HTTP where a server runs, else to the same router within this process on the data
//! directory itself. Commands are written once and cannot tell the difference.

use super::args::PlaceArgs;
use super::{Setup, setup_at};
use crate::answer::{Outcome, Stop};
use crate::compose::{self, House};
use crate::config::{Environment, Flags, Settings, Stated};
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::guard::Policy;
use bw_domain::monitor::Family;
use bw_domain::probe::Scheme;
use bw_domain::read::Problem;
use bw_domain::secret::Secret;
use bw_net::{Alpn, Answer, Dial, Endpoint, Exchange, Failure, Net, Stopwatch, exchange};
use bw_server::App;
use bw_server::auth::AuthConfig;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// A list of a hundred thousand monitors.
const ANSWER_MAX: usize = 512 << 20;

/// Whoever answers.
pub enum Server {
    Remote { net: Arc<Net>, url: String, token: Option<Secret> },
    Local { house: Box<House>, router: axum::Router },
}

/// Whether a command may begin a database where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Refuse,
    Make,
}

/// Asks one thing and lets go.
pub fn ask(
    place: &PlaceArgs,
    missing: Missing,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Outcome<Value> {
    super::block_on(async {
        let server = Server::reach(place, missing).await?;
        let answer = server.ask(method, path, body).await;
        server.close().await;
        answer
    })
}

impl Server {
    /// The server of `BELLWETHER_URL`, else the one that holds the data directory, else the directory itself.
    pub async fn reach(place: &PlaceArgs, missing: Missing) -> Outcome<Self> {
        let environment = Environment::of_process();
        if let Some(url) = environment.url.clone() {
            // The file of this directory may be another server's.
            let settings = Settings::layered(Stated::default(), &environment, Flags::default());
            let settings = settings.map_err(|problems| Stop::failed(sentences(&problems)))?;
            return Server::remote(&settings, &environment, url);
        }
        let Setup { environment, file, settings } = setup_at(place)?;
        let embedded = settings.database.is_none();
        if embedded && is_held(&settings.data) {
            let url = url_of(&settings)?;
            return Server::remote(&settings, &environment, url);
        }
        if embedded && missing == Missing::Refuse && !settings.data.join("bellwether.db").exists() {
            let data = settings.data.display();
            return Err(Stop::failed(format!(
                "there is no database below {data}: start `bellwether serve`, name the directory with --data, or set BELLWETHER_URL"
            )));
        }
        let (house, _) = compose::house(&settings, &environment, file, compose::clock()).await?;
        let process = Arc::new(house.process(&settings));
        // Who can read the directory may do everything anyway.
        let access = AuthConfig { none: true, ..AuthConfig::default() };
        let router = bw_server::router(App::new(house.services.clone(), process, access));
        Ok(Server::Local { house: Box::new(house), router })
    }

    fn remote(settings: &Settings, environment: &Environment, url: String) -> Outcome<Self> {
        // The guard is for what others tell us to contact, not for the server that the user names.
        let settings = Settings { guard: Policy::default(), ..settings.clone() };
        let net = compose::net(&settings, environment, compose::clock())?;
        Ok(Server::Remote { net, url, token: environment.token.clone() })
    }

    /// One request; whatever is not a success is the sentence of the problem document.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Outcome<Value> {
        self.send(method, path, body, None).await
    }

    /// Makes a thing, once even when this is asked again with the same key.
    pub async fn make(&self, path: &str, body: Value, key: &str) -> Outcome<Value> {
        self.send(Method::POST, path, Some(body), Some(key)).await
    }

    /// A question that may be asked again: nothing where nobody answers, or not now.
    pub async fn poll(&self, path: &str) -> Outcome<Option<Value>> {
        let request = Sent { method: Method::GET, path, body: String::new(), key: None };
        let (status, bytes) = match self {
            Server::Remote { net, url, token } => {
                match over_http(net, (url, token.as_ref()), request).await {
                    Ok(answer) => answer,
                    Err(failure) => {
                        tracing::debug!("the server does not answer: {failure}");
                        return Ok(None);
                    }
                }
            }
            Server::Local { router, .. } => in_process(router.clone(), request).await?,
        };
        let document: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        match status {
            200..=299 => Ok(Some(document)),
            429 | 500..=599 => Ok(None),
            _ => Err(problem(status, &document)),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> Outcome<Value> {
        let body = body.map(|value| value.to_string()).unwrap_or_default();
        let (status, bytes) = match self {
            Server::Remote { net, url, token } => {
                let request = Sent { method, path, body, key };
                over_http(net, (url, token.as_ref()), request)
                    .await
                    .map_err(|failure| unreachable(url, &failure))?
            }
            Server::Local { router, .. } => {
                in_process(router.clone(), Sent { method, path, body, key }).await?
            }
        };
        let document: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        match status {
            200..=299 => Ok(document),
            _ => Err(problem(status, &document)),
        }
    }

    /// Lets go of the data directory, if it was ours.
    pub async fn close(self) {
        if let Server::Local { house, router } = self {
            drop(router);
            house.close().await;
        }
    }
}

fn sentences(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether a process holds the directory.
fn is_held(data: &Path) -> bool {
    let Ok(lock) = File::open(data.join("lock")) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Where the server of this configuration listens.
fn url_of(settings: &Settings) -> Outcome<String> {
    let mut address: SocketAddr =
        settings.listen.first().copied().filter(|address| address.port() != 0).ok_or_else(|| {
            Stop::failed("a server runs on this data directory: set BELLWETHER_URL to its address")
        })?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok(format!("http://{address}"))
}

struct Sent<'a> {
    method: Method,
    path: &'a str,
    body: String,
    /// The `Idempotency-Key`.
    key: Option<&'a str>,
}

async fn over_http(
    net: &Arc<Net>,
    (url, token): (&str, Option<&Secret>),
    sent: Sent<'_>,
) -> Result<(u16, Vec<u8>), Failure> {
    let wrong = |text: String| Failure::new(bw_domain::outcome::Code::SELF_FAULT, text);
    let endpoint = Endpoint::parse(&format!("{url}{}", sent.path)).map_err(wrong)?;
    let mut request = Request::builder()
        .method(sent.method)
        .uri(&*endpoint.path)
        .header("host", endpoint.authority())
        .header("user-agent", bw_net::USER_AGENT)
        .header("accept", "application/json")
        .header("connection", "close");
    if !sent.body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", token.expose()));
    }
    if let Some(key) = sent.key {
        request = request.header("idempotency-key", key);
    }
    let request = request.body(Full::from(sent.body)).map_err(|error| wrong(error.to_string()))?;
    let watch = Stopwatch::start(net.clock());
    let (host, port) = (&*endpoint.host, endpoint.port);
    let dial = Dial { host, port, family: Family::Any, resolver: None, within: PATIENCE };
    let mut answer = Answer::default();
    let spoken = async {
        let stream = net.dial(&dial, &watch, &mut None).await?;
        let request = Exchange { request, body_max: ANSWER_MAX };
        if endpoint.scheme == Scheme::Http {
            return exchange(stream, request, &watch, &mut answer).await;
        }
        let shaken = net.shake(stream, host, Alpn::Http, &watch).await?;
        match shaken.distrust {
            Some(failure) => Err(failure),
            None => exchange(shaken.stream, request, &watch, &mut answer).await,
        }
    };
    match tokio::time::timeout(PATIENCE, spoken).await {
        Ok(spoken) => spoken?,
        Err(_) => return Err(wrong(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
    Ok((answer.status(), answer.body))
}

async fn in_process(router: axum::Router, sent: Sent<'_>) -> Outcome<(u16, Vec<u8>)> {
    let failed = |error: String| Stop::failed(format!("the request cannot be made: {error}"));
    let mut request = Request::builder()
        .method(sent.method)
        .uri(sent.path)
        .header("host", "localhost")
        .header("content-type", "application/json");
    if let Some(key) = sent.key {
        request = request.header("idempotency-key", key);
    }
    let request = request
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))))
        .body(Body::from(sent.body))
        .map_err(|error| failed(error.to_string()))?;
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?;
    Ok((status, bytes.to_bytes().to_vec()))
}

fn unreachable(url: &str, failure: &Failure) -> Stop {
    Stop::failed(format!(
        "the server at {url} cannot be asked: {failure}; is it running, and is BELLWETHER_URL right?"
    ))
}

/// A problem document as lines: each mistake with its path, else its sentence.
fn problem(status: u16, document: &Value) -> Stop {
    if status == 401 {
        return Stop::failed(
            "the server wants a token: set BELLWETHER_TOKEN (`bellwether tokens create NAME` makes one)",
        );
    }
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mistakes = document["errors"].as_array().into_iter().flatten();
    let lines: Vec<String> = mistakes
        .map(|error| match (text(error, "path"), text(error, "message")) {
            (path, message) if path.is_empty() => message,
            (path, message) => format!("{path}: {message}"),
        })
        .collect();
    match (lines.is_empty(), text(document, "detail")) {
        (false, _) => Stop::failed(lines.join("\n")),
        (true, detail) if detail.is_empty() => Stop::failed(format!("the server answered {status}")),
        (true, detail) => Stop::failed(detail),
    }
}
