//! What a sink's answer means: sent, try again, or never. One table for all kinds of action.

use bw_domain::delivery::AttemptResult;
use bw_domain::limits::SEND_HORIZON;
use bw_domain::time::Instant;
use std::time::Duration;

/// How one attempt ended, without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub result: AttemptResult,
    /// 0 when the sink gave none.
    pub status: u16,
    /// A sentence for people, without secrets.
    pub text: String,
    pub retry_after: Option<Duration>,
}

impl Ending {
    /// The sink has it.
    pub fn sent(status: u16) -> Self {
        Ending { result: AttemptResult::Sent, status, text: "sent".to_owned(), retry_after: None }
    }

    /// It may work later.
    pub fn retry(status: u16, text: impl Into<String>) -> Self {
        Ending { result: AttemptResult::Retry, status, text: text.into(), retry_after: None }
    }

    /// It will never work.
    pub fn refused(status: u16, text: impl Into<String>) -> Self {
        Ending { result: AttemptResult::Refused, status, text: text.into(), retry_after: None }
    }

    /// Reads a status and the sink's `Retry-After`. `said` is the beginning of the sink's answer, for people.
    pub fn of_status(status: u16, retry_after: Option<&str>, said: &str, now: Instant) -> Self {
        let text = if said.is_empty() {
            format!("the sink answered {status}")
        } else {
            format!("the sink answered {status}: {said}")
        };
        match class(status) {
            AttemptResult::Sent => Ending::sent(status),
            AttemptResult::Refused => Ending::refused(status, text),
            _ => Ending { retry_after: wait(retry_after, now), ..Ending::retry(status, text) },
        }
    }
}

/// The class of a status. What is neither a success nor known to be passing will not get better by itself.
fn class(status: u16) -> AttemptResult {
    match status {
        200..=299 => AttemptResult::Sent,
        408 | 425 | 429 | 500..=599 => AttemptResult::Retry,
        _ => AttemptResult::Refused,
    }
}

/// `Retry-After` as seconds or as a date, never beyond the horizon of a delivery.
fn wait(header: Option<&str>, now: Instant) -> Option<Duration> {
    let header = header?.trim();
    let wait = match header.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => http_date(header)?.since(now),
    };
    Some(wait.min(SEND_HORIZON))
}

/// `Sat, 21 Nov 2026 12:00:05 GMT`, the one form that servers may still send.
fn http_date(text: &str) -> Option<Instant> {
    let (_, rest) = text.split_once(", ")?;
    let parts: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = parts[..] else { return None };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? + 1;
    Instant::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttemptResult::{Refused, Retry, Sent};

    #[test]
    fn classes() {
        for (status, expected) in [
            (200, Sent),
            (202, Sent),
            (204, Sent),
            (301, Refused),
            (302, Refused),
            (400, Refused),
            (401, Refused),
            (403, Refused),
            (404, Refused),
            (408, Retry),
            (410, Refused),
            (413, Refused),
            (422, Refused),
            (425, Retry),
            (429, Retry),
            (500, Retry),
            (502, Retry),
            (503, Retry),
            (504, Retry),
            (599, Retry),
        ] {
            assert_eq!(Ending::of_status(status, None, "", Instant::ZERO).result, expected, "{status}");
        }
    }

    #[test]
    fn the_sinks_own_word_on_waiting() {
        let now = Instant::parse("2026-11-21T12:00:00Z").expect("a time");
        for (header, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sat, 21 Nov 2026 12:00:05 GMT", Some(5)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0)),
            ("99999999999", Some(86_400)),
            ("soon", None),
            ("-3", None),
            ("Sat, 21 Nov 2026 12:00:05 CET", None),
        ] {
            let ending = Ending::of_status(429, Some(header), "", now);
            assert_eq!(ending.retry_after.map(|wait| wait.as_secs()), seconds, "{header}");
        }
        assert_eq!(Ending::of_status(404, Some("7"), "", now).retry_after, None, "nobody comes back");
    }

    #[test]
    fn what_the_sink_said_is_kept_for_people() {
        let ending = Ending::of_status(404, None, "no_service", Instant::ZERO);
        assert_eq!((ending.status, ending.text.as_str()), (404, "the sink answered 404: no_service"));
    }
}
