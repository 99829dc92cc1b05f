//! What a webhook is sent, signed, and what its answers mean.

use super::payload::payload;
use super::sign::sign;
use crate::sample;
use bw_domain::action::ActionKind;
use bw_domain::port::sender::Dispatch;

fn dispatch() -> Dispatch {
    sample::dispatch(ActionKind::Log, sample::closed())
}

fn body(dispatch: &Dispatch) -> serde_json::Value {
    serde_json::from_slice(&payload(dispatch)).expect("the body is JSON")
}

#[test]
fn the_event_document() {
    insta::assert_json_snapshot!(body(&dispatch()));
}

#[test]
fn what_was_never_told_stands_beside_it() {
    let body = body(&Dispatch { merged: vec![sample::opened().into()], ..dispatch() });
    assert_eq!(body["kind"], "incident.closed");
    assert_eq!(body["merged"][0]["kind"], "incident.opened");
}

/// The value is what `printf '%s' "$T.$BODY" | openssl dgst -sha256 -hmac "$SECRET"` prints.
#[test]
fn a_signature_that_others_can_compute() {
    assert_eq!(
        sign("key", "1768905000", b"{}"),
        "v1=62883bff698d454bda17dd5fb0579e21bf0f03dddacd6bf00c07519720d93052"
    );
}
