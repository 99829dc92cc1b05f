//! `/ui/monitors/{id}/beats/{n}`: one beat, and what it brought along as text.

use super::timeline::apart;
use crate::App;
use crate::ui::frame::Frame;
use crate::ui::markup::Markup;
use crate::ui::visit::Visit;
use crate::ui::{respond, shape, words};
use axum::extract::{Path, State};
use axum::response::Response;
use bw_domain::beat::Signal;
use bw_domain::id::MonitorId;
use bw_domain::port::store::BeatRow;
use bw_engine::usecase::runs::{instant, late_ms};
use bw_engine::usecase::{Services, UseError, beats};

/// The page.
#[derive(askama::Template)]
#[template(path = "beat.html")]
struct Beat {
    frame: Frame,
    id: i64,
    number: u64,
    name: String,
    headline: String,
    facts: Vec<(&'static str, Markup)>,
    body: String,
    bytes: String,
}

/// `GET …/beats/{n}`. Words that are no numbers are a beat that nobody sent.
pub async fn show(
    State(app): State<App>,
    Path((id, number)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let loaded = match (id.parse(), number.parse()) {
        (Ok(id), Ok(number)) => load(&app.services, visit.frame.clone(), MonitorId(id), number).await,
        _ => Err(UseError::NotFound),
    };
    respond::page(visit.frame, loaded)
}

async fn load(services: &Services, frame: Frame, id: MonitorId, number: u64) -> Result<Beat, UseError> {
    let spec = beats::heartbeat(services, id)?;
    let row = beats::list(services, id, Some(number.saturating_add(1)), 1).await?.pop();
    let row = row.filter(|row| row.number == number).ok_or(UseError::NotFound)?;
    let body =
        if row.body_bytes == 0 { Vec::new() } else { beats::body(services, id, number).await?.to_vec() };
    let word = if row.ignored { "ignored" } else { row.signal.word() };
    let name = spec.name().to_owned();
    let headline = format!("Beat {number} of {name}: {word}");
    Ok(Beat {
        facts: facts(&row, &frame),
        frame: frame.titled(None, &headline).wide("read"),
        id: id.0,
        number,
        headline,
        name,
        bytes: words::bytes(u64::from(row.body_bytes)),
        body: readable(&body),
    })
}

fn facts(row: &BeatRow, frame: &Frame) -> Vec<(&'static str, Markup)> {
    use crate::ui::markup::escape;
    let text = |text: &str| Markup(escape(text));
    let exact = |at| Markup(format!("{} ({})", words::instant(at), words::ago(at, frame.now)));
    let mut facts = vec![("Received", exact(row.at))];
    if row.happened.is_some() {
        facts.push(("Happened", exact(instant(row))));
    }
    if let Signal::Exit(status) = row.signal {
        facts.push(("Exit status", Markup(status.to_string())));
    }
    facts.extend(row.duration.map(|took| ("The run took", Markup(words::took(took)))));
    if let (Some(slot), Some(late)) = (row.slot, late_ms(row)) {
        facts.push(("Stands for", Markup(format!("{}: it came {}", words::instant(slot), apart(late)))));
    }
    facts.extend(row.run.map(|run| ("Run", Markup(run.to_string()))));
    let via = &row.via;
    facts.push(("Sent by", text(&via.remote)));
    if !via.method.is_empty() {
        facts.push(("Method", text(&format!("{} over {}", via.method, via.scheme))));
    }
    if !via.agent.is_empty() {
        facts.push(("Client", text(&via.agent)));
    }
    facts
}

/// Bytes of any kind as text: what is none is replaced, and nothing steers a terminal or a browser.
fn readable(body: &[u8]) -> String {
    let keep = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c };
    String::from_utf8_lossy(body).replace("\r\n", "\n").chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_readable() {
        assert_eq!(readable(b"a\r\nb\tc\x1b[31m\xff\0"), "a\nb\tc\u{fffd}[31m\u{fffd}\u{fffd}");
    }
}
