//! Events as the engine writes them, for the tests of every sender.

use bw_domain::action::ActionKind;
use bw_domain::event::{Change, Event, EventKind, IncidentFacts, ProbeFacts, Severity, Subject};
use bw_domain::id::{DeliveryId, EventId, IncidentId, MonitorId};
use bw_domain::incident::{IncidentCause, Said, Scope};
use bw_domain::monitor::Family;
use bw_domain::outcome::{Code, Phases, Verdict};
use bw_domain::port::clock::Clock;
use bw_domain::port::sender::Dispatch;
use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};

/// It is always half past ten.
pub(crate) struct StoodStill;

impl Clock for StoodStill {
    fn now(&self) -> Instant {
        at("10:30:00")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

pub(crate) fn at(time: &str) -> Instant {
    Instant::parse(&format!("2026-11-21T{time}Z")).expect("a time of day")
}

pub(crate) fn dispatch(kind: ActionKind, event: Event) -> Dispatch {
    Dispatch {
        delivery: DeliveryId::of(&[b"sample"]),
        action: kind.into(),
        five_lines: false,
        event: event.into(),
        merged: Vec::new(),
    }
}

/// The incident opens: the wrong status, seen from here.
pub(crate) fn opened() -> Event {
    let votes = vec![Said {
        location: "local".to_owned(),
        family: Family::Any,
        verdict: Verdict::Fail,
        code: Code::EXPECT_STATUS,
        phase: None,
        latency_ms: 31.2,
        at: at("10:02:00"),
    }];
    let cause = IncidentCause {
        code: Code::EXPECT_STATUS,
        phase: None,
        text: "expected status == 200, saw 503".to_owned(),
    };
    let incident = IncidentFacts {
        id: IncidentId(17),
        opened_at: at("10:02:05"),
        closed_at: None,
        duration_s: 0,
        acknowledged_by: None,
        cause,
        scope: Scope::of(&votes),
    };
    let probe = ProbeFacts {
        status: 503,
        latency_ms: 31.2,
        phases: Phases([420, 1_100, 0, 80, 29_000, 600]),
        text: "expected status == 200, saw 503".to_owned(),
        expectation: Some("status == 200".to_owned()),
    };
    Event {
        link: Some("https://bellwether.example.com/ui/incidents/17".to_owned()),
        monitor: Some(subject()),
        change: Some(change(Health::Up, Health::Down, "10:02:00")),
        incident: Some(incident),
        votes,
        probe: Some(probe),
        ..Event::new(
            EventId::of(&[b"opened"]),
            EventKind::IncidentOpened,
            at("10:02:05"),
            Severity::Critical,
            "Shop is DOWN from local: expected status == 200, saw 503",
        )
    }
}

/// The same incident closes.
pub(crate) fn closed() -> Event {
    let mut event = Event {
        id: EventId::of(&[b"closed"]),
        kind: EventKind::IncidentClosed,
        at: at("10:09:00"),
        severity: Severity::Info,
        summary: "Shop is UP again after 7 min".to_owned(),
        change: Some(change(Health::Down, Health::Up, "10:08:55")),
        votes: Vec::new(),
        probe: None,
        ..opened()
    };
    if let Some(incident) = &mut event.incident {
        incident.closed_at = Some(event.at);
        incident.duration_s = 415;
    }
    event
}

/// What a monitor's own webhook hears.
pub(crate) fn changed() -> Event {
    Event { id: EventId::of(&[b"changed"]), kind: EventKind::MonitorChanged, ..opened() }
}

fn subject() -> Subject {
    Subject {
        id: MonitorId(7),
        name: "Shop".to_owned(),
        kind: "http".to_owned(),
        target: "https://shop.example.com/".to_owned(),
        labels: [("team".to_owned(), "web".to_owned())].into(),
    }
}

fn change(from: Health, to: Health, since: &str) -> Change {
    Change { from, to, since: at(since), reason: "expect.status".to_owned(), spoken: true }
}
