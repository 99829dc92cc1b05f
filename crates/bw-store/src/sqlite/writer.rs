//! The one thread that writes, with group commit: it takes everything that waits, runs it in one transaction,
//! synchronises once and answers all. When nothing waits it commits at once; there is no timer.
//!
//! Memory changes after the commit and before the answers. A work that fails by its own fault is left out: the others
//! of its transaction are run again without it. A full disk fails the transaction and nothing else: the next one tries
//! again.

use super::beats::listen;
use super::error::{Fault, Result, again};
use super::hearing::{self, Ears};
use super::lock::Lock;
use super::memory::{Memory, Staged};
use super::stats::Stats;
use super::tx::{Journal, Tx};
use super::{snapshot, track_rows};
use crate::seal::SealKey;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::store::StoreError;
use bw_domain::time::Instant;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the writer: beyond it callers wait to be let in.
pub(super) const WAITING: usize = 1_024;
/// Items of one transaction: beyond it the synchronisation is no longer what costs.
const ITEMS: usize = 4_096;
/// Pages of the log after which they are copied into the database: 4 MiB.
const CHECKPOINT_PAGES: usize = 1_024;

/// Something to do in a transaction. It may run again when another work of the transaction failed.
pub(super) trait Work: Send {
    /// How many rows it is about.
    fn items(&self) -> usize;
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// After everything is durable, or with the reason why it is not.
    fn answer(self: Box<Self>, end: std::result::Result<(), StoreError>);
}

/// What is sent to the writer.
pub(super) enum Message {
    Work(Box<dyn Work>),
    /// Finish what waits, write what makes the next start quick, let go of the directory, answer.
    Close(oneshot::Sender<std::result::Result<(), StoreError>>),
}

/// A function as a work: its result is sent once it is durable.
pub(super) struct Call<T, F> {
    pub items: usize,
    pub run: F,
    pub result: Option<T>,
    pub reply: oneshot::Sender<std::result::Result<T, StoreError>>,
}

impl<T, F> Work for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send,
{
    fn items(&self) -> usize {
        self.items
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.result = Some((self.run)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: std::result::Result<(), StoreError>) {
        let Call { result, reply, .. } = *self;
        let answer = end.map(|()| result.expect("what was committed has run"));
        // The caller may have gone; what it asked for is durable all the same.
        drop(reply.send(answer));
    }
}

/// The thread's belongings.
pub(super) struct Writer {
    pub conn: Connection,
    pub file: PathBuf,
    pub memory: Arc<RwLock<Memory>>,
    pub ears: Arc<Mutex<Ears>>,
    pub journal: Journal,
    pub key: SealKey,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    pub stats: Arc<Stats>,
    /// Pages in the log after the last commit, told by SQLite.
    pub log_pages: Arc<AtomicUsize>,
    pub lock: Lock,
}

impl Writer {
    /// Works until it is told to close or nobody can ask any more.
    pub fn serve(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut closing = None;
        while let Some(message) = queue.blocking_recv() {
            let mut works = Vec::new();
            let mut items = 0;
            let mut next = Some(message);
            while let Some(message) = next.take() {
                match message {
                    Message::Work(work) => {
                        items += work.items();
                        works.push(work);
                        next = if items < ITEMS { queue.try_recv().ok() } else { None };
                    }
                    Message::Close(reply) => closing = Some(reply),
                }
            }
            self.group(works, items);
            if closing.is_some() {
                break;
            }
        }
        drop(queue);
        let end = self.close();
        if let Some(reply) = closing {
            drop(reply.send(end));
        }
    }

    /// One transaction for all, or one for each when a work spoils it.
    fn group(&mut self, mut works: Vec<Box<dyn Work>>, items: usize) {
        if works.is_empty() {
            return;
        }
        let begun = self.clock.monotonic();
        let end = self.transact(|tx| works.iter_mut().try_for_each(|work| work.run(tx)));
        if end.is_ok() {
            self.stats.committed(items, self.clock.monotonic().saturating_sub(begun), &self.journal);
        }
        match end {
            Err(StoreError::Invalid(_)) if works.len() > 1 => {
                for work in works {
                    let items = work.items();
                    self.group(vec![work], items);
                }
            }
            Err(error) => works.into_iter().for_each(|work| work.answer(Err(again(&error)))),
            Ok(()) => works.into_iter().for_each(|work| work.answer(Ok(()))),
        }
        if self.log_pages.load(Relaxed) >= CHECKPOINT_PAGES {
            self.checkpoint("PASSIVE");
        }
    }

    fn transact(
        &mut self,
        run: impl FnOnce(&mut Tx<'_>) -> Result<()>,
    ) -> std::result::Result<(), StoreError> {
        match self.try_transact(run) {
            Ok((mut staged, heard)) => {
                let said = std::mem::take(&mut staged.said);
                self.memory.write().unwrap_or_else(PoisonError::into_inner).publish(staged);
                let now = (self.clock.now(), self.clock.monotonic());
                listen(&self.ears).committed(said, heard, now);
                Ok(())
            }
            Err(fault) => {
                self.journal.forget();
                Err(fault.tell(&self.file))
            }
        }
    }

    /// What memory is to become, and what was written of how far all hear.
    fn try_transact(
        &mut self,
        run: impl FnOnce(&mut Tx<'_>) -> Result<()>,
    ) -> Result<(Staged, Option<Instant>)> {
        // Dropped without a commit it is rolled back.
        let sql = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate)?;
        let base = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        let staged = base.stage();
        let mut tx = Tx {
            conn: &sql,
            base,
            staged,
            journal: &mut self.journal,
            now: self.clock.now(),
            key: &self.key,
            entropy: &*self.entropy,
        };
        run(&mut tx)?;
        snapshot::roll(&mut tx)?;
        track_rows::roll(&mut tx)?;
        let staged = tx.end();
        let heard = listen(&self.ears).unwritten(&staged.said);
        if let Some(until) = heard {
            hearing::write(&sql, until)?;
        }
        sql.commit()?;
        Ok((staged, heard))
    }

    /// Copies the log into the database. When that fails the log is longer, and nothing is lost.
    fn checkpoint(&mut self, mode: &str) {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        if let Err(error) = self.conn.query_row(&sql, [], |_| Ok(())) {
            tracing::debug!(%error, "the log stays as it is for now");
        }
        self.log_pages.store(0, Relaxed);
    }

    fn close(mut self) -> std::result::Result<(), StoreError> {
        let end = self.transact(|tx| {
            snapshot::whole(tx)?;
            track_rows::whole(tx)
        });
        self.checkpoint("TRUNCATE");
        let Writer { conn, file, lock, .. } = self;
        let closed = conn.close().map_err(|(_, error)| Fault::from(error).tell(&file));
        drop(lock);
        end.and(closed)
    }
}
