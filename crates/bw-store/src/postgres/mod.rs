//! The store ports on PostgreSQL, for a fleet: every node speaks to the same database.
//!
//! - Nothing is kept in memory that another node may change; a commit locks the rows of its monitors, in one order, and
//!   decides from what it then reads. So whoever comes second sees what the first has done.
//! - A batch of commits is a small, fixed number of round trips (`commit`): arrays in, arrays out, statements that do
//!   not depend on each other sent together.
//! - Every wait has a bound. What may be otherwise in a moment is *away*, and the same call may come again (`error`).
//! - Time is the database's (`clock`).
//! - Each port is a file of its name; the same names as in `sqlite`.

mod access;
mod accounts;
mod append;
mod beats;
mod catalog;
mod clock;
mod commit;
mod conn;
mod connect;
mod declared;
mod deliveries;
mod edit;
mod error;
mod events;
mod hearing;
mod incidents;
mod kept;
mod leases;
mod lock;
mod migrate;
mod open;
mod outbox;
mod outcomes;
mod periods;
mod retain;
mod states;
mod timers;
mod tls;
mod tracks;
mod unsure;
mod wake;
mod write;

pub use clock::DatabaseClock;
pub use migrate::SCHEMA;
pub use open::{Handle, OpenError, Opened, Options, POOL, Prepared, open, open_at, prepare};
pub use wake::PgWake;

use crate::Retention;
use crate::seal::SealKey;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::store::{Answered, StoreError};
use bw_domain::time::Duration;
use conn::Conn;
use deadpool_postgres::Pool;
use error::Result;
use periods::Days;
use std::future::Future;
use std::sync::Arc;

/// No answer after so long, a call has failed: longer than the server's own time limits, which say more.
const CALL: Duration = Duration::from_secs(20);

/// What the ports share. Each of them is this.
struct Postgres {
    pool: Pool,
    /// `host:port/database`, for sentences.
    place: String,
    key: SealKey,
    /// The store's.
    clock: Arc<dyn Clock>,
    /// Where the store's clock is the database's: what corrects it.
    measured: Option<Arc<DatabaseClock>>,
    entropy: Arc<dyn Entropy>,
    retention: Retention,
    days: Days,
    beat_days: Days,
    /// Batches of beats of which this process does not know whether they were kept.
    unsure: Arc<unsure::Unsure>,
    /// How far `due` has looked ahead.
    glance: tracks::Glance,
}

impl Postgres {
    /// Answers what the work answers, within the bound.
    fn call<'a, T: Send + 'a>(
        &'a self,
        work: impl Future<Output = Result<T>> + Send + 'a,
    ) -> Answered<'a, T> {
        self.call_within(CALL, work)
    }

    fn call_within<'a, T: Send + 'a>(
        &'a self,
        bound: Duration,
        work: impl Future<Output = Result<T>> + Send + 'a,
    ) -> Answered<'a, T> {
        Box::pin(async move {
            match tokio::time::timeout(bound, work).await {
                Ok(answer) => answer.map_err(|fault| fault.tell(&self.place)),
                Err(_) => {
                    Err(StoreError::Away(format!("{}: no answer in {} s", self.place, bound.as_secs())))
                }
            }
        })
    }

    async fn conn(&self) -> Result<Conn> {
        Ok(Conn::new(self.pool.get().await?))
    }

    /// A connection in a transaction; [`Conn::end`] ends it.
    async fn begin(&self) -> Result<Conn> {
        let conn = self.conn().await?;
        conn.begin().await?;
        Ok(conn)
    }
}
