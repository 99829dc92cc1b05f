//! Query strings, read strictly: an unknown or unreadable parameter is a mistake that is named, never ignored,
//! and all mistakes are told at once.

use crate::problem::Refusal;
use axum::extract::{FromRequestParts, Query};
use bw_domain::nearest::nearest;
use bw_domain::read::Problem;
use bw_domain::time::{Duration, Instant, Span};
use http::StatusCode;
use http::request::Parts;

/// The parameters of a request that are not read yet.
pub struct Params {
    pairs: Vec<(String, String)>,
    problems: Vec<Problem>,
    known: Vec<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Query(pairs) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| Refusal::bad_request("invalid", "the query string is not key=value&key=value"))?;
        Ok(Params { pairs, problems: Vec::new(), known: Vec::new() })
    }
}

impl Params {
    /// Every value of a parameter that may be given several times.
    pub fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (mine, rest) = std::mem::take(&mut self.pairs).into_iter().partition(|(key, _)| key == name);
        self.pairs = rest;
        let mine: Vec<(String, String)> = mine;
        mine.into_iter().map(|(_, value)| value).collect()
    }

    /// The value of a parameter; an empty one is none.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.all(name);
        if values.len() > 1 {
            self.wrong(name, "is given twice");
        }
        values.pop().filter(|value| !value.is_empty())
    }

    /// A parameter read by `read`; `wanted` says what it should have been.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.wrong(name, format!("`{text}` is not {wanted}"));
        }
        value
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &'static str, low: usize, high: usize) -> Option<usize> {
        let wanted = format!("a whole number from {low} to {high}");
        self.read(name, &wanted, |text| text.parse().ok().filter(|number| (low..=high).contains(number)))
    }

    /// An instant.
    pub fn instant(&mut self, name: &'static str) -> Option<Instant> {
        self.read(name, "a time: write 2026-11-21T12:00:00Z, or seconds since 1970", Instant::parse)
    }

    /// A duration.
    pub fn span(&mut self, name: &'static str) -> Option<Duration> {
        self.read(name, "a duration such as 30s or 5m", |text| text.parse::<Span>().ok().map(Duration::from))
    }

    /// Notes a mistake.
    pub fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(name, message));
    }

    /// Ends the reading: what is left is unknown, and any mistake refuses the request.
    pub fn finish(mut self) -> Result<(), Refusal> {
        for (key, _) in &self.pairs {
            let message = match nearest(key, self.known.iter().copied()) {
                Some(near) => format!("unknown parameter; did you mean `{near}`?"),
                None if self.known.is_empty() => "unknown parameter; there are none here".to_owned(),
                None => format!("unknown parameter; known are {}", self.known.join(", ")),
            };
            self.problems.push(Problem::new(key.as_str(), message));
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Refusal::mistakes(StatusCode::BAD_REQUEST, "Mistakes in the query", self.problems))
    }
}
