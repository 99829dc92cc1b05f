//! A few threads that read, each with a connection of its own that cannot write. What they see is what was committed
//! when they began.

use super::error::{Fault, Result};
use bw_domain::port::store::StoreError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for a reader.
pub(super) const WAITING: usize = 256;
/// Readers: pages are read by few people at a time, and each costs memory.
pub(super) const READERS: usize = 2;

/// What is sent to the readers.
pub(super) enum Message {
    Read(Box<dyn FnOnce(&mut Reader) + Send>),
    /// The reader that takes it ends.
    Close(oneshot::Sender<()>),
}

/// One of them.
pub(super) struct Reader {
    pub conn: Connection,
    pub file: PathBuf,
}

impl Reader {
    /// Works until it is told to close or nobody can ask any more.
    pub fn serve(mut self, queue: Arc<Mutex<mpsc::Receiver<Message>>>) {
        loop {
            // Whoever holds the queue waits for the next call; the others wait for the queue.
            let message = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            match message {
                Some(Message::Read(read)) => read(&mut self),
                Some(Message::Close(reply)) => {
                    drop(self);
                    // Whoever closes may have given up waiting.
                    reply.send(()).ok();
                    return;
                }
                None => return,
            }
        }
    }

    /// Reads in one transaction, so that what is read belongs together.
    pub fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection) -> Result<T>,
    ) -> std::result::Result<T, StoreError> {
        let read = || -> Result<T> {
            let tx = self.conn.unchecked_transaction()?;
            let value = read(&tx)?;
            tx.commit()?;
            Ok(value)
        };
        read().map_err(|fault: Fault| fault.tell(&self.file))
    }
}
