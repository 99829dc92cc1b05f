//! What a command ends with: a text for standard output and a status, or one sentence about why not. Commands
//! return these; only `main` writes and exits.

use std::fmt;

/// The exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Good,
    /// Refused or failed; for `check`: the target fails.
    Failed,
    /// Usage, or something that this build does not have.
    Usage,
    /// `check`: nothing can be said.
    Inconclusive,
    /// `exec`: what the command that it ran ended with.
    Of(u8),
}

impl Status {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Status::Good => 0,
            Status::Failed => 1,
            Status::Usage => 2,
            Status::Inconclusive => 3,
            Status::Of(code) => code,
        }
    }
}

/// A command that did what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub status: Status,
}

/// A command that did not, with one sentence: what, where, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub sentence: String,
    pub status: Status,
}

/// What every command returns.
pub type Outcome<T = Answer> = Result<T, Stop>;

impl Answer {
    /// A good end.
    pub fn good(text: impl Into<String>) -> Self {
        Answer { text: text.into(), status: Status::Good }
    }
}

impl Stop {
    /// Refused or failed.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Stop { sentence: sentence.into(), status: Status::Failed }
    }

    /// Wrong usage, or a missing feature.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Stop { sentence: sentence.into(), status: Status::Usage }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// An error with its causes as one sentence.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
