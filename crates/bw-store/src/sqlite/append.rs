//! Beats into the transaction, and whatever else moves a track: each is one appended row.

use super::beat_form;
use super::days::{Insert, NewBeat, NewRow, Place};
use super::error::Result;
use super::tracks::Kept;
use super::tx::Tx;
use bw_domain::beat::{Taken, Track};
use bw_domain::id::MonitorId;
use bw_domain::limits::BEAT_BODY_MAX;
use bw_domain::port::store::{Appended, Incoming, StoreError};

/// Whether all of them are beats of heartbeats; said before any of them comes near a transaction of others.
pub(super) fn admit(batch: &[Incoming]) -> std::result::Result<(), StoreError> {
    for Incoming { spec, beat } in batch {
        let wrong = match (beat.monitor == spec.id, spec.beats(), beat.body.len() <= BEAT_BODY_MAX) {
            (true, Some(_), true) => continue,
            (false, _, _) => format!("a beat of another monitor with the agreement of {}", spec.id),
            (_, None, _) => format!("monitor {} is no heartbeat", spec.id),
            (_, _, false) => format!("a beat of {} with a body of {} bytes", spec.id, beat.body.len()),
        };
        return Err(StoreError::Invalid(wrong));
    }
    Ok(())
}

/// Keeps the beats, one after the other.
pub(super) fn append(tx: &mut Tx<'_>, batch: &[Incoming]) -> Result<Vec<Appended>> {
    let is_there = |incoming: &Incoming| tx.row(incoming.spec.id).is_some();
    if !batch.iter().any(is_there) {
        return Ok(vec![Appended::Gone; batch.len()]);
    }
    with_rows(tx, |tx, insert| {
        let mut form = Vec::with_capacity(128);
        let mut answers = Vec::with_capacity(batch.len());
        for incoming in batch {
            answers.push(match tx.row(incoming.spec.id) {
                Some(_) => Appended::Taken(keep(tx, insert, incoming, &mut form)?),
                None => Appended::Gone,
            });
        }
        Ok(answers)
    })
}

/// Runs with the table of today. It is taken out for so long; after an error the transaction forgets it anyway.
fn with_rows<T>(tx: &mut Tx<'_>, run: impl FnOnce(&mut Tx<'_>, &mut Insert<'_>) -> Result<T>) -> Result<T> {
    let mut days = std::mem::take(&mut tx.journal.days);
    let value = run(tx, &mut days.insert(tx.conn, tx.now)?)?;
    tx.journal.days = days;
    Ok(value)
}

fn keep(tx: &mut Tx<'_>, insert: &mut Insert<'_>, incoming: &Incoming, form: &mut Vec<u8>) -> Result<Taken> {
    let Incoming { spec, beat } = incoming;
    let agreement = spec.beats().expect("it was admitted");
    let (mut track, place) = match tx.track(spec.id) {
        Some(kept) => (kept.track(), kept.place),
        None => (Track::default(), Place::default()),
    };
    let taken = track.take(agreement, spec.revision, beat);
    form.clear();
    beat_form::pack(form, beat, &taken);
    let mut kept = Kept::new(&track, place);
    let beat = NewBeat { number: taken.number, at: beat.at, form, body: &beat.body };
    kept.place =
        insert.append(place, &NewRow { monitor: spec.id, track: kept.packed(), beat: Some(beat) })?;
    tx.staged.tracks.insert(spec.id, Some(kept));
    Ok(taken)
}

/// A track that moved without a beat.
pub(super) fn write_track(tx: &mut Tx<'_>, monitor: MonitorId, track: &Track) -> Result<()> {
    let place = tx.track(monitor).map_or_else(Place::default, |kept| kept.place);
    let mut kept = Kept::new(track, place);
    let row = NewRow { monitor, track: kept.packed(), beat: None };
    kept.place = with_rows(tx, |_, insert| insert.append(place, &row))?;
    tx.staged.tracks.insert(monitor, Some(kept));
    Ok(())
}
