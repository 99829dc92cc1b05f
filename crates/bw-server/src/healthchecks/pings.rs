//! The beats of a check as the original lists them, and their bodies.

use super::mistake::Mistake;
use super::times;
use crate::App;
use bw_domain::id::MonitorId;
use bw_domain::port::store::BeatRow;
use bw_engine::usecase::beats;
use bytes::Bytes;
use serde::Serialize;

/// How many of the last are listed, as in the original's largest plan.
const LISTED: usize = 1_000;

/// `{"pings": […]}`, newest first.
#[derive(Serialize)]
pub struct Pings {
    pings: Vec<Ping>,
}

#[derive(Serialize)]
struct Ping {
    r#type: &'static str,
    date: String,
    n: u64,
    scheme: Box<str>,
    remote_addr: Option<Box<str>>,
    method: Box<str>,
    ua: Box<str>,
    rid: Option<String>,
    body_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
}

/// The last beats; bodies are below `one`, the address of the check.
pub async fn list(app: &App, id: MonitorId, one: &str) -> Result<Pings, Mistake> {
    let rows = beats::list(&app.services, id, None, LISTED).await?;
    Ok(Pings { pings: rows.into_iter().map(|row| ping(row, one)).collect() })
}

/// What a beat brought along; one without a body has none to show.
pub async fn body(app: &App, id: MonitorId, number: u64) -> Result<Bytes, Mistake> {
    let body = beats::body(&app.services, id, number).await?;
    if body.is_empty() { Err(Mistake::NotFound) } else { Ok(body) }
}

fn ping(row: BeatRow, one: &str) -> Ping {
    Ping {
        r#type: if row.ignored { "ign" } else { row.signal.word() },
        date: times::fine(row.happened.map_or(row.at, |happened| happened.min(row.at))),
        n: row.number,
        scheme: row.via.scheme,
        remote_addr: Some(row.via.remote).filter(|remote| !remote.is_empty()),
        method: row.via.method,
        ua: row.via.agent,
        rid: row.run.map(|run| run.to_string()),
        body_url: (row.body_bytes > 0).then(|| format!("{one}/pings/{}/body", row.number)),
        duration: row.duration.map(|took| took.as_secs_f64()),
    }
}
