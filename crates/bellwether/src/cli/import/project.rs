//! The checks of a project, as its server shows them through its management interface. The newest version of it that is
//! there is asked: older servers have the first only.

use crate::answer::{Outcome, Stop, chain};
use crate::compose;
use crate::config::Environment;
use bw_domain::monitor::Family;
use bw_domain::probe::Scheme;
use bw_domain::secret::Secret;
use bw_net::{Alpn, Answer, Dial, Endpoint, Exchange, Failure, Net, NetConfig, Stopwatch, exchange};
use http::Request;
use http_body_util::Full;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tens of thousands of checks.
const ANSWER_MAX: usize = 64 << 20;
/// Versions of the interface, the one with the most members first.
const VERSIONS: [u8; 2] = [3, 1];

/// A project on a server.
pub struct Project {
    net: Arc<Net>,
    url: String,
    key: Secret,
}

impl Project {
    /// The server that the user names may be on a private address; its certificate is verified.
    pub fn at(url: &str, key: Secret) -> Outcome<Self> {
        let url = url.trim_end_matches('/');
        // People copy what they have in their scripts.
        let url = ["/api/v1", "/api/v2", "/api/v3", "/api"]
            .iter()
            .find_map(|end| url.strip_suffix(end))
            .unwrap_or(url);
        Endpoint::parse(url).map_err(|why| Stop::usage(format!("--url: {why}")))?;
        let roots = Environment::of_process().certificates.map(Into::into);
        let net = Net::new(NetConfig { roots, ..NetConfig::default() }, compose::clock());
        let net = net.map_err(|error| Stop::failed(chain(&error)))?;
        Ok(Project { net, url: url.to_owned(), key })
    }

    /// Every check.
    pub async fn checks(&self) -> Outcome<Vec<Map<String, Value>>> {
        for version in VERSIONS {
            let (status, body) = self.get(&format!("/api/v{version}/checks/")).await?;
            match status {
                200 => return self.read(&body),
                404 => {}
                status => return Err(self.refused(status, &body)),
            }
        }
        let url = &self.url;
        Err(Stop::failed(format!(
            "{url} has no management interface of Healthchecks: --url is the address of its pages"
        )))
    }

    fn read(&self, body: &[u8]) -> Outcome<Vec<Map<String, Value>>> {
        let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let checks = match &document["checks"] {
            Value::Array(checks) => checks.iter().map(Value::as_object).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let checks = checks.ok_or_else(|| {
            Stop::failed(format!("{} answered something that is no list of checks", self.url))
        })?;
        Ok(checks.into_iter().cloned().collect())
    }

    fn refused(&self, status: u16, body: &[u8]) -> Stop {
        let url = &self.url;
        let said = serde_json::from_slice(body).ok().and_then(|document: Value| {
            let said = document["error"].as_str()?;
            Some(format!(": {said}"))
        });
        let said = said.unwrap_or_default();
        Stop::failed(match status {
            401 => format!(
                "{url} does not take this key{said}; --key is the project's read-write API key, 32 characters"
            ),
            300..=399 => {
                format!("{url} answered {status}: --url must be the address itself, not one that leads to it")
            }
            _ => format!("{url} answered {status}{said}"),
        })
    }

    async fn get(&self, path: &str) -> Outcome<(u16, Vec<u8>)> {
        let asked = tokio::time::timeout(PATIENCE, self.exchange(path)).await;
        let why = match asked {
            Ok(Ok(answer)) => return Ok((answer.status(), answer.body)),
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Err(Stop::failed(format!("{} cannot be asked: {why}", self.url)))
    }

    async fn exchange(&self, path: &str) -> Result<Answer, Failure> {
        let wrong = |text: String| Failure::new(bw_domain::outcome::Code::SELF_FAULT, text);
        let endpoint = Endpoint::parse(&format!("{}{path}", self.url)).map_err(wrong)?;
        let request = Request::builder()
            .uri(&*endpoint.path)
            .header("host", endpoint.authority())
            .header("user-agent", bw_net::USER_AGENT)
            .header("accept", "application/json")
            .header("x-api-key", self.key.expose())
            .header("connection", "close")
            .body(Full::from(String::new()))
            .map_err(|_| wrong("the key has characters that cannot be sent".to_owned()))?;
        let watch = Stopwatch::start(self.net.clock());
        let (host, port) = (&*endpoint.host, endpoint.port);
        let dial = Dial { host, port, family: Family::Any, resolver: None, within: PATIENCE };
        let stream = self.net.dial(&dial, &watch, &mut None).await?;
        let request = Exchange { request, body_max: ANSWER_MAX };
        let mut answer = Answer::default();
        if endpoint.scheme == Scheme::Http {
            exchange(stream, request, &watch, &mut answer).await?;
            return Ok(answer);
        }
        let shaken = self.net.shake(stream, host, Alpn::Http, &watch).await?;
        match shaken.distrust {
            Some(failure) => Err(failure),
            None => exchange(shaken.stream, request, &watch, &mut answer).await.map(|()| answer),
        }
    }
}
