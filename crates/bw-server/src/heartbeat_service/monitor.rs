//! `{base}/monitor`: a scheduler asks, and overdue pulses are told of. It answers in every case: 200 once Slack has what
//! there was to tell, 500 where it has not (it is tried again without being asked).

use super::door::{admit, text};
use crate::App;
use crate::body::Bounded;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use bw_domain::limits::SEND_TIMEOUT;
use bw_engine::usecase::{Services, UseError, pulses};
use http::StatusCode;
use serde_json::Value;
use std::time::Duration;

/// Bytes of what a scheduler sends.
const BODY_MAX: usize = 64 << 10;
/// How often the ledger is looked at for a message that is on its way.
const LOOK: Duration = Duration::from_millis(100);
/// After so many looks there is no answer: routing and one attempt at its longest, and a little more.
const LOOKS: u32 = (SEND_TIMEOUT.as_millis() / LOOK.as_millis()) as u32 + 50;

const TOLD: &str = "Check Slack for error notifications";
const NOT_TOLD: &str = "Could not send Slack notification";

/// Answers.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = match Bounded::<BODY_MAX>::from_request(Request::new(body), &()).await {
        Ok(Bounded(body)) => body,
        Err(refusal) => return refusal.into_response(),
    };
    let guest = match admit(&app, &mut parts, secret_of(&body)).await {
        Ok(guest) => guest,
        Err(refused) => return refused.line(),
    };
    if !guest.may_write() {
        return text(StatusCode::FORBIDDEN, "This token has the scope read: telling needs the scope write");
    }
    let address = match &*app.services.base_url {
        "" => String::new(),
        origin => format!("{origin}{}/dashboard", guest.base),
    };
    match tell(&app.services, &address).await {
        Ok((status, line)) => text(status, &line),
        Err(error) => {
            tracing::warn!(%error, "overdue pulses are not told of");
            text(StatusCode::INTERNAL_SERVER_ERROR, NOT_TOLD)
        }
    }
}

async fn tell(services: &Services, dashboard: &str) -> Result<(StatusCode, String), UseError> {
    if services.pulse_slack.is_none() {
        return Ok((StatusCode::OK, unsent(pulses::overdue(services).await?)));
    }
    let mut report = pulses::tell(services, dashboard).await?;
    if report.overdue == 0 && report.awaited.is_empty() {
        return Ok((StatusCode::OK, "No heartbeat is overdue".to_owned()));
    }
    let mut failing = report.stuck;
    for look in 0..LOOKS {
        failing += pulses::arrived(services, &mut report.awaited).await?;
        if failing > 0 || report.awaited.is_empty() {
            break;
        }
        if look + 1 < LOOKS {
            tokio::time::sleep(LOOK).await;
        }
    }
    let good = failing == 0 && report.awaited.is_empty();
    Ok(match good {
        true => (StatusCode::OK, TOLD.to_owned()),
        false => (StatusCode::INTERNAL_SERVER_ERROR, NOT_TOLD.to_owned()),
    })
}

fn unsent(overdue: usize) -> String {
    let why = "no Slack address is configured, so nothing is sent";
    match overdue {
        0 => format!("No heartbeat is overdue; {why}"),
        1 => format!("1 heartbeat is overdue; {why}"),
        many => format!("{many} heartbeats are overdue; {why}"),
    }
}

/// The secret in the constant document of the original's scheduler: `{"queryStringParameters":{"secret":"…"}}`.
fn secret_of(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    document["queryStringParameters"]["secret"].as_str().map(str::to_owned)
}
