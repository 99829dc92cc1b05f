//! Tree to rule: each field with the comparisons and values that make sense for it, patterns compiled once and
//! bounded in size.

use super::ast::{Field, Operator, Value};
use super::parse::{Mistake, Parsed};
use crate::outcome::{Code, Phase};
use regex::{Regex, RegexBuilder};

/// A compiled expectation. A hundred thousand monitors hold one to three of them each, so it is small.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Number { of: Number, test: Numbers },
    Text { of: Text, test: Words, negated: bool },
}

/// What is a number, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Status,
    /// Microseconds, as are the phases.
    Latency,
    Phase(Phase),
    DaysLeft,
    /// Hundredths of a percent.
    LifetimeLeft,
}

#[derive(Clone, Debug)]
pub(super) enum Numbers {
    Equal(i64),
    Unequal(i64),
    Less(i64),
    AtMost(i64),
    More(i64),
    AtLeast(i64),
    /// Inclusive ranges.
    In(Box<[(i64, i64)]>),
}

/// What is text, or several texts.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Body,
    /// In lower case.
    Header(Box<str>),
    Issuer,
    Subject,
    Names,
}

#[derive(Clone, Debug)]
pub(super) enum Words {
    Exists,
    Equal(Box<str>),
    Contains(Box<str>),
    Matches(Box<Regex>),
}

/// Bytes of a compiled pattern, and of what it remembers while it runs: a page of any length is searched in
/// bounded memory, and a pattern that needs more is a program rather than an expectation.
const PATTERN_BYTES: usize = 256 << 10;

impl Rule {
    /// The failure code when it does not hold.
    pub fn code(&self) -> Code {
        match self {
            Rule::Number { of, .. } => match of {
                Number::Status => Code::EXPECT_STATUS,
                Number::Latency => Code::EXPECT_LATENCY,
                Number::Phase(Phase::Resolve) => Code::EXPECT_RESOLVE,
                Number::Phase(Phase::Connect) => Code::EXPECT_CONNECT,
                Number::Phase(Phase::Tls) => Code::EXPECT_TLS,
                Number::Phase(Phase::Send) => Code::EXPECT_SEND,
                Number::Phase(Phase::Wait) => Code::EXPECT_WAIT,
                Number::Phase(Phase::Receive) => Code::EXPECT_RECEIVE,
                Number::DaysLeft | Number::LifetimeLeft => Code::EXPECT_CERTIFICATE,
            },
            Rule::Text { of, .. } => match of {
                Text::Body => Code::EXPECT_BODY,
                Text::Header(_) => Code::EXPECT_HEADER,
                Text::Issuer | Text::Subject | Text::Names => Code::EXPECT_CERTIFICATE,
            },
        }
    }

    /// Slowness never hides what is wrong with the answer itself.
    pub fn is_about_time(&self) -> bool {
        matches!(self, Rule::Number { of: Number::Latency | Number::Phase(_), .. })
    }
}

/// Checks a tree and compiles it.
pub(super) fn compile(parsed: Parsed) -> Result<Rule, Mistake> {
    match parsed.ast.field {
        Field::Status => number(parsed, Number::Status),
        Field::Latency => time(parsed, Number::Latency),
        Field::Phase(phase) => time(parsed, Number::Phase(phase)),
        Field::DaysLeft => number(parsed, Number::DaysLeft),
        Field::LifetimeLeft => share(parsed),
        Field::Body => text(parsed, Text::Body),
        Field::Header(ref name) => {
            let of = Text::Header(name.as_str().into());
            text(parsed, of)
        }
        Field::Issuer => text(parsed, Text::Issuer),
        Field::Subject => text(parsed, Text::Subject),
        Field::Names => names(parsed),
    }
}

fn number(parsed: Parsed, of: Number) -> Result<Rule, Mistake> {
    let example = if of == Number::Status {
        "status == 200` or `status in 200..299"
    } else {
        "certificate.days_left > 14"
    };
    let possible = of != Number::Status || statuses(&parsed.ast.value);
    let test = match (parsed.ast.operator, parsed.ast.value) {
        (Operator::In, Value::Set(ranges)) => Numbers::In(ranges.into_boxed_slice()),
        (operator, Value::Number(number)) => match ordered(operator, number) {
            Some(test) => test,
            None => return Err(wrong_operator(parsed.operator_at, operator, "a number", example)),
        },
        _ => return Err(wrong_value(parsed.value_at, "a number", example)),
    };
    if !possible {
        return Err(Mistake::new(parsed.value_at, "a status is a number from 100 to 599"));
    }
    Ok(Rule::Number { of, test })
}

