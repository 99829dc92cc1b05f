//! The message: a text for notifications and old clients, blocks for everybody else.

use super::blocks::blocks;
use crate::text::missed;
use bw_domain::event::Event;
use bw_domain::port::sender::Dispatch;
use serde_json::{Value, json};

/// Longest text of a message; Slack advises 4,000 characters.
const TEXT_MAX: usize = 4_000;

/// The JSON that is posted.
pub(super) fn payload(dispatch: &Dispatch) -> Value {
    json!({ "text": text(dispatch), "blocks": blocks(dispatch) })
}

fn text(dispatch: &Dispatch) -> String {
    let event = &dispatch.event;
    if let Some(lines) = dispatch.five_lines.then(|| five_lines(event)).flatten() {
        return lines;
    }
    let missed = missed(event, &dispatch.merged);
    let earlier = if missed.is_empty() { missed } else { format!("\nEarlier: {missed}") };
    escape(&format!("{}{earlier}", event.summary), TEXT_MAX)
}

/// The five lines. Values are escaped, so that a name cannot become a mention; the arrow is part of the form.
fn five_lines(event: &Event) -> Option<String> {
    let (monitor, change) = (event.monitor.as_ref()?, event.change.as_ref()?);
    Some(format!(
        "🔔 API Status Changed\nName: {}\nURL: {}\nOld: {} -> New: {}\nTime: {}",
        escape(&monitor.name, TEXT_MAX),
        escape(&monitor.target, TEXT_MAX),
        change.from.word(),
        change.to.word(),
        event.at,
    ))
}

/// Escapes `&`, `<` and `>`, and cuts what is longer than `max` characters of the result at a whole character.
pub(super) fn escape(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = max;
    for (at, c) in text.char_indices() {
        let (plain, escaped) = (c.len_utf8(), entity(c));
        let cost = escaped.map_or(1, str::len);
        // One character is kept for the ellipsis, unless this is the last.
        let last = at + plain == text.len();
        if cost + usize::from(!last) > left {
            out.push('…');
            break;
        }
        left -= cost;
        match escaped {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
    out
}

fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}
