//! From a directory to the ten ports: lock, schema, key, memory, threads.

use super::error::{Fault, Result};
use super::hearing::Ears;
use super::lock::Lock;
use super::reader::{self, Reader};
use super::stats::{Stats, StoreStats};
use super::tx::Journal;
use super::writer::{self, Writer};
use super::{Sqlite, closed, migrate, network, snapshot};
use crate::OpenReport;
use crate::Retention;
use crate::seal::SealKey;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::store::{Store, StoreError};
use bw_domain::time::Instant;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

/// The database's name in its directory.
pub(super) const FILE: &str = "bellwether.db";
/// What is sealed to recognise the key.
const CANARY: &str = "bellwether";

/// What the composition root gives.
#[derive(Clone)]
pub struct Options {
    /// Made when it is not there.
    pub directory: PathBuf,
    pub key: SealKey,
    pub retention: Retention,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// An open store.
pub struct Opened {
    pub store: Store,
    pub report: OpenReport,
    pub handle: Handle,
}

/// Why it does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data directory {directory} cannot be used")]
    Directory { directory: PathBuf, source: std::io::Error },
    #[error(
        "the data directory {directory} is in use by process {pid}: stop that one, or give this one another --data"
    )]
    InUse { directory: PathBuf, pid: String },
    #[error(
        "the database {file} was written by a newer Bellwether (schema {found}, this one knows {known}): start that version, or restore a backup"
    )]
    Newer { file: PathBuf, found: i64, known: i64 },
    #[error("the database {file} was made by another program: its migration {number} is not ours")]
    Foreign { file: PathBuf, number: i64 },
    #[error(
        "the secret key does not fit the database {file}: give the key that it was made with (secret.key beside it, or BELLWETHER_SECRET_KEY)"
    )]
    WrongKey { file: PathBuf },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The life of the store beyond its ports.
pub struct Handle {
    sqlite: Arc<Sqlite>,
    stats: Arc<Stats>,
}

impl Handle {
    /// Finishes what waits, writes what makes the next start quick, and lets go of the directory. After this every
    /// port answers that the store is away.
    pub async fn close(self) -> std::result::Result<(), StoreError> {
        for _ in 0..reader::READERS {
            let (reply, ended) = oneshot::channel();
            self.sqlite.readers.send(reader::Message::Close(reply)).await.map_err(|_| closed())?;
            ended.await.map_err(|_| closed())?;
        }
        let (reply, ended) = oneshot::channel();
        self.sqlite.writer.send(writer::Message::Close(reply)).await.map_err(|_| closed())?;
        ended.await.map_err(|_| closed())?
    }

    /// How large it is and how its commits go.
    pub fn stats(&self) -> StoreStats {
        let size = |suffix: &str| {
            let mut path = self.sqlite.file.clone().into_os_string();
            path.push(suffix);
            std::fs::metadata(path).map_or(0, |file| file.len())
        };
        StoreStats { file_bytes: size(""), log_bytes: size("-wal"), ..self.stats.now() }
    }
}

/// Opens the store of a directory, alone.
pub fn open(options: Options) -> std::result::Result<Opened, OpenError> {
    let Options { directory, key, retention, clock, entropy } = options;
    create_directory(&directory)?;
    let lock = Lock::take(&directory)?;
    let file = directory.join(FILE);
    let told = |fault: Fault| OpenError::Store(fault.tell(&file));

    create_file(&file).map_err(|source| OpenError::Directory { directory: directory.clone(), source })?;
    let mut conn = connect_writer(&file).map_err(told)?;
    let now = clock.now();
    migrate::migrate(&mut conn, &file, now)?;
    let (installation, first_start) = install(&conn, &key, &*entropy, now)
        .map_err(told)?
        .ok_or_else(|| OpenError::WrongKey { file: file.clone() })?;
    release_deliveries(&conn).map_err(told)?;
    let memory = snapshot::load(&conn).map_err(told)?;
    let ears = Arc::new(Mutex::new(Ears::load(&conn).map_err(told)?));
    let report = OpenReport {
        installation,
        first_start,
        schema: migrate::SCHEMA,
        monitors: memory.rows.len(),
        warnings: network::warning(&directory).into_iter().collect(),
    };
    let spare = AtomicI64::new(next_incident(&conn).map_err(told)?);
    let readers = (0..reader::READERS)
        .map(|_| Ok(Reader { conn: connect_reader(&file)?, file: file.clone() }))
        .collect::<Result<Vec<_>>>()
        .map_err(told)?;

    let memory = Arc::new(RwLock::new(memory));
    let stats = Arc::<Stats>::default();
    let log_pages = count_log_pages(&mut conn).map_err(told)?;
    let writer = Writer {
        conn,
        file: file.clone(),
        memory: memory.clone(),
        ears: ears.clone(),
        journal: Journal::default(),
        key: key.clone(),
        entropy,
        clock: clock.clone(),
        stats: stats.clone(),
        log_pages,
        lock,
    };
    let (writer, readers) = start(writer, readers)?;
    let sqlite = Arc::new(Sqlite { file, memory, ears, writer, readers, key, clock, retention, spare });
    Ok(Opened { store: ports(&sqlite), report, handle: Handle { sqlite, stats } })
}

