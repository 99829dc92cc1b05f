//! The senders against sinks on loopback: what arrives there, and what each answer of theirs becomes.

use super::Senders;
use crate::sample;
use bw_domain::action::ActionKind;
use bw_domain::delivery::{AttemptResult, Receipt};
use bw_domain::event::{Event, EventKind};
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::secret::Secret;
use bw_net::{Net, NetConfig, Outbound};
use bw_testkit::server::{Answer, Sink};
use std::sync::Arc;

fn senders() -> Senders {
    let net = Net::new(NetConfig::default(), Arc::new(sample::StoodStill)).expect("a way out");
    Senders::new(Outbound::new(net), Arc::new(sample::StoodStill))
}

fn slack(sink: &Sink) -> ActionKind {
    ActionKind::Slack { url: Secret::new(sink.url()) }
}

async fn send(kind: ActionKind) -> Receipt {
    senders().send(sample::dispatch(kind, sample::opened())).await
}

#[tokio::test]
async fn slack_receives_the_message() {
    let sink = Sink::start().await;
    let dispatch = Dispatch { five_lines: true, ..sample::dispatch(slack(&sink), sample::changed()) };
    let delivery = dispatch.delivery.to_string();
    let receipt = senders().send(dispatch).await;
    assert_eq!((receipt.attempt.result, receipt.attempt.status), (AttemptResult::Sent, 200));
    assert_eq!((receipt.attempt.at, receipt.attempt.text.as_str()), (sample::at("10:30:00"), "sent"));
    let got = sink.wait_for(1).await.remove(0);
    assert_eq!((got.method.as_str(), got.header("content-type")), ("POST", Some("application/json")));
    assert_eq!(got.header("idempotency-key"), Some(delivery.as_str()));
    assert_eq!(got.json()["text"].as_str().map(|text| text.lines().count()), Some(5));
    assert!(got.json()["blocks"].is_array());
}

#[tokio::test]
async fn overdue_pulses_come_as_the_form_that_the_original_sent() {
    let sink = Sink::start().await;
    let event = Event { kind: EventKind::PulseOverdue, ..sample::opened() };
    let receipt = senders().send(sample::dispatch(slack(&sink), event)).await;
    assert_eq!(receipt.attempt.result, AttemptResult::Sent);
    let got = sink.wait_for(1).await.remove(0);
    assert_eq!(got.header("content-type"), Some("application/x-www-form-urlencoded"));
    let body = std::str::from_utf8(&got.body).expect("a form is text");
    assert_eq!(
        body,
        "payload=%7B%22text%22%3A%22Heartbeat%20Error%21%20Please%20check%3A%5CnShop%20%5Cn\
         https%3A%2F%2Fbellwether.example.com%2Fui%2Fincidents%2F17%22%7D"
    );
}

#[tokio::test]
async fn a_webhook_is_signed_and_has_its_key() {
    let sink = Sink::start().await;
    let headers = [("X-Team", "web"), ("Idempotency-Key", "mine")];
    let kind = ActionKind::Webhook {
        url: Secret::new(sink.url()),
        headers: headers.map(|(name, value)| (name.to_owned(), Secret::new(value))).into(),
        secret: Some(Secret::new("key")),
    };
    let dispatch = sample::dispatch(kind, sample::opened());
    let delivery = dispatch.delivery.to_string();
    senders().send(dispatch).await;
    let got = sink.wait_for(1).await.remove(0);
    let at = (sample::at("10:30:00").ms() / 1_000).to_string();
    assert_eq!(got.header("idempotency-key"), Some(delivery.as_str()), "ours wins");
    assert_eq!(got.header("x-bellwether-timestamp"), Some(at.as_str()));
    assert_eq!(got.header("x-team"), Some("web"));
    assert!(got.header("user-agent").is_some_and(|agent| agent.starts_with("bellwether/")));
    let signed = super::webhook::signature("key", &at, &got.body);
    assert_eq!(got.header("x-bellwether-signature"), Some(signed.as_str()));
    assert_eq!(got.json()["incident"]["id"], 17);
}

#[tokio::test]
async fn without_a_secret_there_is_no_signature() {
    let sink = Sink::start().await;
    let url = Secret::new(sink.url());
    send(ActionKind::Webhook { url, headers: Default::default(), secret: None }).await;
    assert_eq!(sink.wait_for(1).await[0].header("x-bellwether-signature"), None);
}

#[tokio::test]
async fn each_answer_has_its_class() {
    use AttemptResult::{Refused, Retry, Sent};
    for (answer, result, wait) in [
        (Answer::ok("ok"), Sent, None),
        (Answer::status(204), Sent, None),
        (Answer::status(404).body("no_service"), Refused, None),
        (Answer::status(410).body("channel_is_archived"), Refused, None),
        (Answer::status(403), Refused, None),
        (Answer::redirect("http://127.0.0.1:1/"), Refused, None),
        (Answer::status(429).header("retry-after", "7"), Retry, Some(7)),
        (Answer::status(503).header("retry-after", "Sat, 21 Nov 2026 10:30:09 GMT"), Retry, Some(9)),
        (Answer::status(500).body("rollup_error"), Retry, None),
        (Answer::status(408), Retry, None),
        (Answer::reset(), Retry, None),
        (Answer::raw("nonsense"), Retry, None),
    ] {
        let sink = Sink::start().await;
        sink.answer_always(answer.clone());
        let receipt = send(slack(&sink)).await;
        assert_eq!(receipt.attempt.result, result, "{answer:?}: {:?}", receipt.attempt);
        assert_eq!(receipt.retry_after.map(|wait| wait.as_secs()), wait, "{answer:?}");
        assert!(!receipt.attempt.text.contains("/hook"), "{:?}", receipt.attempt);
    }
}

#[tokio::test]
async fn nobody_there_is_tried_again_and_a_forbidden_address_never() {
    let gone = ActionKind::Slack { url: Secret::new("http://127.0.0.1:9/secret") };
    let receipt = send(gone).await;
    assert_eq!((receipt.attempt.result, receipt.attempt.status), (AttemptResult::Retry, 0));
    let forbidden = ActionKind::Slack { url: Secret::new("http://169.254.169.254/latest/secret") };
    let refused = send(forbidden).await;
    assert_eq!(refused.attempt.result, AttemptResult::Refused);
    for text in [receipt.attempt.text, refused.attempt.text] {
        assert!(!text.contains("secret"), "{text}");
    }
}
