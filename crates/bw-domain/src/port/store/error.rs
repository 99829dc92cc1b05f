//! Why the store did not do it.

/// An error that crosses a store port.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Busy, restarting or unreachable: the same call may work later.
    #[error("the store is away: {0}")]
    Away(String),
    /// No room on the disk.
    #[error("the store's disk is full: {0}")]
    Full(String),
    /// What is stored cannot be read.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The call itself was wrong.
    #[error("{0}")]
    Invalid(String),
}

impl StoreError {
    /// Whether trying again later can help.
    pub fn retry(&self) -> bool {
        matches!(self, StoreError::Away(_) | StoreError::Full(_))
    }
}
