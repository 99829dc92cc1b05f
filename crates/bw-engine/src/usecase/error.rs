//! Why a verb was not done. Facts for the caller to present: the interface makes problem documents of them, pages
//! put sentences beside fields, the command line prints lines.

use bw_domain::port::store::StoreError;
use bw_domain::read::Problem;
use std::sync::Arc;

/// A refusal, after which nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum UseError {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// Somebody edited it meanwhile.
    #[error("it was edited meanwhile: its revision is {revision} now")]
    Stale { revision: u32 },
    /// Mistakes in what was sent, each with its path.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Problem>),
    /// It belongs to somebody else.
    #[error("it is owned by `{owner}` and can only be changed there")]
    Owned { owner: Arc<str> },
    /// Another monitor of the same owner has this key or slug.
    #[error("the name `{0}` is taken")]
    Taken(String),
    /// The store did not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Not now or not like this, with the sentence why.
    #[error("{0}")]
    Refused(String),
}

fn sentences(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl UseError {
    /// One mistake at one path.
    pub fn invalid(path: &str, message: impl Into<String>) -> Self {
        UseError::Invalid(vec![Problem::new(path, message)])
    }
}