/// Whether all numbers are such that a status can be them.
fn statuses(value: &Value) -> bool {
    let possible = |number: &i64| (100..=599).contains(number);
    match value {
        Value::Number(number) => possible(number),
        Value::Set(ranges) => ranges.iter().all(|(from, to)| possible(from) && possible(to)),
        _ => true,
    }
}

fn time(parsed: Parsed, of: Number) -> Result<Rule, Mistake> {
    let example = "latency < 800ms";
    let operator = parsed.ast.operator;
    if matches!(operator, Operator::Equal | Operator::Unequal) {
        return Err(wrong_operator(parsed.operator_at, operator, "a measured time", example));
    }
    let us = match parsed.ast.value {
        Value::Time(span) => i64::try_from(span.0.as_micros()).unwrap_or(i64::MAX),
        _ => return Err(wrong_value(parsed.value_at, "a duration with its unit", example)),
    };
    match ordered(operator, us) {
        Some(test) => Ok(Rule::Number { of, test }),
        None => Err(wrong_operator(parsed.operator_at, operator, "a time", example)),
    }
}

fn share(parsed: Parsed) -> Result<Rule, Mistake> {
    let example = "certificate.lifetime_left > 33%";
    let operator = parsed.ast.operator;
    let Value::Share(share) = parsed.ast.value else {
        return Err(wrong_value(parsed.value_at, "a share from 0% to 100%", example));
    };
    match ordered(operator, i64::from(share)) {
        Some(test) => Ok(Rule::Number { of: Number::LifetimeLeft, test }),
        None => Err(wrong_operator(parsed.operator_at, operator, "a share", example)),
    }
}

fn ordered(operator: Operator, number: i64) -> Option<Numbers> {
    Some(match operator {
        Operator::Equal => Numbers::Equal(number),
        Operator::Unequal => Numbers::Unequal(number),
        Operator::Less => Numbers::Less(number),
        Operator::AtMost => Numbers::AtMost(number),
        Operator::More => Numbers::More(number),
        Operator::AtLeast => Numbers::AtLeast(number),
        _ => return None,
    })
}

fn text(parsed: Parsed, of: Text) -> Result<Rule, Mistake> {
    let example = match of {
        Text::Header(_) => "header \"content-type\" contains \"json\"",
        Text::Body => "body contains \"ok\"",
        _ => "certificate.issuer contains \"Let's Encrypt\"",
    };
    let operator = parsed.ast.operator;
    let negated = matches!(
        operator,
        Operator::Unequal | Operator::NotContains | Operator::NotMatches | Operator::NotExists
    );
    let test = match (operator, parsed.ast.value) {
        (Operator::Exists | Operator::NotExists, _) if matches!(of, Text::Header(_)) => Words::Exists,
        (Operator::Equal | Operator::Unequal, Value::Text(text)) => Words::Equal(text.into()),
        (Operator::Contains | Operator::NotContains, Value::Text(text)) => Words::Contains(text.into()),
        (Operator::Matches | Operator::NotMatches, Value::Text(text)) => {
            Words::Matches(pattern(&text, parsed.value_at)?)
        }
        (
            Operator::Equal
            | Operator::Unequal
            | Operator::Contains
            | Operator::NotContains
            | Operator::Matches
            | Operator::NotMatches,
            _,
        ) => return Err(wrong_value(parsed.value_at, "text in quotes", example)),
        _ => return Err(wrong_operator(parsed.operator_at, operator, "text", example)),
    };
    Ok(Rule::Text { of, test, negated })
}

/// A certificate's names are a list: containing one means having exactly it.
fn names(parsed: Parsed) -> Result<Rule, Mistake> {
    let example = "certificate.names contains \"example.com\"";
    let operator = parsed.ast.operator;
    let negated = match operator {
        Operator::Contains => false,
        Operator::NotContains => true,
        _ => return Err(wrong_operator(parsed.operator_at, operator, "a list of names", example)),
    };
    let Value::Text(name) = parsed.ast.value else {
        return Err(wrong_value(parsed.value_at, "text in quotes", example));
    };
    Ok(Rule::Text { of: Text::Names, test: Words::Equal(name.into()), negated })
}

fn pattern(text: &str, at: usize) -> Result<Box<Regex>, Mistake> {
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    built.map(Box::new).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            Mistake::new(at, "this pattern is too large: write a shorter one, with fewer repetitions")
        }
        error => {
            // The last line says what is wrong; those before it draw the place.
            let whole = error.to_string();
            let reason = whole.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Mistake::new(at, format!("this is no regular expression: {reason}"))
        }
    })
}

fn wrong_operator(at: usize, operator: Operator, what: &str, example: &str) -> Mistake {
    Mistake::new(at, format!("`{}` does not compare {what}: write `{example}`", operator.word()))
}

fn wrong_value(at: usize, what: &str, example: &str) -> Mistake {
    Mistake::new(at, format!("this compares with {what}: write `{example}`"))
}
