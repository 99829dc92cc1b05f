//! What goes wrong inside, and what callers are told of it.

use crate::pack::Damaged;
use bw_domain::port::store::StoreError;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use std::path::Path;

/// A failure below the ports.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// A row says something that nobody can have written.
    Damaged(String),
    /// The caller asked for something impossible.
    Invalid(String),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error)
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
        Fault::Damaged(format!("{what}: {why}"))
    }

    /// The error of the port, for this database file.
    pub fn tell(self, file: &Path) -> StoreError {
        match self {
            Fault::Invalid(text) => StoreError::Invalid(text),
            Fault::Damaged(text) => StoreError::Corrupt(damaged(file, &text)),
            Fault::Sqlite(error) => tell(&error, file),
        }
    }
}

fn damaged(file: &Path, why: &str) -> String {
    format!("{} ({why}); stop Bellwether and run `bellwether db check`", file.display())
}

fn tell(error: &rusqlite::Error, file: &Path) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    let shown = error.to_string();
    match error {
        FromSqlConversionFailure(..)
        | IntegralValueOutOfRange(..)
        | InvalidColumnType(..)
        | Utf8Error(..) => StoreError::Corrupt(damaged(file, &shown)),
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full(file.display().to_string()),
            ErrorCode::SystemIoFailure if failure.extended_code == SQLITE_IOERR_SHMSIZE => {
                StoreError::Full(file.display().to_string())
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::Corrupt(damaged(file, &shown))
            }
            ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ApiMisuse
            | ErrorCode::ParameterOutOfRange
            | ErrorCode::Unknown => StoreError::Invalid(shown),
            _ => StoreError::Away(format!("{}: {shown}", file.display())),
        },
        _ => StoreError::Invalid(shown),
    }
}

/// The same error once more, for another caller of the same transaction.
pub(super) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Away(text) => StoreError::Away(text.clone()),
        StoreError::Full(text) => StoreError::Full(text.clone()),
        StoreError::Corrupt(text) => StoreError::Corrupt(text.clone()),
        StoreError::Invalid(text) => StoreError::Invalid(text.clone()),
    }
}