fn ports(sqlite: &Arc<Sqlite>) -> Store {
    Store {
        catalog: sqlite.clone(),
        states: sqlite.clone(),
        outcomes: sqlite.clone(),
        incidents: sqlite.clone(),
        deliveries: sqlite.clone(),
        timers: sqlite.clone(),
        leases: sqlite.clone(),
        accounts: sqlite.clone(),
        access: sqlite.clone(),
        beats: sqlite.clone(),
    }
}

/// Threads, not tasks: SQLite blocks. They end with `Handle::close`, or when nobody can call them any more.
fn start(
    writer: Writer,
    readers: Vec<Reader>,
) -> std::result::Result<(mpsc::Sender<writer::Message>, mpsc::Sender<reader::Message>), OpenError> {
    let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        thread.map(drop).map_err(|error| StoreError::Away(format!("no thread for it: {error}")))
    };
    let (to_writer, queue) = mpsc::channel(writer::WAITING);
    spawn("store-writer", Box::new(move || writer.serve(queue)))?;
    let (to_readers, queue) = mpsc::channel(reader::WAITING);
    let queue = Arc::new(Mutex::new(queue));
    for reader in readers {
        let queue = queue.clone();
        spawn("store-reader", Box::new(move || reader.serve(queue)))?;
    }
    Ok((to_writer, to_readers))
}

/// Only its owner may look into the directory: the database holds what probes have seen.
pub(super) fn create_directory(directory: &Path) -> std::result::Result<(), OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|source| OpenError::Directory { directory: directory.to_owned(), source })
}

/// Makes an empty file that only its owner may read, unless one is there; SQLite gives its log the same rights.
pub(super) fn create_file(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Every commit is synchronised (`FULL`); the log is copied by hand, after the answers (`writer`).
fn connect_writer(file: &Path) -> Result<Connection> {
    let conn = Connection::open(file)?;
    conn.set_prepared_statement_cache_capacity(96);
    conn.execute_batch(
        "PRAGMA busy_timeout = 5000;
         PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = OFF;
         PRAGMA secure_delete = OFF;
         PRAGMA mmap_size = 0;
         PRAGMA cache_size = -2048;",
    )?;
    Ok(conn)
}

fn connect_reader(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.set_prepared_statement_cache_capacity(32);
    conn.execute_batch(
        "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -512;",
    )?;
    Ok(conn)
}

/// Told by SQLite after each commit.
fn count_log_pages(conn: &mut Connection) -> Result<Arc<AtomicUsize>> {
    let pages = Arc::<AtomicUsize>::default();
    let told = pages.clone();
    conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: i32| {
        told.store(usize::try_from(count).unwrap_or(0), Relaxed);
        Ok(())
    }))?;
    Ok(pages)
}

/// The identity and first start of the installation, made at the first one; nothing under a wrong key.
fn install(
    conn: &Connection,
    key: &SealKey,
    entropy: &dyn Entropy,
    now: Instant,
) -> Result<Option<(u128, Instant)>> {
    let sql = "INSERT INTO installation (id, identity, first_start, canary) VALUES (1, ?1, ?2, ?3)
               ON CONFLICT (id) DO NOTHING";
    let identity = entropy.bits().to_be_bytes();
    conn.execute(sql, params![identity, now.ms(), key.seal("installation", CANARY, entropy)])?;
    let sql = "SELECT identity, first_start, canary FROM installation";
    let stored = conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let (identity, first_start, canary): ([u8; 16], i64, Vec<u8>) =
        stored.ok_or_else(|| Fault::damaged("installation", "its row is not there"))?;
    let fits = key.open("installation", &canary).is_some_and(|text| text == CANARY);
    Ok(fits.then(|| (u128::from_be_bytes(identity), Instant::from_ms(first_start))))
}

/// Leases of deliveries belong to the life of a process, and the one that took them is dead. `sending_since` stays:
/// the next lease records that attempt as unknown.
fn release_deliveries(conn: &Connection) -> Result<()> {
    conn.execute("UPDATE deliveries SET leased_until = NULL WHERE leased_until IS NOT NULL", [])?;
    Ok(())
}

/// After every incident that ever was: ids are not used twice.
fn next_incident(conn: &Connection) -> Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'incidents'";
    let newest: Option<i64> = conn.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(newest.unwrap_or(0) + 1)
}
