//! A place in an ordered list, as the text between two pages. It holds the key that was compared, so it survives
//! that monitors come, go and move.

use super::list::{Met, Sort, SortKey};
use crate::usecase::UseError;
use bw_domain::id::MonitorId;
use std::cmp::Ordering;

/// That place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    key: Key,
    descending: bool,
    id: MonitorId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

impl Cursor {
    pub fn of(met: &Met<'_>, sort: Sort) -> Self {
        let key = match sort.key {
            SortKey::Id => Key::Number(met.spec.id.0),
            SortKey::Name => Key::Text(met.spec.name().to_lowercase()),
            SortKey::State => Key::Number(met.shown() as i64),
            SortKey::Since => Key::Number(met.row.map_or(met.spec.created_at, |row| row.state.since).ms()),
            SortKey::Latency => {
                let latency = met.row.and_then(|row| super::latency_us(&row.observed));
                Key::Number(latency.map_or(i64::MAX, i64::from))
            }
        };
        Cursor { key, descending: sort.descending, id: met.spec.id }
    }

    pub fn parse(text: &str) -> Result<Self, UseError> {
        Cursor::read(text).ok_or_else(|| UseError::invalid("after", "is not the `next` of a page before"))
    }

    /// `ID`, or kind, order, key, `~ID`: the id is read from the end, since a name may hold anything.
    fn read(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Cursor { key: Key::Number(id), descending: false, id: MonitorId(id) });
        }
        let (head, id) = text.rsplit_once('~')?;
        let mut head = head.chars();
        let (kind, order, key) = (head.next()?, head.next()?, head.as_str());
        let key = match kind {
            'n' => Key::Number(key.parse().ok()?),
            't' => Key::Text(key.to_owned()),
            _ => return None,
        };
        let descending = match order {
            '+' => false,
            '-' => true,
            _ => return None,
        };
        Some(Cursor { key, descending, id: MonitorId(id.parse().ok()?) })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = if self.descending { '-' } else { '+' };
        match &self.key {
            Key::Number(id) if *id == self.id.0 && !self.descending => write!(f, "{id}"),
            Key::Number(key) => write!(f, "n{order}{key}~{}", self.id),
            Key::Text(key) => write!(f, "t{order}{key}~{}", self.id),
        }
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.key.cmp(&other.key).then(self.id.cmp(&other.id));
        if self.descending { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text() {
        for (text, good) in [
            ("17", true),
            ("n-5~17", true),
            ("n+5~17", true),
            ("t+a~b é~17", true),
            ("t-~17", true),
            ("", false),
            ("x+5~17", false),
            ("n+five~17", false),
            ("n+5", false),
            ("é+5~17", false),
        ] {
            let read = Cursor::read(text);
            assert_eq!(read.map(|cursor| cursor.to_string()), good.then(|| text.to_owned()), "{text}");
        }
    }
}
