//! Uptime Kuma's push address, `/api/push/TOKEN?status=up&msg=OK&ping=`: what its clients send and what they are answered.
//!
//! A token is a heartbeat's UUID, with its hyphens or without, in any case. While no ping key is configured it may also be
//! a slug in any case, if one heartbeat alone has it: so a heartbeat whose slug is the token of its Kuma monitor in lower
//! case takes that monitor's pushes, and no job is edited. With a ping key slugs belong below it alone.
//!
//! As in the original a paused heartbeat is not there for pushes, and every mistake is a 404.

use super::intake::{Intake, Trouble, key, take};
use super::ping::TOOK_MAX;
use super::query;
use super::reply;
use super::sent::Sent;
use crate::App;
use axum::response::Response;
use bw_domain::beat::{RunId, Signal};
use bw_domain::id::Uuid;
use bw_domain::time::Duration;
use bw_engine::usecase::beats::{Address, Said};
use bytes::Bytes;
use http::StatusCode;

const NOT_FOUND: &str = "Monitor not found or not active.";
const WRONG_PING: &str = "Invalid ping value. Must be between 0 and 100000000000 ms.";

/// Answers what comes after `/api/push/`.
pub(super) async fn answer(app: &App, rest: &str, sent: &Sent) -> Response {
    let Pushed { signal, message, took } = match pushed(sent.query()) {
        Ok(pushed) => pushed,
        Err(WrongPing) => {
            app.services.vitals.beat("refused");
            return refused(StatusCode::NOT_FOUND, WRONG_PING);
        }
    };
    let token = query::path(rest.strip_suffix('/').unwrap_or(rest));
    let slug = token.to_ascii_lowercase();
    let address = match RunId::parse(&token) {
        Some(id) => Address::Uuid(Uuid(id.0)),
        None if app.beats.ping_key.is_none() => Address::Slug { slug: &slug, create: false },
        None => Address::Slug { slug: "", create: false },
    };
    let paused = app.services.catalog.heartbeats(&key(&address)).iter().any(|spec| !spec.enabled);
    if paused {
        app.services.vitals.beat("refused");
        return refused(StatusCode::NOT_FOUND, NOT_FOUND);
    }
    let via = sent.via();
    let said = Said { signal, is_post: sent.is_post(), run: None, happened: None, took, via, body: message };
    match take(app, sent, address, said).await {
        Intake::Kept { .. } => reply::json(StatusCode::OK, r#"{"ok":true}"#),
        Intake::Unknown | Intake::Ambiguous => refused(StatusCode::NOT_FOUND, NOT_FOUND),
        Intake::Trouble(Trouble { status, wait, sentence }) => reply::later(refused(status, &sentence), wait),
    }
}

fn refused(status: StatusCode, sentence: &str) -> Response {
    reply::json(status, serde_json::json!({"ok": false, "msg": sentence}).to_string())
}

/// What a query says.
#[derive(Debug, PartialEq)]
struct Pushed {
    signal: Signal,
    message: Bytes,
    took: Option<Duration>,
}

#[derive(Debug, PartialEq)]
struct WrongPing;

fn pushed(query: &str) -> Result<Pushed, WrongPing> {
    let value = |name| query::last(query, name).filter(|value| !value.is_empty());
    let signal = match value("status").as_deref() {
        None | Some("up") => Signal::Success,
        Some(_) => Signal::Fail,
    };
    let took = match value("ping").and_then(|text| leading_number(&text)) {
        None => None,
        Some(0.0) => None,
        Some(ms) if ms > 0.0 && ms <= TOOK_MAX.as_secs_f64() * 1e3 => Some(Duration::from_secs_f64(ms / 1e3)),
        Some(_) => return Err(WrongPing),
    };
    let message = value("msg").map_or(Bytes::from_static(b"OK"), |msg| Bytes::from(msg.into_owned()));
    Ok(Pushed { signal, message, took })
}

/// The number at the beginning of a text, as the original's language reads it: `12ms` is 12, `x` is none.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("Infinity") {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let sign = text.len() - unsigned.len();
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = sign + digits(sign);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let from = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(from);
        if exponent > 0 {
            end = from + exponent;
        }
    }
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let check = |query: &str, signal, message: &'static str, took_us: Option<u64>| {
            let took = took_us.map(Duration::from_micros);
            let expected = Pushed { signal, message: Bytes::from_static(message.as_bytes()), took };
            assert_eq!(pushed(query), Ok(expected), "{query}");
        };
        check("", Signal::Success, "OK", None);
        check("status=up&msg=OK&ping=", Signal::Success, "OK", None);
        check("status=&msg=&ping=0", Signal::Success, "OK", None);
        check("status=UP", Signal::Fail, "OK", None);
        check("status=down&msg=it+broke&ping=12.5", Signal::Fail, "it broke", Some(12_500));
        check("ping=12ms", Signal::Success, "OK", Some(12_000));
        check("ping=+1e3", Signal::Success, "OK", Some(1_000_000));
        check("ping=x", Signal::Success, "OK", None);
        check("ping=NaN", Signal::Success, "OK", None);
        check("ping=-0", Signal::Success, "OK", None);
        check("ping=100000000000", Signal::Success, "OK", Some(100_000_000_000_000));
        for ping in ["-1", "-0.001", "1e12", "100000000001", "Infinity", "-Infinity"] {
            assert_eq!(pushed(&format!("status=down&ping={ping}")), Err(WrongPing), "{ping}");
        }
    }

    #[test]
    fn numbers() {
        for (text, number) in [
            (" 1.5.2", Some(1.5)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e", Some(1.0)),
            ("1e+", Some(1.0)),
            ("1e-1x", Some(0.1)),
            ("-2", Some(-2.0)),
            ("", None),
            (".", None),
            ("-", None),
            ("é", None),
        ] {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }
}
