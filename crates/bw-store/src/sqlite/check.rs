//! Looking after the file from outside: is it sound, a copy while it is in use, and a copy put back.

use super::days::{self, Day, Place};
use super::error::{Fault, Result};
use super::lock::Lock;
use super::migrate::{SCHEMA, schema};
use super::open::{FILE, OpenError, create_directory, create_file};
use super::tracks::Kept;
use bw_domain::port::store::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub file: PathBuf,
    pub schema: i64,
    pub monitors: i64,
    pub incidents: i64,
    /// Sentences; a sound database has none.
    pub problems: Vec<String>,
}

/// Why a copy was not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{file} is not a sound backup: {problem}")]
    NotSound { file: PathBuf, problem: String },
    #[error("{file} cannot be copied")]
    Copy { file: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// What must be true between the tables: each statement counts what is wrong.
const INVARIANTS: [(&str, &str); 6] = [
    (
        "open incidents of monitors that are not there",
        "SELECT count(*) FROM incidents i
      WHERE i.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM monitors m WHERE m.id = i.monitor)",
    ),
    (
        "entries of timelines without an incident",
        "SELECT count(*) FROM timeline t
      WHERE NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = t.incident)",
    ),
    (
        "deliveries without their event",
        "SELECT count(*) FROM deliveries d
      WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = d.event)",
    ),
    (
        "deliveries of events that were never routed",
        "SELECT count(*) FROM deliveries d
      JOIN events e ON e.seq = d.event WHERE e.routed = 0",
    ),
    (
        "monitors without their present revision",
        "SELECT count(*) FROM monitors m
      WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.monitor = m.id AND r.revision = m.revision)",
    ),
    (
        "periods without their table",
        "SELECT count(*) FROM periods p
      WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema s WHERE s.name = 'outcomes_' || p.period)",
    ),
];

/// The same of heartbeats, in databases that know them.
const BEATS: [(&str, &str); 3] = [
    (
        "tracks of heartbeats that are not there",
        "SELECT count(*) FROM tracks t WHERE NOT EXISTS (SELECT 1 FROM monitors m WHERE m.id = t.monitor)",
    ),
    (
        "days of beats without their table",
        "SELECT count(*) FROM beat_days d
      WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema s WHERE s.name = 'beats_' || d.day)",
    ),
    (
        "days of beats that do not go on where the one before ends",
        "SELECT count(*) FROM beat_days d JOIN beat_days n ON n.day = d.day + 1 WHERE n.first IS NOT d.last + 1",
    ),
];
/// The first schema that knows them.
const WITH_BEATS: i64 = 2;

/// Reads the whole database of a directory, which may be in use.
pub fn check(directory: &Path) -> std::result::Result<CheckReport, StoreError> {
    let file = directory.join(FILE);
    inspect(&file).map_err(|fault| fault.tell(&file))
}

fn inspect(file: &Path) -> Result<CheckReport> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut report = CheckReport { file: file.to_owned(), schema: schema(&conn)?, ..CheckReport::default() };
    let mut statement = conn.prepare("PRAGMA integrity_check(100)")?;
    let found = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    report.problems.extend(found.into_iter().filter(|line| line != "ok"));
    // An older one is brought up to date when it is opened.
    if !(1..=SCHEMA).contains(&report.schema) {
        let sentence = format!("its schema is {}, this Bellwether knows {SCHEMA}", report.schema);
        report.problems.push(sentence);
        return Ok(report);
    }
    let count = |sql: &str| Ok::<i64, Fault>(conn.query_row(sql, [], |row| row.get(0))?);
    let beats = report.schema >= WITH_BEATS;
    for (what, sql) in INVARIANTS.iter().chain(BEATS.iter().filter(|_| beats)) {
        match count(sql)? {
            0 => {}
            number => report.problems.push(format!("{number} {what}")),
        }
    }
    chains(&conn, &mut report.problems)?;
    if beats {
        beat_chains(&conn, &mut report.problems)?;
        unread_tracks(&conn, &mut report.problems)?;
    }
    report.monitors = count("SELECT count(*) FROM monitors WHERE deleted_at IS NULL")?;
    report.incidents = count("SELECT count(*) FROM incidents")?;
    Ok(report)
}

