//! The schedule as a table, and the fates of a row.

use super::*;
use crate::event::{EventKind, Severity};
use crate::id::ActionId;

const MIDDLE: u64 = 200;

fn at(ms: i64) -> Instant {
    Instant::from_ms(1_000_000_000_000 + ms)
}

fn row() -> Delivery {
    let event =
        Event::new(EventId::of(&[b"x"]), EventKind::IncidentOpened, at(0), Severity::Critical, "down");
    Delivery::new(&event, ActionRef::Declared(ActionId(1)))
}

fn receipt(result: AttemptResult, retry_after: Option<Duration>) -> Receipt {
    Receipt {
        attempt: Attempt { at: at(0), took_ms: 1, result, status: 503, text: "no".into() },
        retry_after,
    }
}

#[test]
fn schedule() {
    let waits: Vec<u64> =
        (0..12).map(|made| next_attempt(at(0), made, None, MIDDLE).since(at(0)).as_secs()).collect();
    assert_eq!(waits, [0, 2, 5, 15, 30, 60, 120, 240, 480, 900, 900, 900]);
    for dice in 0..2_000 {
        let wait = next_attempt(at(0), 4, None, dice).since(at(0)).as_millis();
        assert!((24_000..=36_000).contains(&wait), "{wait}");
    }
    let asked = Some(Duration::from_secs(77));
    assert_eq!(next_attempt(at(0), 1, asked, 0), at(77_000));
}

#[test]
fn fates() {
    let mut sent = row();
    sent.record(receipt(AttemptResult::Sent, None), at(5), MIDDLE);
    assert_eq!(sent.state, DeliveryState::Sent);

    let mut refused = row();
    refused.record(receipt(AttemptResult::Refused, None), at(5), MIDDLE);
    assert_eq!((refused.state, refused.reason.as_str()), (DeliveryState::Dead, "no"));

    let mut tried = row();
    let mut now = at(0);
    while tried.state == DeliveryState::Waiting {
        tried.record(receipt(AttemptResult::Retry, None), now, MIDDLE);
        now = tried.due;
    }
    assert!(
        tried.attempts.len() > 90 && tried.reason.starts_with("given up after"),
        "{}",
        tried.attempts.len()
    );
}
