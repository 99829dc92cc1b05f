//! Beats into the transaction, and whatever else moves a track: each is one appended row.

use super::beat_form;
use super::days::{NewBeat, NewRow, Place};
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
    let mut form = Vec::with_capacity(128);
    let mut answers = Vec::with_capacity(batch.len());
    for incoming in batch {
        answers.push(match tx.row(incoming.beat.monitor) {
            Some(_) => Appended::Taken(keep(tx, incoming, &mut form)?),
            None => Appended::Gone,
        });
    }
    Ok(answers)
}

fn keep(tx: &mut Tx<'_>, incoming: &Incoming, form: &mut Vec<u8>) -> Result<Taken> {
    let Incoming { spec, beat } = incoming;
    let agreement = spec.beats().expect("it was admitted");
    let (mut track, place) = match tx.track(spec.id) {
        Some(kept) => (kept.track(), kept.place),
        None => (Track::default(), Place::default()),
    };
    let taken = track.take(agreement, spec.revision, beat);
    form.clear();
    beat_form::pack(form, beat, &taken);
    let beat = NewBeat { number: taken.number, at: beat.at, form, body: &beat.body };
    write(tx, spec.id, Kept::new(&track, place), Some(beat))?;
    Ok(taken)
}

/// A track that moved without a beat.
pub(super) fn write_track(tx: &mut Tx<'_>, monitor: MonitorId, track: &Track) -> Result<()> {
    let place = tx.track(monitor).map_or_else(Place::default, |kept| kept.place);
    write(tx, monitor, Kept::new(track, place), None)
}

fn write(tx: &mut Tx<'_>, monitor: MonitorId, mut kept: Kept, beat: Option<NewBeat<'_>>) -> Result<()> {
    let row = NewRow { monitor, track: kept.packed(), beat };
    kept.place = tx.journal.days.append(tx.conn, tx.now, kept.place, &row)?;
    tx.staged.tracks.insert(monitor, Some(kept));
    Ok(())
}
