//! What the reader of the dashboard chose: search, order, page. All of it stands in the address, so that it works
//! without scripts and can be kept.

use super::row::Row;
use std::cmp::Ordering;

/// Rows of a page, as the original had them.
pub(super) const PAGE: usize = 100;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Host,
    Category,
    Type,
    Name,
    Timestamp,
    Delta,
    Settings,
}

impl Column {
    /// All of them in order, with their words in addresses and in the table.
    pub const ALL: [(Column, &'static str, &'static str); 7] = [
        (Column::Host, "host", "Host"),
        (Column::Category, "category", "Category"),
        (Column::Type, "type", "Type"),
        (Column::Name, "name", "Name"),
        (Column::Timestamp, "timestamp", "Timestamp/Diff"),
        (Column::Delta, "delta", "Delta(h)"),
        (Column::Settings, "settings", "Settings"),
    ];

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        Column::ALL.iter().find(|(column, ..)| *column == self).map_or("", |(_, word, _)| word)
    }
}

/// The choices of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub q: String,
    pub column: Column,
    pub descending: bool,
    /// From 1.
    pub page: usize,
}

impl Choice {
    /// Reads the pairs of a query. What makes no sense is as if it were not there: an old link still shows a list.
    pub fn read(value: impl Fn(&str) -> String) -> Self {
        let sort = value("sort");
        let column = Column::ALL.iter().find(|(_, word, _)| *word == sort).map(|(column, ..)| *column);
        let descending = match (column, value("dir").as_str()) {
            (_, "asc") => false,
            (_, "desc") => true,
            // The longest overdue first.
            (None | Some(Column::Delta), _) => true,
            _ => false,
        };
        let page = value("page").parse().unwrap_or(1).max(1);
        Choice { q: value("q").trim().to_owned(), column: column.unwrap_or(Column::Delta), descending, page }
    }

    /// The pairs of an address with these choices.
    pub fn pairs<'a>(&'a self, page: &'a str) -> [(&'static str, &'a str); 4] {
        let page = if page == "1" { "" } else { page };
        let dir = if self.descending { "desc" } else { "asc" };
        [("q", &self.q), ("sort", self.column.word()), ("dir", dir), ("page", page)]
    }

    /// The choices that a press on the head of this column leads to.
    pub fn by(&self, column: Column) -> Choice {
        let descending = if column == self.column { !self.descending } else { column == Column::Delta };
        Choice { q: self.q.clone(), column, descending, page: 1 }
    }

    /// Leaves what is searched for, in the order that was chosen.
    pub fn apply(&self, rows: &mut Vec<Row>) {
        let needle = self.q.to_lowercase();
        if !needle.is_empty() {
            rows.retain(|row| row.pulse().parts().iter().any(|part| part.to_lowercase().contains(&needle)));
        }
        rows.sort_by(|a, b| {
            let order = self.compare(a, b);
            // Equal ones stand by their names, whichever way.
            order.then_with(|| a.pulse().cmp(b.pulse()))
        });
    }

    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        let turned = |order: Ordering| if self.descending { order.reverse() } else { order };
        match self.column {
            Column::Host => turned(a.pulse().host.cmp(&b.pulse().host)),
            Column::Category => turned(a.pulse().category.cmp(&b.pulse().category)),
            Column::Type => turned(a.pulse().r#type.cmp(&b.pulse().r#type)),
            Column::Name => turned(a.pulse().name.cmp(&b.pulse().name)),
            Column::Timestamp => turned(a.last.cmp(&b.last)),
            Column::Settings => turned(a.threshold.cmp(&b.threshold)),
            // Those that never pulsed come last, whichever way. Equal rounded hours are told apart by the minute.
            Column::Delta => match (a.delta(), b.delta()) {
                (Some(left), Some(right)) => {
                    turned(left.total_cmp(&right).then_with(|| a.counted.cmp(&b.counted)))
                }
                (left, right) => right.is_some().cmp(&left.is_some()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Choice {
        Choice::read(|wanted| {
            pairs
                .iter()
                .find(|(name, _)| *name == wanted)
                .map_or(String::new(), |(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_longest_overdue_stand_first_unless_asked_otherwise() {
        let usual = read(&[]);
        assert_eq!((usual.column, usual.descending, usual.page), (Column::Delta, true, 1));
        assert_eq!(read(&[("sort", "colour"), ("page", "-3")]), usual);
        assert!(!usual.by(Column::Delta).descending);
        let by_name = usual.by(Column::Name);
        assert_eq!((by_name.column, by_name.descending), (Column::Name, false));
        assert!(by_name.by(Column::Name).descending);
        assert_eq!(read(&[("sort", "name"), ("dir", "desc")]), by_name.by(Column::Name));
        assert_eq!(read(&by_name.pairs("1")), by_name);
    }
}
