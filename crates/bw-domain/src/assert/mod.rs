//! Expectations: what an answer must be. Parsed once, with a bounded cost, and explained with the value seen.
//!
//! Text becomes a tree (`ast`, `parse`), the tree a small checked rule (`compile`) of known `cost`; a rule is
//! judged (`eval`) and, when it does not hold, explained (`explain`).

mod ast;
mod compile;
mod cost;
mod eval;
mod explain;
mod parse;

pub use parse::Mistake;

use crate::outcome::{Certificate, Code, Phases};
use crate::time::Instant;
use compile::{Rule, Text};
use std::sync::{Arc, LazyLock};

/// One expectation, compiled.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// As it was written.
    pub text: Box<str>,
    rule: Rule,
}

impl PartialEq for Expectation {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What a probe saw, for expectations to judge.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// `None` where there was no HTTP answer.
    pub status: Option<u16>,
    pub body: Option<&'a [u8]>,
    pub headers: &'a [(String, String)],
    pub latency_us: u32,
    pub phases: &'a Phases,
    pub certificate: Option<&'a Certificate>,
    pub now: Instant,
}

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmet {
    pub code: Code,
    /// `expected status == 200, saw 503`.
    pub text: String,
    /// The expectation as it was written.
    pub expectation: String,
}

impl Expectation {
    /// Parses and compiles one expectation.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let rule = compile::compile(parse::parse(text)?)?;
        Ok(Expectation { text: text.trim().into(), rule })
    }

    /// What an HTTP monitor that says nothing expects: `status < 400`. Shared by all of them.
    pub fn default_http() -> Arc<[Expectation]> {
        static DEFAULT: LazyLock<Arc<[Expectation]>> = LazyLock::new(|| {
            let default = Expectation::parse("status < 400").expect("the default is an expectation");
            Arc::new([default])
        });
        DEFAULT.clone()
    }

    /// Roughly microseconds on the longest body.
    pub fn cost(&self) -> u32 {
        cost::cost(&self.rule)
    }

    /// The failure code when it does not hold: what kind of thing it looks at.
    pub fn code(&self) -> Code {
        self.rule.code()
    }

    /// The header that it looks at, in lower case: without one nobody has to collect headers, and with one whose
    /// value is a secret nobody shows what was seen.
    pub fn header(&self) -> Option<&str> {
        match &self.rule {
            Rule::Text { of: Text::Header(name), .. } => Some(name),
            _ => None,
        }
    }
}

/// The first expectation that does not hold. Those about time come last, so that a slow error is never reported
/// as merely slow.
pub fn judge(expectations: &[Expectation], seen: &Seen<'_>) -> Option<Unmet> {
    let unmet = |about_time: bool| {
        let mut ours =
            expectations.iter().filter(|expectation| expectation.rule.is_about_time() == about_time);
        ours.find(|expectation| !eval::holds(&expectation.rule, seen))
    };
    let expectation = unmet(false).or_else(|| unmet(true))?;
    Some(Unmet {
        code: expectation.rule.code(),
        text: format!("expected {}, saw {}", expectation.text, explain::saw(&expectation.rule, seen)),
        expectation: expectation.text.to_string(),
    })
}

#[cfg(test)]
mod tests;
