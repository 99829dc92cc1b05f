//! From an address to the ports. `prepare` makes the schema, once for an installation; `open` only checks it, so a
//! node that starts changes nothing under the others.

use super::conn::{Conn, Script, get, params};
use super::connect::{self, Target};
use super::error::{Fault, Result, shown};
use super::{DatabaseClock, PgWake, Postgres, migrate, periods};
use crate::OpenReport;
use crate::Retention;
use crate::seal::SealKey;
use bw_domain::limits::SHARDS;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::store::{Store, StoreError};
use bw_domain::secret::Secret;
use bw_domain::time::Instant;
use deadpool_postgres::PoolError;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres::error::SqlState;

/// What is sealed to recognise the key.
const CANARY: &str = "bellwether";
/// Connections of a node unless it is told otherwise.
pub const POOL: usize = 8;

/// What the composition root gives.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port/database?sslmode=…`
    pub url: Secret,
    pub key: SealKey,
    pub retention: Retention,
    /// The process's.
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// A PEM file of authorities; without one those of the public web.
    pub roots: Option<PathBuf>,
    /// Connections at most; one more listens.
    pub pool: usize,
}

/// An open store.
pub struct Opened {
    pub store: Store,
    pub report: OpenReport,
    /// Wakes this node and the others.
    pub wake: Arc<PgWake>,
    /// The store's clock.
    pub clock: Arc<dyn Clock>,
    pub handle: Handle,
}

/// What `prepare` has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// `host:port/database`.
    pub place: String,
    pub schema: i64,
    /// The numbers of the migrations that were applied now; none when everything was there.
    pub applied: Vec<i64>,
}

/// Why it does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the address of the database cannot be used: {0}; it looks like postgres://user:password@host/database"
    )]
    Url(String),
    #[error("TLS to the database cannot be set up: {0}")]
    Tls(String),
    #[error(
        "no connection to the database {place}: {problem}; is it running, and does the address reach it?"
    )]
    Unreachable { place: String, problem: String },
    #[error("the database {place} does not let {user} in: {problem}; check the user and the password")]
    Refused { place: String, user: String, problem: String },
    #[error("there is no such database: {place}; make it with `createdb`, then run `bellwether db-init`")]
    NoDatabase { place: String },
    #[error("the database {place} forbids it: {problem}; let its owner run `bellwether db-init`")]
    Permission { place: String, problem: String },
    #[error("the server at {place} is PostgreSQL {version}: Bellwether needs 14 or newer")]
    TooOld { place: String, version: String },
    #[error("the database {place} is not prepared: run `bellwether db-init` first")]
    NotPrepared { place: String },
    #[error(
        "the database {place} has schema {found}, this Bellwether needs {known}: run `bellwether db-init` first"
    )]
    Older { place: String, found: i64, known: i64 },
    #[error(
        "the database {place} was written by a newer Bellwether (schema {found}, this one knows {known}): start that version, or restore a backup"
    )]
    Newer { place: String, found: i64, known: i64 },
    #[error("the database {place} was made by another program: its migration {number} is not ours")]
    Foreign { place: String, number: i64 },
    #[error(
        "the database {place} holds tables of another program: {problem}; give Bellwether one of its own"
    )]
    Occupied { place: String, problem: String },
    #[error(
        "the secret key does not fit the database {place}: give the key that it was prepared with (BELLWETHER_SECRET_KEY), the same on every node"
    )]
    WrongKey { place: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The life of the store beyond its ports.
pub struct Handle {
    postgres: Arc<Postgres>,
    wake: Arc<PgWake>,
}

impl Handle {
    /// Ends every connection. After this every port answers that the store is away.
    pub async fn close(self) {
        self.wake.close().await;
        self.postgres.pool.close();
    }

    /// Connections now: all, and those that nobody uses.
    pub fn connections(&self) -> (usize, usize) {
        let status = self.postgres.pool.status();
        (status.size, status.available)
    }
}

/// Makes the schema and the identity of the installation, or finds that they are there.
pub async fn prepare(options: &Options) -> std::result::Result<Prepared, OpenError> {
    let target = connect::target(options)?;
    let pool = connect::pool(&target, 2)?;
    let place = target.place.clone();
    let conn = first(&pool, &target).await?;
    migrate::server(&conn, &place).await?;
    let applied = migrate::migrate(&conn, &place).await?;
    let told = |fault: Fault| OpenError::Store(fault.tell(&place));
    conn.begin().await.map_err(told)?;
    let answer = install(&conn, options).await;
    conn.end(answer).await.map_err(told)?;
    identity(&conn, options, &place).await?;
    periods::make_ahead(&conn, options.clock.now()).await.map_err(told)?;
    drop(conn);
    pool.close();
    Ok(Prepared { place, schema: migrate::SCHEMA, applied })
}

/// Opens the store; its clock is the database's.
pub async fn open(options: Options) -> std::result::Result<Opened, OpenError> {
    let measured = Arc::new(DatabaseClock::new(options.clock.clone()));
    build(options, measured.clone(), Some(measured)).await
}

/// Opens the store with a clock of its own: whoever turns it turns the store's time.
pub async fn open_at(options: Options, clock: Arc<dyn Clock>) -> std::result::Result<Opened, OpenError> {
    build(options, clock, None).await
}

async fn build(
    options: Options,
    clock: Arc<dyn Clock>,
    measured: Option<Arc<DatabaseClock>>,
) -> std::result::Result<Opened, OpenError> {
    let target = connect::target(&options)?;
    let pool = connect::pool(&target, options.pool)?;
    let place = target.place.clone();
    let conn = first(&pool, &target).await?;
    migrate::server(&conn, &place).await?;
    migrate::check(&conn, &place).await?;
    let told = |fault: Fault| OpenError::Store(fault.tell(&place));
    if let Some(measured) = &measured {
        super::leases::measure(&conn, measured).await.map_err(told)?;
    }
    let installation = identity(&conn, &options, &place).await?;
    let first_start = begin(&conn, clock.now()).await.map_err(told)?;
    let monitors = count(&conn).await.map_err(told)?;
    let mut warnings = Vec::new();
    if let Err(fault) = periods::make_ahead(&conn, clock.now()).await {
        warnings.push(format!(
            "no room was made for the outcomes and beats of the next days: {}",
            fault.tell(&place)
        ));
    }
    drop(conn);
    let wake = PgWake::start(target);
    let Options { key, retention, entropy, .. } = options;
    let (days, beat_days, unsure, glance) = Default::default();
    let report = OpenReport { installation, first_start, schema: migrate::SCHEMA, monitors, warnings };
    let postgres = Arc::new(Postgres {
        pool,
        place,
        key,
        clock: clock.clone(),
        measured,
        entropy,
        retention,
        days,
        beat_days,
        unsure,
        glance,
    });
    let handle = Handle { postgres: postgres.clone(), wake: wake.clone() };
    Ok(Opened { store: ports(&postgres), report, wake, clock, handle })
}

fn ports(postgres: &Arc<Postgres>) -> Store {
    Store {
        catalog: postgres.clone(),
        states: postgres.clone(),
        outcomes: postgres.clone(),
        incidents: postgres.clone(),
        deliveries: postgres.clone(),
        timers: postgres.clone(),
        leases: postgres.clone(),
        accounts: postgres.clone(),
        access: postgres.clone(),
        beats: postgres.clone(),
    }
}

/// The first connection: here it shows whether anything is wrong with the address.
async fn first(pool: &deadpool_postgres::Pool, target: &Target) -> std::result::Result<Conn, OpenError> {
    let (place, user) = (target.place.clone(), target.user.clone());
    let error = match pool.get().await {
        Ok(object) => return Ok(Conn::new(object)),
        Err(
            PoolError::Backend(error)
            | PoolError::PostCreateHook(deadpool_postgres::HookError::Backend(error)),
        ) => error,
        Err(other) => return Err(OpenError::Unreachable { place, problem: other.to_string() }),
    };
    let problem = shown(&error);
    Err(match error.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            OpenError::Refused { place, user, problem }
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => OpenError::NoDatabase { place },
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => OpenError::Permission { place, problem },
        None if is_tls(&error) => OpenError::Tls(format!("{place}: {problem}")),
        _ => OpenError::Unreachable { place, problem },
    })
}

