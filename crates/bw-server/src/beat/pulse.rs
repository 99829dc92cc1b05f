//! The heartbeat service's pulse, `BASE/pulse?host&category&type&name[&threshold]`: no key, no secret, as its clients have
//! it. The first pulse makes its heartbeat, and only then its threshold counts: hours, a day when it says none. In the
//! original one that is no number was never exceeded, and an empty one always: here they are mistakes that are named.
//!
//! Every pulse is answered, also one that lacks a parameter.

use super::intake::{Intake, Trouble, store, take};
use super::query;
use super::reply;
use super::sent::Sent;
use crate::App;
use axum::response::Response;
use bw_domain::beat::{PulseKey, Signal};
use bw_domain::limits::{BEAT_EVERY_MAX, BEAT_TEXT_MAX, EVERY_MIN};
use bw_domain::time::Duration;
use bw_engine::catalog::BeatKey;
use bw_engine::usecase::beats::{Address, Said};
use bytes::Bytes;
use http::StatusCode;
use std::borrow::Cow;

const SUCCESS: &str = "Successful Heartbeat Pulse";
/// The texts of the key, as parameters and in the order of the original's columns.
const PARTS: [&str; 4] = ["host", "category", "type", "name"];
/// What the original takes when nothing is said.
const THRESHOLD: Duration = Duration::from_secs(24 * 3_600);

/// Answers a pulse.
pub(super) async fn answer(app: &App, sent: &Sent, body: Bytes) -> Response {
    let Pulse { key, threshold } = match pulse(sent.query()) {
        Ok(pulse) => pulse,
        Err(sentence) => return refused(app, sentence),
    };
    let threshold = match threshold {
        Ok(threshold) => threshold,
        Err(sentence) => match is_first(app, sent, &key).await {
            Ok(true) => return refused(app, sentence),
            Ok(false) => THRESHOLD,
            Err(trouble) => return told(trouble),
        },
    };
    let said = Said {
        signal: Signal::Success,
        is_post: sent.is_post(),
        run: None,
        happened: None,
        took: None,
        via: sent.via(),
        body,
    };
    told(take(app, sent, Address::Pulse { key, threshold }, said).await)
}

fn told(intake: Intake) -> Response {
    match intake {
        Intake::Kept { .. } => reply::text(StatusCode::OK, SUCCESS),
        // Its heartbeat was deleted a moment ago; the next pulse makes it anew.
        Intake::Unknown => reply::text(StatusCode::NOT_FOUND, "its heartbeat has ended"),
        Intake::Ambiguous => reply::text(StatusCode::CONFLICT, "several heartbeats have these four texts"),
        Intake::Trouble(trouble) => {
            let Trouble { status, wait, .. } = trouble;
            reply::later(reply::text(status, trouble.text()), wait)
        }
    }
}

fn refused(app: &App, sentence: String) -> Response {
    app.services.vitals.beat("refused");
    reply::text(StatusCode::BAD_REQUEST, sentence)
}

/// Whether nobody has pulsed with these texts, here or on another node.
async fn is_first(app: &App, sent: &Sent, key: &PulseKey) -> Result<bool, Intake> {
    let (services, now) = (&app.services, app.services.clock.monotonic());
    let is_known = || !services.catalog.heartbeats(&BeatKey::Pulse(key)).is_empty();
    if is_known() || app.rates.unknown(sent.remote, now).is_err() {
        return Ok(!is_known());
    }
    services.catalog.refresh(&services.store).await.map_err(|error| store(&error))?;
    Ok(!is_known())
}

/// What a query says.
#[derive(Debug, PartialEq)]
struct Pulse {
    key: PulseKey,
    /// The sentence where it is none: it matters only when it is the first.
    threshold: Result<Duration, String>,
}

