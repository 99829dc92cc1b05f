//! What an expectation costs to judge, so that a monitor's rules can be bounded together.

use super::compile::{Number, Rule, Text, Words};

/// Roughly microseconds on the longest body that a probe reads.
pub(super) fn cost(rule: &Rule) -> u32 {
    match rule {
        Rule::Number { of: Number::LifetimeLeft | Number::DaysLeft, .. } => 2,
        Rule::Number { .. } => 1,
        Rule::Text { of: Text::Body, test: Words::Matches(_), .. } => 2_000,
        Rule::Text { of: Text::Body, .. } => 200,
        Rule::Text { test: Words::Matches(_), .. } => 20,
        Rule::Text { .. } => 5,
    }
}
