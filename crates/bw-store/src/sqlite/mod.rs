//! The ten store ports on one SQLite file.
//!
//! - One thread writes (`writer`), with group commit; a few read (`reader`); callers await an answer.
//! - The rows of observations and states, their timers, the watermarks and the leases are in memory (`memory`): reading
//!   them costs no SQL. They change after the commit that says the same, and are rebuilt at start (`snapshot`,
//!   `replay`).
//! - Outcomes lie in one table a period (`periods`), beats in one a day (`days`).
//! - Each port is a file of its name.

mod access;
mod accounts;
mod append;
mod beat_form;
mod beat_lists;
mod beats;
mod catalog;
mod check;
mod commit;
mod days;
mod declared;
mod deliveries;
mod edit;
mod error;
mod events;
mod hearing;
mod incidents;
mod leases;
mod lock;
mod memory;
mod migrate;
mod network;
mod open;
mod outbox;
mod outcomes;
mod periods;
mod reader;
mod replay;
mod retain;
mod retain_beats;
mod snapshot;
mod states;
mod stats;
mod timers;
mod track_rows;
mod tracks;
mod tx;
mod writer;

pub use check::{CheckReport, RestoreError, backup, check, restore};
pub use open::{Handle, OpenError, Opened, Options, open};
pub use stats::{COMMIT_BOUNDS_US, StoreStats};

use crate::Retention;
use crate::seal::SealKey;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answered, StoreError};
use error::Result;
use hearing::Ears;
use memory::Memory;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::{mpsc, oneshot};
use tx::Tx;

/// What the ports share. Each of them is this.
struct Sqlite {
    file: PathBuf,
    memory: Arc<RwLock<Memory>>,
    ears: Arc<Mutex<Ears>>,
    writer: mpsc::Sender<writer::Message>,
    readers: mpsc::Sender<reader::Message>,
    key: SealKey,
    clock: Arc<dyn Clock>,
    retention: Retention,
    /// The id that the next incident may have.
    spare: AtomicI64,
}

impl Sqlite {
    fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a function in a transaction with others and answers once it is durable. It may run more than once, of
    /// which all but the last did nothing.
    fn write<T, F>(&self, items: usize, run: F) -> Answered<'_, T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let call = Box::new(writer::Call { items, run, result: None, reply });
            self.writer.send(writer::Message::Work(call)).await.map_err(|_| closed())?;
            answer.await.map_err(|_| closed())?
        })
    }

    /// Runs a function on a reader.
    fn read<T, F>(&self, read: F) -> Answered<'_, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            // The caller may have gone meanwhile; nobody else wants what was read.
            let work = Box::new(move |reader: &mut reader::Reader| drop(reply.send(reader.read(read))));
            self.readers.send(reader::Message::Read(work)).await.map_err(|_| closed())?;
            answer.await.map_err(|_| closed())?
        })
    }
}

/// An answer that needed neither disk nor thread.
fn ready<'a, T: Send + 'a>(value: T) -> Answered<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

fn closed() -> StoreError {
    StoreError::Away("it is closed".to_owned())
}
