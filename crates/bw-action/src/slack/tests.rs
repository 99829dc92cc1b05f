//! What Slack is sent, as snapshots, and what its answers mean.

use super::payload::{escape, payload};
use crate::sample;
use bw_domain::action::ActionKind;
use bw_domain::event::{Event, EventKind};
use bw_domain::port::sender::Dispatch;
use bw_domain::secret::Secret;

fn dispatch(event: Event) -> Dispatch {
    sample::dispatch(ActionKind::Slack { url: Secret::new("https://hooks.example.com/T0/B0/secret") }, event)
}

fn text(dispatch: &Dispatch) -> String {
    payload(dispatch)["text"].as_str().expect("a message has a text").to_owned()
}

#[test]
fn the_five_lines_are_the_whole_text() {
    let dispatch = Dispatch { five_lines: true, ..dispatch(sample::changed()) };
    assert_eq!(
        text(&dispatch),
        "🔔 API Status Changed\n\
         Name: Shop\n\
         URL: https://shop.example.com/\n\
         Old: UP -> New: DOWN\n\
         Time: 2026-11-21T10:02:05.000Z"
    );
}

#[test]
fn a_name_cannot_become_a_mention() {
    let mut event = sample::changed();
    if let Some(monitor) = &mut event.monitor {
        monitor.name = "<!channel> & co".to_owned();
    }
    let text = text(&Dispatch { five_lines: true, ..dispatch(event) });
    assert_eq!(text.lines().nth(1), Some("Name: &lt;!channel&gt; &amp; co"));
}

#[test]
fn an_opened_incident() {
    insta::assert_json_snapshot!(payload(&dispatch(sample::opened())));
}

#[test]
fn a_closed_incident_that_was_never_told_as_open() {
    let dispatch = Dispatch { merged: vec![sample::opened().into()], ..dispatch(sample::closed()) };
    assert_eq!(text(&dispatch), "Shop is UP again after 7 min\nEarlier: was DOWN 10:02–10:09 UTC, now UP");
    insta::assert_json_snapshot!(payload(&dispatch));
}

#[test]
fn the_address_is_in_no_message() {
    let dispatch = Dispatch { five_lines: true, ..dispatch(sample::changed()) };
    assert!(!payload(&dispatch).to_string().contains("hooks.example.com"));
}

#[test]
fn escaping_keeps_to_the_limit_and_to_whole_characters() {
    for (text, max, expected) in [
        ("a & b < c > d \" '", 100, "a &amp; b &lt; c &gt; d \" '"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcde…"),
        ("ab&cd", 6, "ab…"),
        ("ab&", 7, "ab&amp;"),
        ("", 3, ""),
        ("🔔🔔🔔", 2, "🔔…"),
    ] {
        assert_eq!(escape(text, max), expected, "{text} within {max}");
    }
}

/// Slack refuses a whole message for one text that is too long.
#[test]
fn the_worst_event_keeps_to_the_limits() {
    let long = "<&>".repeat(5_000);
    let mut event = sample::opened();
    event.summary = long.clone();
    event.link = Some(format!("https://bellwether.example.com/{long}"));
    let vote = event.votes[0].clone();
    event.votes = vec![bw_domain::incident::Said { location: long.clone(), ..vote }; 40];
    if let (Some(monitor), Some(incident), Some(probe)) =
        (&mut event.monitor, &mut event.incident, &mut event.probe)
    {
        (monitor.name, monitor.target) = (long.clone(), long.clone());
        (incident.cause.text, incident.scope.text) = (long.clone(), long.clone());
        incident.acknowledged_by = Some(long.clone());
        (probe.text, probe.expectation) = (long.clone(), Some(long));
    }
    let merged = vec![sample::opened().into(); 300];
    let message = payload(&Dispatch { five_lines: true, merged, ..dispatch(event) });
    assert!(message["text"].as_str().expect("a text").chars().count() <= 40_000);
    let blocks = message["blocks"].as_array().expect("a list of blocks");
    assert!(blocks.len() <= 50);
    for block in blocks {
        let within = |text: &serde_json::Value, max| {
            let length = text["text"].as_str().expect("a text object").chars().count();
            assert!((1..=max).contains(&length), "{length} of {max}: {block}");
        };
        if block["text"].is_object() {
            within(&block["text"], 3_000);
        }
        let fields = block["fields"].as_array().cloned().unwrap_or_default();
        assert!(fields.len() <= 10);
        fields.iter().for_each(|field| within(field, 2_000));
        let elements = block["elements"].as_array().cloned().unwrap_or_default();
        assert!(elements.len() <= 10);
        elements.iter().for_each(|element| within(element, 2_000));
    }
}

/// What `monitor` of the heartbeat service tells.
fn pulse(kind: EventKind, name: &str) -> Event {
    let mut event = Event {
        kind,
        link: Some("https://beats.example.com/heartbeat/dashboard".to_owned()),
        ..sample::opened()
    };
    if let Some(monitor) = &mut event.monitor {
        monitor.name = name.to_owned();
    }
    event
}

#[test]
fn overdue_pulses_are_told_in_the_lines_of_the_original() {
    let first = pulse(EventKind::PulseOverdue, "web1 / backup / nightly / <db>");
    let again = pulse(EventKind::PulseRecovered, "web2 / backup / nightly / db");
    let last = pulse(EventKind::PulseOverdue, "web3 / backup / nightly / db");
    let dispatch = Dispatch { merged: vec![first.into(), again.into()], ..dispatch(last) };
    let payload = super::pulses::payload(&dispatch);
    assert_eq!(
        payload["text"],
        "Heartbeat Error! Please check:\n\
         web1 / backup / nightly / &lt;db&gt; \n\
         web3 / backup / nightly / db \n\
         Heartbeat OK again:\n\
         web2 / backup / nightly / db \n\
         https://beats.example.com/heartbeat/dashboard"
    );
    assert_eq!(payload.as_object().map(serde_json::Map::len), Some(1));
}

#[test]
fn more_lines_than_slack_takes_are_counted() {
    let long = "x".repeat(803);
    let merged = (0..99).map(|_| pulse(EventKind::PulseOverdue, &long).into()).collect();
    let dispatch = Dispatch { merged, ..dispatch(pulse(EventKind::PulseOverdue, &long)) };
    let payload = super::pulses::payload(&dispatch);
    let text = payload["text"].as_str().expect("a text");
    assert!(text.len() < 40_000, "{}", text.len());
    let told = text.matches("xxx ").count();
    assert!(text.contains(&format!("… and {} more\n", 100 - told)), "{told}");
    assert!(text.ends_with("/heartbeat/dashboard"));
}
