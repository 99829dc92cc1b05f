//! An expectation as a tree: what is looked at, how, and against what. Printing a tree gives text that parses
//! to the same tree.

use crate::outcome::Phase;
use crate::time::Span;
use std::fmt;

/// One expectation, parsed but not yet checked for sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ast {
    pub field: Field,
    pub operator: Operator,
    pub value: Value,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Status,
    Body,
    /// In lower case.
    Header(String),
    Latency,
    Phase(Phase),
    DaysLeft,
    LifetimeLeft,
    Issuer,
    Subject,
    Names,
}

/// Every field but the headers, by its name.
pub(super) const FIELDS: [(&str, Field); 14] = [
    ("status", Field::Status),
    ("body", Field::Body),
    ("latency", Field::Latency),
    ("resolve", Field::Phase(Phase::Resolve)),
    ("connect", Field::Phase(Phase::Connect)),
    ("tls", Field::Phase(Phase::Tls)),
    ("send", Field::Phase(Phase::Send)),
    ("wait", Field::Phase(Phase::Wait)),
    ("receive", Field::Phase(Phase::Receive)),
    ("certificate.days_left", Field::DaysLeft),
    ("certificate.lifetime_left", Field::LifetimeLeft),
    ("certificate.issuer", Field::Issuer),
    ("certificate.subject", Field::Subject),
    ("certificate.names", Field::Names),
];

/// How it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Contains,
    NotContains,
    Matches,
    NotMatches,
    Exists,
    NotExists,
}

impl Operator {
    pub const ALL: [Operator; 13] = [
        Operator::Equal,
        Operator::Unequal,
        Operator::Less,
        Operator::AtMost,
        Operator::More,
        Operator::AtLeast,
        Operator::In,
        Operator::Contains,
        Operator::NotContains,
        Operator::Matches,
        Operator::NotMatches,
        Operator::Exists,
        Operator::NotExists,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::More => ">",
            Operator::AtLeast => ">=",
            Operator::In => "in",
            Operator::Contains => "contains",
            Operator::NotContains => "not contains",
            Operator::Matches => "matches",
            Operator::NotMatches => "not matches",
            Operator::Exists => "exists",
            Operator::NotExists => "not exists",
        }
    }
}

/// Against what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Nothing,
    Number(i64),
    /// Inclusive ranges; a single number is a range of one.
    Set(Vec<(i64, i64)>),
    Text(String),
    Time(Span),
    /// Hundredths of a percent.
    Share(u32),
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.field, self.operator.word(), self.value)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Field::Header(name) = self {
            return write!(f, "header{}", Value::Text(name.clone()));
        }
        let known = FIELDS.iter().find(|(_, field)| field == self);
        f.write_str(known.expect("every field but the headers is in the table").0)
    }
}

impl fmt::Display for Value {
    /// With a space before it, unless there is nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nothing => Ok(()),
            Value::Number(number) => write!(f, " {number}"),
            Value::Set(ranges) => match ranges.as_slice() {
                [(low, high)] if low != high => write!(f, " {low}..{high}"),
                _ => write!(f, " [{}]", ranges.iter().map(range).collect::<Vec<_>>().join(", ")),
            },
            Value::Text(text) => write!(f, " {}", quoted(text)),
            Value::Time(span) => write!(f, " {span}"),
            Value::Share(share) => match (share / 100, share % 100) {
                (whole, 0) => write!(f, " {whole}%"),
                (whole, rest) => write!(f, " {whole}.{rest:02}%"),
            },
        }
    }
}

fn range(&(low, high): &(i64, i64)) -> String {
    if low == high { low.to_string() } else { format!("{low}..{high}") }
}

/// The inverse of what the parser does to quoted text.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
