//! What goes wrong inside, and what callers are told of it.
//!
//! Must hold: whatever may be otherwise in a moment (a lost connection, a server that starts, stops or hands over, a
//! deadlock, a time-out) is *away*, so the same call comes again; what would fail again is not.

use crate::pack::Damaged;
use bw_domain::port::store::StoreError;
use deadpool_postgres::PoolError;
use std::error::Error;
use tokio_postgres::error::{DbError, SqlState};

/// A failure below the ports.
#[derive(Debug)]
pub(super) enum Fault {
    Database(tokio_postgres::Error),
    /// No connection, or no answer in time.
    Away(String),
    /// A row says something that nobody can have written.
    Damaged(String),
    /// The caller asked for something impossible.
    Invalid(String),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Fault::Database(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            // Whatever keeps a connection from being opened may be put right.
            PoolError::Backend(error) => Fault::Away(shown(&error)),
            PoolError::Timeout(_) => Fault::Away("no connection was free or opened in time".to_owned()),
            other => Fault::Away(other.to_string()),
        }
    }
}

impl From<Damaged> for Fault {
    fn from(damaged: Damaged) -> Self {
        Fault::Damaged(damaged.to_string())
    }
}

impl Fault {
    /// A value of a row that cannot be read.
    pub fn damaged(what: &str, why: impl std::fmt::Display) -> Self {
        Damaged::new(what, why).into()
    }

    /// Whether it is the server's refusal with this code.
    pub fn is(&self, state: &SqlState) -> bool {
        matches!(self, Fault::Database(error) if error.code() == Some(state))
    }

    /// The error of the port, for the database at this place.
    pub fn tell(self, place: &str) -> StoreError {
        match self {
            Fault::Away(text) => StoreError::Away(format!("{place}: {text}")),
            Fault::Invalid(text) => StoreError::Invalid(text),
            Fault::Damaged(text) => StoreError::Corrupt(format!("{place}: {text}")),
            Fault::Database(error) => {
                let told = format!("{place}: {}", shown(&error));
                match error.code() {
                    Some(state) => of_state(state)(told),
                    // Without a code it is the connection, or a value that has another type than the schema says.
                    None if error.source().is_some_and(is_conversion) => StoreError::Corrupt(told),
                    None => StoreError::Away(told),
                }
            }
        }
    }

    /// Whether the connection it came over must not be used again.
    pub fn spoils(&self) -> bool {
        match self {
            Fault::Away(_) => true,
            Fault::Database(error) => error.code().is_none_or(|state| match *state {
                // It is no longer the one to write to, or what is prepared on it fits the schema no more.
                SqlState::READ_ONLY_SQL_TRANSACTION
                | SqlState::FEATURE_NOT_SUPPORTED
                | SqlState::INVALID_SQL_STATEMENT_NAME => true,
                SqlState::QUERY_CANCELED => false,
                // The server said so on its way out.
                _ => ["57", "08"].contains(&class(state)),
            }),
            Fault::Damaged(_) | Fault::Invalid(_) => false,
        }
    }
}

fn is_conversion(source: &(dyn Error + 'static)) -> bool {
    source.is::<tokio_postgres::types::WrongType>() || source.is::<tokio_postgres::types::WasNull>()
}

fn class(state: &SqlState) -> &str {
    state.code().get(..2).unwrap_or_default()
}

fn of_state(state: &SqlState) -> fn(String) -> StoreError {
    match *state {
        SqlState::DISK_FULL => return StoreError::Full,
        // A server that hands over, a lock that lasts, a plan of the schema before, a right that was taken away: the
        // same call may work later, and nothing must be lost until then.
        SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::FEATURE_NOT_SUPPORTED
        | SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::INSUFFICIENT_PRIVILEGE => return StoreError::Away,
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => return StoreError::Corrupt,
        _ => {}
    }
    match class(state) {
        // Connections, what a transaction meets of others, limits, what an operator does, and the machine below.
        "08" | "28" | "40" | "53" | "57" | "58" | "XX" => StoreError::Away,
        _ => StoreError::Invalid,
    }
}

/// The server's sentence, or what the driver says of the connection. Neither knows the password.
pub(super) fn shown(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return sentence(told);
    }
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn sentence(told: &DbError) -> String {
    match told.detail() {
        Some(detail) => format!("{} ({}): {detail}", told.message(), told.code().code()),
        None => format!("{} ({})", told.message(), told.code().code()),
    }
}
