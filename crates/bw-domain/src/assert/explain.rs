//! The value that was seen, in the words of the expectation that it did not meet.

use super::compile::{Number, Rule, Text};
use super::{Seen, eval};

/// Longer values are cut: an explanation is one sentence.
const SHOWN: usize = 80;

/// `503`, `1034ms`, `"text/html"`, `no such header`, …
pub(super) fn saw(rule: &Rule, seen: &Seen<'_>) -> String {
    match rule {
        Rule::Number { of, .. } => match eval::number(*of, seen) {
            Some(value) => shown(*of, value),
            None if *of == Number::Status => "no status".to_owned(),
            None => "no certificate".to_owned(),
        },
        Rule::Text { of, negated, .. } => text(of, *negated, seen),
    }
}

fn shown(of: Number, value: i64) -> String {
    match of {
        Number::Status => value.to_string(),
        Number::DaysLeft => format!("{value}"),
        Number::LifetimeLeft => format!("{}%", value as f64 / 1e2),
        Number::Latency | Number::Phase(_) => format!("{}ms", value as f64 / 1e3),
    }
}

fn text(of: &Text, negated: bool, seen: &Seen<'_>) -> String {
    let Some(texts) = eval::texts(of, seen) else {
        return match of {
            Text::Body => "no body",
            Text::Header(_) => "no answer",
            _ => "no certificate",
        }
        .to_owned();
    };
    match of {
        Text::Body => {
            let bytes = seen.body.map_or(0, <[u8]>::len);
            format!("{bytes} bytes {} it", if negated { "with" } else { "without" })
        }
        Text::Header(_) if texts.is_empty() => "no such header".to_owned(),
        _ => cut(&texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
