//! What the heartbeat service tells of overdue pulses and of those that pulse again: its own lines, one a pulse, and the
//! address of its dashboard. Never a secret: people forward messages.

use super::payload::escape;
use bw_domain::event::{Event, EventKind};
use bw_domain::port::sender::Dispatch;
use serde_json::{Value, json};

/// Longest text: Slack cuts a message at 40,000 characters.
const TEXT_MAX: usize = 39_000;
/// Longest line: four texts of 200 characters, escaped.
const LINE_MAX: usize = 4_000;

/// The JSON of the field `payload`.
pub(super) fn payload(dispatch: &Dispatch) -> Value {
    json!({ "text": text(dispatch) })
}

fn text(dispatch: &Dispatch) -> String {
    let events: Vec<&Event> = dispatch.merged.iter().chain([&dispatch.event]).map(AsRef::as_ref).collect();
    let mut text = String::new();
    for (kind, head) in [
        (EventKind::PulseOverdue, "Heartbeat Error! Please check:"),
        (EventKind::PulseRecovered, "Heartbeat OK again:"),
    ] {
        let mut names = events.iter().filter(|event| event.kind == kind).filter_map(|event| name(event));
        let Some(first) = names.next() else { continue };
        text.push_str(&format!("{head}\n"));
        let mut left_out = 0;
        for name in std::iter::once(first).chain(names) {
            if text.len() + name.len() > TEXT_MAX {
                left_out += 1;
            } else {
                text.push_str(&format!("{name} \n"));
            }
        }
        if left_out > 0 {
            text.push_str(&format!("… and {left_out} more\n"));
        }
    }
    text.push_str(dispatch.event.link.as_deref().unwrap_or_default());
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// `host / category / type / name`, which cannot become a mention.
fn name(event: &Event) -> Option<String> {
    event.monitor.as_ref().map(|monitor| escape(&monitor.name, LINE_MAX))
}