/// Every outcome that points back points at an outcome of the same monitor.
fn chains(conn: &Connection, problems: &mut Vec<String>) -> Result<()> {
    let sql =
        "SELECT p.period FROM periods p JOIN sqlite_schema s ON s.name = 'outcomes_' || p.period ORDER BY 1";
    let mut statement = conn.prepare(sql)?;
    let periods = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i32>>>()?;
    for period in periods {
        let sql = format!(
            "SELECT count(*) FROM outcomes_{period} o LEFT JOIN outcomes_{period} p ON p.id = o.id - o.back
             WHERE o.back > 0 AND p.monitor IS NOT o.monitor"
        );
        match conn.query_row(&sql, [], |row| row.get(0))? {
            0i64 => {}
            broken => problems.push(format!("{broken} broken chains of outcomes in period {period}")),
        }
    }
    Ok(())
}

/// Every beat that points back within its day points at the one before it of the same heartbeat.
fn beat_chains(conn: &Connection, problems: &mut Vec<String>) -> Result<()> {
    for Day { day, first, .. } in days::all(conn)? {
        let sql = format!(
            "SELECT count(*) FROM beats_{day} b LEFT JOIN beats_{day} p ON p.id = b.id - b.back
             WHERE b.back > 0 AND b.id - b.back >= ?1
             AND (p.monitor IS NOT b.monitor OR p.number IS NOT b.number - 1)"
        );
        match conn.query_row(&sql, [first], |row| row.get(0)) {
            Ok(0i64) => {}
            Ok(broken) => problems.push(format!("{broken} broken chains of beats in day {day}")),
            // A table that is not there was told above.
            Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::Unknown => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Every track can be read.
fn unread_tracks(conn: &Connection, problems: &mut Vec<String>) -> Result<()> {
    let mut statement = conn.prepare("SELECT track FROM tracks")?;
    let mut rows = statement.query([])?;
    let mut unread = 0;
    while let Some(row) = rows.next()? {
        unread += usize::from(Kept::read(row.get(0)?, Place::default()).is_err());
    }
    if unread > 0 {
        problems.push(format!("{unread} tracks of heartbeats that cannot be read"));
    }
    Ok(())
}

/// Writes a copy to a file that is not there yet; the database may be in use. Secrets in it stay sealed: keep
/// `secret.key` too, and elsewhere.
pub fn backup(directory: &Path, to: &Path) -> std::result::Result<(), StoreError> {
    let file = directory.join(FILE);
    if to.exists() {
        return Err(StoreError::Invalid(format!("{} is there already", to.display())));
    }
    // An empty file with the right permissions: SQLite fills it.
    create_file(to).map_err(|error| StoreError::Away(format!("{}: {error}", to.display())))?;
    let copy = || -> Result<()> {
        let conn = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    };
    copy().map_err(|fault| fault.tell(&file))
}

/// Puts a copy in the place of a directory's database. What was there is kept beside it, under the name that is
/// answered.
pub fn restore(directory: &Path, from: &Path) -> std::result::Result<Option<PathBuf>, RestoreError> {
    let unsound = |problem: String| RestoreError::NotSound { file: from.to_owned(), problem };
    let report = inspect(from).map_err(|fault| unsound(fault.tell(from).to_string()))?;
    if let Some(problem) = report.problems.into_iter().next() {
        return Err(unsound(problem));
    }
    create_directory(directory)?;
    let _alone = Lock::take(directory)?;
    let copy = || -> std::io::Result<Option<PathBuf>> {
        let half = directory.join("restored.part");
        create_file(&half)?;
        let mut copy = std::fs::File::create(&half)?;
        std::io::copy(&mut std::fs::File::open(from)?, &mut copy)?;
        copy.sync_all()?;
        let kept = set_aside(directory)?;
        std::fs::rename(&half, directory.join(FILE))?;
        std::fs::File::open(directory)?.sync_all()?;
        Ok(kept)
    };
    copy().map_err(|source| RestoreError::Copy { file: from.to_owned(), source })
}

/// Renames the database with its log, which is a part of it.
fn set_aside(directory: &Path) -> std::io::Result<Option<PathBuf>> {
    let file = directory.join(FILE);
    if !file.exists() {
        return Ok(None);
    }
    let name = |number: u32| directory.join(format!("replaced-{number}.db"));
    let kept = (1..).map(name).find(|path| !path.exists()).expect("numbers do not run out");
    for suffix in ["-wal", "-shm", ""] {
        let with = |path: &Path| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        if with(&file).exists() {
            std::fs::rename(with(&file), with(&kept))?;
        }
    }
    Ok(Some(kept))
}