fn is_tls(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        let inner = source.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        if source.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = source.source();
    }
    false
}

/// What every installation has from the beginning.
async fn install(conn: &Conn, options: &Options) -> Result<()> {
    let sql =
        "INSERT INTO installation (id, identity, canary) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING";
    let canary = options.key.seal("installation", CANARY, &*options.entropy);
    let identity = options.entropy.bits().to_be_bytes().to_vec();
    let shards = "INSERT INTO shards (shard, published, accounted, until, epoch)
                  SELECT shard, 0, 0, 0, 0 FROM generate_series(0, $1::integer - 1) shard ON CONFLICT (shard) DO NOTHING";
    let mut script = Script::default();
    script.push(sql, params![identity, canary]);
    script.push(shards, params![i32::from(SHARDS)]);
    conn.script(&script).await.map(drop)
}

/// The identity of the installation; refused under a wrong key.
async fn identity(conn: &Conn, options: &Options, place: &str) -> std::result::Result<u128, OpenError> {
    let told = |fault: Fault| OpenError::Store(fault.tell(place));
    let row = conn.first("SELECT identity, canary FROM installation", params![]).await.map_err(told)?;
    let row = row.ok_or_else(|| OpenError::NotPrepared { place: place.to_owned() })?;
    let canary: &[u8] = get(&row, 1).map_err(told)?;
    if options.key.open("installation", canary).is_none_or(|text| text != CANARY) {
        return Err(OpenError::WrongKey { place: place.to_owned() });
    }
    let identity: &[u8] = get(&row, 0).map_err(told)?;
    let identity = identity.try_into().map_err(|error| told(Fault::damaged("identity", error)))?;
    Ok(u128::from_be_bytes(identity))
}

/// The first start of the installation, which is now if it never was. Nobody has planned before it.
async fn begin(conn: &Conn, now: Instant) -> Result<Instant> {
    conn.begin().await?;
    let answer = async {
        let sql = "SELECT first_start FROM installation FOR UPDATE";
        let row = conn.first(sql, params![]).await?;
        if let Some(stored) = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?.flatten() {
            return Ok(Instant::from_ms(stored));
        }
        let mut script = Script::default();
        script.push("UPDATE installation SET first_start = $1", params![now.ms()]);
        script.push("UPDATE shards SET published = $1, accounted = $1", params![now.ms()]);
        conn.script(&script).await?;
        Ok(now)
    };
    let answer = answer.await;
    conn.end(answer).await
}

async fn count(conn: &Conn) -> Result<usize> {
    let row = conn.first("SELECT count(*) FROM observed", params![]).await?;
    let count: i64 = row.map_or(Ok(0), |row| get(&row, 0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}
