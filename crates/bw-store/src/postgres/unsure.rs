//! Batches of beats whose commit was not answered: the connection was lost, or nobody waited any longer. Whoever offers
//! such beats again is told what has become of them before; none is kept twice.
//!
//! Must hold: a batch is noted before its commit is sent, and forgotten only when it is known what has become of it. It
//! is known by one of its beats, with the id that only this batch was given: all are kept or none.

use super::Postgres;
use super::conn::{Conn, params};
use super::error::Result;
use bw_domain::beat::Beat;
use bw_domain::port::store::{Appended, Incoming};
use std::sync::{Arc, Mutex, PoisonError};

/// Batches that are remembered. One process has one under way, or a few; it offers them again until it knows.
const REMEMBERED: usize = 16;

/// One of a batch's beats, as it would be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub monitor: i64,
    pub number: i64,
    pub day: i32,
    pub id: i64,
}

/// A batch that is being committed.
pub(super) struct Offered {
    pub mark: Mark,
    pub beats: Arc<Vec<Incoming>>,
    pub answers: Vec<Appended>,
}

struct Batch {
    offered: Offered,
    /// Found in the database.
    kept: bool,
    /// Which of its beats were answered.
    told: Vec<bool>,
}

/// All batches in doubt.
#[derive(Default)]
pub(super) struct Unsure {
    batches: Mutex<Vec<Batch>>,
    /// One asks at a time.
    asking: tokio::sync::Mutex<()>,
}

/// A commit that is under way: unless it is settled, the batch is in doubt.
pub(super) struct Doubt {
    unsure: Arc<Unsure>,
    offered: Option<Offered>,
}

/// What is known of beats that are offered: the batch by its id, the place in it, the answer.
pub(super) type Known = Vec<Option<(i64, usize, Appended)>>;

impl Unsure {
    /// Before the commit is sent.
    pub fn committing(self: &Arc<Self>, offered: Offered) -> Doubt {
        Doubt { unsure: self.clone(), offered: Some(offered) }
    }

    /// What has become of these beats, where they were in a batch in doubt; nothing where there is none.
    pub async fn ask(&self, store: &Postgres, beats: &[Incoming]) -> Result<Known> {
        let marks = self.marks(beats);
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let _one = self.asking.lock().await;
        let conn = store.conn().await?;
        for mark in self.marks(beats) {
            let kept = is_kept(&conn, mark).await?;
            self.with(|batches| {
                if kept {
                    batches
                        .iter_mut()
                        .filter(|batch| batch.offered.mark == mark)
                        .for_each(|batch| batch.kept = true);
                } else {
                    batches.retain(|batch| batch.offered.mark != mark);
                }
            });
        }
        Ok(self.with(|batches| known(batches, beats)))
    }

    /// These were answered.
    pub fn told(&self, known: &Known) {
        self.with(|batches| {
            for (id, place, _) in known.iter().flatten() {
                let batch = batches.iter_mut().find(|batch| batch.offered.mark.id == *id);
                if let Some(told) = batch.and_then(|batch| batch.told.get_mut(*place)) {
                    *told = true;
                }
            }
            batches.retain(|batch| batch.told.contains(&false));
        });
    }

    /// The batches that hold one of these.
    fn marks(&self, beats: &[Incoming]) -> Vec<Mark> {
        self.with(|batches| {
            let holds = |batch: &&mut Batch| {
                let own = &batch.offered.beats;
                own.iter().any(|own| beats.iter().any(|beat| same(&own.beat, &beat.beat)))
            };
            batches.iter_mut().filter(holds).map(|batch| batch.offered.mark).collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Batch>) -> T) -> T {
        work(&mut self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Doubt {
    /// It is durable.
    pub fn settled(mut self) -> Vec<Appended> {
        self.offered.take().map(|offered| offered.answers).unwrap_or_default()
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        let Some(offered) = self.offered.take() else { return };
        self.unsure.with(|batches| {
            if batches.len() == REMEMBERED {
                let forgotten = batches.remove(0).offered.beats.len();
                tracing::warn!(beats = forgotten, "nobody asked again whether these beats were kept");
            }
            let told = vec![false; offered.beats.len()];
            batches.push(Batch { offered, kept: false, told });
        });
    }
}

/// Each beat of a kept batch stands for one that is offered.
fn known(batches: &[Batch], beats: &[Incoming]) -> Known {
    let mut given: Vec<Vec<bool>> = batches.iter().map(|batch| batch.told.clone()).collect();
    let find = |incoming: &Incoming| {
        for (batch, given) in batches.iter().zip(&mut given).filter(|(batch, _)| batch.kept) {
            let own = batch.offered.beats.iter().zip(given.iter_mut()).enumerate();
            let mut free = own.filter(|(_, (own, given))| !**given && same(&own.beat, &incoming.beat));
            if let Some((place, (_, given))) = free.next() {
                *given = true;
                let answer = batch.offered.answers.get(place)?;
                return Some((batch.offered.mark.id, place, *answer));
            }
        }
        None
    };
    beats.iter().map(find).collect()
}

/// Most differ in the first two.
fn same(one: &Beat, other: &Beat) -> bool {
    one.monitor == other.monitor && one.at == other.at && one == other
}

/// Waits until whoever commits it has ended, and looks.
async fn is_kept(conn: &Conn, mark: Mark) -> Result<bool> {
    let ended = "SELECT 1 FROM tracks WHERE monitor = $1 FOR NO KEY UPDATE";
    conn.query(ended, params![mark.monitor]).await?;
    let sql = "SELECT 1 FROM beats WHERE monitor = $1 AND number = $2 AND day = $3 AND id = $4";
    let row = conn.first(sql, params![mark.monitor, mark.number, mark.day, mark.id]).await?;
    Ok(row.is_some())
}
