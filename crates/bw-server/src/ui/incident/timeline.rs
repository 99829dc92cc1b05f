//! One line of an incident's timeline: what, when, and how long after the first failure.

use crate::ui::markup::Markup;
use crate::ui::words;
use bw_domain::incident::{Entry, EntryKind};
use bw_domain::time::Instant;

/// A line as it is shown.
pub struct Line {
    pub icon: &'static str,
    pub kind: &'static str,
    pub text: String,
    pub when: Markup,
    pub after: String,
}

impl Line {
    /// Looks at one entry.
    pub fn of(entry: &Entry, begun: Instant, now: Instant) -> Self {
        let (icon, kind) = look(entry.kind);
        let after = entry.at.since(begun);
        Line {
            icon,
            kind,
            // What a person wrote stays as it was written.
            text: if entry.kind == EntryKind::Note {
                entry.text.clone()
            } else {
                words::sentence(&entry.text)
            },
            when: words::ago(entry.at, now),
            after: if after.as_secs() == 0 {
                String::new()
            } else {
                format!("{} after the first failure", words::exact(after))
            },
        }
    }
}

fn look(kind: EntryKind) -> (&'static str, &'static str) {
    match kind {
        EntryKind::Observed => ("dot", "Observed"),
        EntryKind::Confirmed => ("down", "Confirmed"),
        EntryKind::Changed => ("dot", "Changed"),
        EntryKind::Told => ("told", "Told"),
        EntryKind::NotTold => ("late", "Not told"),
        EntryKind::Acknowledged => ("check", "Acknowledged"),
        EntryKind::Note => ("note", "Note"),
        EntryKind::NotObserved => ("unknown", "Not observed"),
        EntryKind::Edited => ("dot", "Edited"),
        EntryKind::Recovered => ("up", "Recovered"),
    }
}
