//! How far the beats of each node are in, and when nobody could hear. It is said four times a second, so it is in memory
//! alone: a lock of its own, because the writer holds that of the rows while it synchronises.
//!
//! On disk is the furthest that was ever said, written with every transaction that there is anyway, else every two
//! seconds: after `kill -9` the time that is taken for deaf is so much too long, never too short. Leases belong to the
//! life of the process, as all of them do here. What a node could not hear is on disk before anybody sees that it hears on.

use super::error::Result;
use super::tx::Tx;
use bw_domain::beat::Deaf;
use bw_domain::limits::{DEAF_KEPT, DEAF_MIN, HEARING_LEASE};
use bw_domain::port::store::{Hearing, NodeId};
use bw_domain::time::{Duration, Instant};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// A process that is killed has forgotten at most this of how far it was.
const UNSAID_MAX: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
struct Voice {
    until: Instant,
    lease: Instant,
}

/// All nodes of this process, of which there is one, but for tests.
#[derive(Debug, Default)]
pub(super) struct Ears {
    voices: BTreeMap<NodeId, Voice>,
    /// The furthest that any has ever said.
    furthest: Option<Instant>,
    /// What of it is on disk, and since when, on the clock that only goes forward.
    written: Option<Instant>,
    written_at: Duration,
    /// In the order of their beginning.
    deaf: Vec<Deaf>,
}

/// What is said in a transaction, and counts when that is committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    Begins { node: NodeId, until: Instant, deaf: Option<Deaf> },
    Hears(Hearing),
    Ends(NodeId),
}

impl Said {
    fn until(&self) -> Option<Instant> {
        match self {
            Said::Begins { until, .. } | Said::Hears(Hearing { until, .. }) => Some(*until),
            Said::Ends(_) => None,
        }
    }
}

impl Ears {
    /// As it was on disk at start. Nobody hears.
    pub fn load(conn: &Connection) -> Result<Self> {
        let furthest: Option<i64> =
            conn.query_row("SELECT heard_until FROM beat_marks", [], |row| row.get(0))?;
        let furthest = furthest.map(Instant::from_ms);
        let mut statement = conn.prepare("SELECT from_at, to_at FROM deaf ORDER BY from_at, id")?;
        let deaf = statement.query_map([], |row| {
            Ok(Deaf { from: Instant::from_ms(row.get(0)?), to: Instant::from_ms(row.get(1)?) })
        })?;
        let deaf = deaf.collect::<rusqlite::Result<_>>()?;
        Ok(Ears { furthest, written: furthest, deaf, ..Ears::default() })
    }

    /// The time in which nobody heard, where a node begins now.
    pub fn deaf_until(&self, node: NodeId, now: Instant, clock: Instant) -> Option<Deaf> {
        let others = self.voices.iter().any(|(other, voice)| *other != node && voice.lease > clock);
        let from = self.furthest.filter(|from| !others && now.since(*from) >= DEAF_MIN)?;
        Some(Deaf { from, to: now })
    }

    /// A node says how far it is. True: it is to be written, though nothing else is.
    pub fn hear(&mut self, node: NodeId, until: Instant, clock: Instant, monotonic: Duration) -> bool {
        let lease = clock + HEARING_LEASE;
        let voice = self.voices.entry(node).or_insert(Voice { until, lease });
        (voice.until, voice.lease) = (voice.until.max(until), lease);
        self.furthest = self.furthest.max(Some(until));
        self.furthest > self.written && monotonic.saturating_sub(self.written_at) >= UNSAID_MAX
    }

    /// Up to when all are in who are waited for.
    pub fn heard_until(&self, clock: Instant) -> Option<Instant> {
        self.voices.values().filter(|voice| voice.lease > clock).map(|voice| voice.until).min()
    }

    /// When nobody could hear.
    pub fn deaf(&self) -> &[Deaf] {
        &self.deaf
    }

    /// What is to be written before a transaction that says this is committed.
    pub fn unwritten(&self, said: &[Said]) -> Option<Instant> {
        let furthest = said.iter().filter_map(Said::until).max().max(self.furthest);
        furthest.filter(|_| furthest > self.written)
    }

    /// What was said in a transaction that was committed, and what was written of it.
    pub fn committed(&mut self, said: Vec<Said>, written: Option<Instant>, now: (Instant, Duration)) {
        let (clock, monotonic) = now;
        if written.is_some() {
            (self.written, self.written_at) = (written, monotonic);
        }
        for said in said {
            match said {
                Said::Begins { node, until, deaf } => {
                    self.note(deaf);
                    self.voices.insert(node, Voice { until, lease: clock + HEARING_LEASE });
                    self.furthest = self.furthest.max(Some(until));
                }
                Said::Hears(Hearing { node, until, deaf }) => {
                    self.note(deaf);
                    self.hear(node, until, clock, monotonic);
                }
                Said::Ends(node) => drop(self.voices.remove(&node)),
            }
        }
    }

    fn note(&mut self, deaf: Option<Deaf>) {
        let Some(deaf) = deaf else { return };
        let place = self.deaf.partition_point(|other| other.from <= deaf.from);
        self.deaf.insert(place, deaf);
        let beyond = self.deaf.len().saturating_sub(DEAF_KEPT);
        self.deaf.drain(..beyond);
    }
}

/// Says it in the transaction.
pub(super) fn say(tx: &mut Tx<'_>, said: Said) -> Result<()> {
    if let Said::Begins { deaf: Some(deaf), .. } | Said::Hears(Hearing { deaf: Some(deaf), .. }) = &said {
        let sql = "INSERT INTO deaf (from_at, to_at) VALUES (?1, ?2)";
        tx.conn.prepare_cached(sql)?.execute(params![deaf.from.ms(), deaf.to.ms()])?;
        let sql = "DELETE FROM deaf WHERE id IN
                   (SELECT id FROM deaf ORDER BY from_at DESC, id DESC LIMIT -1 OFFSET ?1)";
        tx.conn.prepare_cached(sql)?.execute([DEAF_KEPT as i64])?;
    }
    tx.staged.said.push(said);
    Ok(())
}

/// Writes how far all were, with the transaction that there is.
pub(super) fn write(conn: &Connection, until: Instant) -> Result<()> {
    conn.prepare_cached("UPDATE beat_marks SET heard_until = ?1")?.execute([until.ms()])?;
    Ok(())
}
