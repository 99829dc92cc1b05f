//! Telling the server: one request, and how often and how long it is tried. Nothing here is ever waited for by the
//! command, and no answer is an error: it is what becomes of the report.

use super::tail::TAIL_MAX;
use bw_net::{OutRequest, Outbound};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The longest time of one attempt.
const ATTEMPT: Duration = Duration::from_millis(2_400);
/// The pause before each attempt.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(800)];

/// Sends reports. Clones share the way out.
#[derive(Clone)]
pub struct Reporter {
    /// Without one, the reason.
    outbound: Result<Outbound, String>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is recorded. The server takes so many bytes of output.
    Taken { limit: Option<usize> },
    /// It can never be: there is no such heartbeat, or not under this address.
    Refused { status: u16 },
    /// Somebody answered something else.
    Answered { status: u16 },
    /// Nobody answered.
    Unanswered { why: String },
}

impl Reporter {
    pub fn new(outbound: Result<Outbound, String>) -> Self {
        Reporter { outbound }
    }

    /// One request.
    pub async fn post(&self, url: &str, body: &[u8], within: Duration) -> Sent {
        let outbound = match &self.outbound {
            Ok(outbound) => outbound,
            Err(why) => return Sent::Unanswered { why: why.clone() },
        };
        let request = OutRequest {
            method: http::Method::POST,
            url: url.to_owned(),
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: body.to_vec().into(),
            timeout: within,
        };
        match outbound.request(request).await {
            Ok(answer) => match answer.status {
                200..=299 => {
                    let limit = answer.header("ping-body-limit").and_then(|text| text.trim().parse().ok());
                    Sent::Taken { limit: limit.map(|limit: usize| limit.min(TAIL_MAX)) }
                }
                status @ (400 | 404 | 409) => Sent::Refused { status },
                status => Sent::Answered { status },
            },
            Err(error) => Sent::Unanswered { why: error.to_string() },
        }
    }

    /// The same, tried again as long as nobody answers and `within` is not over.
    pub async fn deliver(&self, url: &str, body: &[u8], within: Duration) -> Sent {
        let mut sent = Sent::Unanswered { why: "no answer in time".to_owned() };
        let tries = async {
            for pause in PAUSES {
                sleep(pause).await;
                sent = self.post(url, body, ATTEMPT.min(within)).await;
                if !matches!(sent, Sent::Unanswered { .. }) {
                    return;
                }
            }
        };
        // Cut off in the last attempt, the reason is that of the one before.
        drop(timeout(within, tries).await);
        sent
    }
}

impl Sent {
    /// Whether it is recorded, or never will be.
    pub fn is_settled(&self) -> bool {
        matches!(self, Sent::Taken { .. } | Sent::Refused { .. })
    }

    /// Why it is not recorded.
    pub fn why(&self) -> String {
        match self {
            Sent::Taken { .. } => "it was taken".to_owned(),
            Sent::Refused { status: 404 } => "the server knows no such heartbeat (404)".to_owned(),
            Sent::Refused { status: 409 } => {
                "the server knows several heartbeats of this name (409)".to_owned()
            }
            Sent::Refused { status } | Sent::Answered { status } => format!("the server answered {status}"),
            Sent::Unanswered { why } => why.clone(),
        }
    }
}