fn pulse(query: &str) -> Result<Pulse, String> {
    let mut texts = [const { Cow::Borrowed("") }; 4];
    let mut threshold = None;
    for (name, value) in query::pairs(query) {
        match PARTS.iter().position(|part| name == *part) {
            Some(place) => texts[place] = value,
            None if name == "threshold" => threshold = Some(value),
            None => {}
        }
    }
    for (part, text) in PARTS.iter().zip(&texts) {
        if text.is_empty() {
            return Err(format!(
                "`{part}` is missing or empty: a pulse is .../pulse?host=H&category=C&type=T&name=N"
            ));
        }
        if text.chars().nth(BEAT_TEXT_MAX).is_some() {
            return Err(format!("`{part}` has more than {BEAT_TEXT_MAX} characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(format!("`{part}` contains a control character"));
        }
    }
    let [host, category, r#type, name] = texts.map(|text| text.into_owned().into_boxed_str());
    let key = PulseKey { host, category, r#type, name };
    Ok(Pulse { key, threshold: threshold.map_or(Ok(THRESHOLD), |text| hours(&text)) })
}

fn hours(text: &str) -> Result<Duration, String> {
    let hours = text.trim().parse::<f64>().ok().filter(|hours| hours.is_finite() && *hours > 0.0);
    let span = hours.and_then(|hours| Duration::try_from_secs_f64(hours * 3_600.0).ok());
    // Thresholds are kept to the millisecond.
    let span = span.map(|span| Duration::from_millis((span.as_secs_f64() * 1e3).round() as u64));
    span.filter(|span| (EVERY_MIN..=BEAT_EVERY_MAX).contains(span)).ok_or_else(|| {
        let most = BEAT_EVERY_MAX.as_secs() / 3_600;
        let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        format!(
            "`threshold` is `{shown}`: write hours as a positive number up to {most}, such as 24 or 1.5, or leave it out"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let key = |query: &str| pulse(query).map(|pulse| pulse.key.parts().map(str::to_owned));
        let four = "host=h&category=c&type=t&name=";
        for (name, read) in [
            ("1234", "1234"),
            ("a%20b", "a b"),
            ("ty?pe", "ty?pe"),
            ("a=b", "a=b"),
            ("a/b", "a/b"),
            ("%F6", "ö"),
            ("x&name=y", "y"),
            ("%22%3C%3E%7B%7D%7C%5C%5E%60", "\"<>{}|\\^`"),
        ] {
            let expected = ["h", "c", "t", read].map(str::to_owned);
            assert_eq!(key(&format!("{four}{name}&other=1")), Ok(expected), "{name}");
        }
        let long = format!("{four}{}", "%C3%B6".repeat(200));
        assert!(key(&long).is_ok());
        for (query, named) in [
            ("", "`host` is missing"),
            ("host=h&type=t&name=n", "`category` is missing"),
            ("host=h&category=c&type=&name=n", "`type` is missing"),
            ("host=h&category=c&type=t&name", "`name` is missing"),
            (&format!("{long}x"), "`name` has more than 200"),
            (&format!("{four}a%00"), "`name` contains a control"),
            (&format!("{four}a%C2%85"), "`name` contains a control"),
        ] {
            let sentence = key(query).unwrap_err();
            assert!(sentence.starts_with(named), "{query}: {sentence}");
        }
    }

    #[test]
    fn thresholds() {
        let of = |query: &str| pulse(&format!("host=h&category=c&type=t&name=n{query}")).unwrap().threshold;
        for (query, seconds) in [
            ("", 86_400.0),
            ("&threshold=48", 172_800.0),
            ("&threshold=1.5", 5_400.0),
            ("&threshold=+2", 7_200.0),
            ("&threshold=8760", 31_536_000.0),
            ("&threshold=0.0003", 1.08),
            ("&threshold=48&threshold=1", 3_600.0),
        ] {
            assert_eq!(of(query), Ok(Duration::from_secs_f64(seconds)), "{query}");
        }
        for text in ["", "0", "-1", "abc", "NaN", "inf", "1e300", "8760.1", "0.0002", "24h", "1,5"] {
            let sentence = of(&format!("&threshold={text}")).unwrap_err();
            assert!(sentence.contains(&format!("`{text}`")) && sentence.contains("1.5"), "{sentence}");
        }
    }
}
