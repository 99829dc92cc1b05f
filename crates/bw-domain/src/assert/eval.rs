//! Whether a rule holds for what was seen. What cannot be seen does not hold, whichever way it is asked: no
//! certificate is not a certificate without a name.

use super::Seen;
use super::compile::{Number, Numbers, Rule, Text, Words};
use std::borrow::Cow;

/// Judges one rule.
pub(super) fn holds(rule: &Rule, seen: &Seen<'_>) -> bool {
    match rule {
        Rule::Number { of, test } => number(*of, seen).is_some_and(|number| test.hold(number)),
        Rule::Text { of, test, negated } => {
            texts(of, seen).is_some_and(|texts| texts.iter().any(|text| test.hold(of, text)) != *negated)
        }
    }
}

/// The number that was seen, in the unit of its kind.
pub(super) fn number(of: Number, seen: &Seen<'_>) -> Option<i64> {
    match of {
        Number::Status => seen.status.map(i64::from),
        Number::Latency => Some(i64::from(seen.latency_us)),
        Number::Phase(phase) => Some(i64::from(seen.phases.get(phase))),
        Number::DaysLeft => seen.certificate.map(|certificate| certificate.days_left(seen.now)),
        Number::LifetimeLeft => seen.certificate.map(|certificate| {
            let life = certificate.not_after.ms().saturating_sub(certificate.not_before.ms()).max(1);
            let left = certificate.not_after.ms().saturating_sub(seen.now.ms()).max(0);
            i64::try_from(i128::from(left) * 10_000 / i128::from(life)).unwrap_or(10_000)
        }),
    }
}

/// The texts that were seen: several for headers of one name and for names. `None` when there is nothing in
/// which they could be.
pub(super) fn texts<'a>(of: &Text, seen: &Seen<'a>) -> Option<Vec<Cow<'a, str>>> {
    let one = |text: &'a str| vec![Cow::Borrowed(text)];
    match of {
        Text::Body => seen.body.map(|body| vec![String::from_utf8_lossy(body)]),
        Text::Header(name) => {
            seen.status?;
            let same = seen.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            Some(same.map(|(_, value)| Cow::Borrowed(value.as_str())).collect())
        }
        Text::Issuer => seen.certificate.map(|certificate| one(&certificate.issuer)),
        Text::Subject => seen.certificate.map(|certificate| one(&certificate.subject)),
        Text::Names => seen
            .certificate
            .map(|certificate| certificate.names.iter().map(|name| Cow::Borrowed(name.as_str())).collect()),
    }
}

impl Numbers {
    fn hold(&self, seen: i64) -> bool {
        match self {
            Numbers::Equal(number) => seen == *number,
            Numbers::Unequal(number) => seen != *number,
            Numbers::Less(number) => seen < *number,
            Numbers::AtMost(number) => seen <= *number,
            Numbers::More(number) => seen > *number,
            Numbers::AtLeast(number) => seen >= *number,
            Numbers::In(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&seen)),
        }
    }
}

impl Words {
    fn hold(&self, of: &Text, seen: &str) -> bool {
        match self {
            Words::Exists => true,
            // Names of machines have no case.
            Words::Equal(text) if matches!(of, Text::Names) => seen.eq_ignore_ascii_case(text),
            Words::Equal(text) => seen == &**text,
            Words::Contains(text) => seen.contains(&**text),
            Words::Matches(pattern) => pattern.is_match(seen),
        }
    }
}
