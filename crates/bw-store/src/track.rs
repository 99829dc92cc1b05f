//! A heartbeat's track in some twenty bytes: it moves with every beat, and a million of them are in memory.
//!
//! Everything comes back as it was; of durations what is below a microsecond is lost. Instants are told by their
//! distance from the last beat. The first byte is the form, so that another one can follow.

use crate::pack::Damaged;
use crate::varint::{put, put_signed, take, take_byte, take_signed};
use bw_domain::beat::{Fell, Run, RunId, Track};
use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};

const FORM: u8 = 1;

// What follows; the lowest two bits are the health.
const FAILED: u16 = 1 << 2;
const EXIT: u16 = 1 << 3;
const LAST_AT: u16 = 1 << 4;
const LAST_BEAT: u16 = 1 << 5;
const DURATION: u16 = 1 << 6;
const RUNS: u16 = 1 << 7;
const FELL: u16 = 1 << 8;
const FELL_EXIT: u16 = 1 << 9;
const DUE: u16 = 1 << 10;

/// The bytes of a track.
pub(crate) fn pack(track: &Track) -> Box<[u8]> {
    let Track { count, last_at, last_beat, failed, exit, duration, runs, fell, revision, due, health } =
        track;
    let flag = |set: bool, flag: u16| if set { flag } else { 0 };
    let flags = flag(*health != Health::Unknown, 1 + u16::from(*health == Health::Down))
        | flag(*failed, FAILED)
        | flag(exit.is_some(), EXIT)
        | flag(last_at.is_some(), LAST_AT)
        | flag(last_beat.is_some(), LAST_BEAT)
        | flag(duration.is_some(), DURATION)
        | flag(!runs.is_empty(), RUNS)
        | flag(fell.is_some(), FELL)
        | flag(fell.is_some_and(|fell| fell.exit.is_some()), FELL_EXIT)
        | flag(due.is_some(), DUE);
    let origin = last_at.unwrap_or_default().ms();
    let mut out = Vec::with_capacity(40);
    let far = |out: &mut Vec<u8>, at: Instant| put_signed(out, at.ms().wrapping_sub(origin));
    out.push(FORM);
    put(&mut out, u64::from(flags));
    put(&mut out, *count);
    put(&mut out, u64::from(*revision));
    if last_at.is_some() {
        put_signed(&mut out, origin);
    }
    last_beat.iter().for_each(|at| far(&mut out, *at));
    out.extend(exit);
    duration.iter().for_each(|took| put(&mut out, micros(*took)));
    due.iter().for_each(|at| far(&mut out, *at));
    if let Some(Fell { at, number, exit }) = fell {
        far(&mut out, *at);
        put(&mut out, *number);
        out.extend(exit);
    }
    if !runs.is_empty() {
        put(&mut out, runs.len() as u64);
        for Run { id, at } in runs {
            far(&mut out, *at);
            out.push(u8::from(id.is_some()));
            id.iter().for_each(|id| out.extend(id.0.to_le_bytes()));
        }
    }
    out.into_boxed_slice()
}

/// The inverse of [`pack`].
pub(crate) fn unpack(bytes: &[u8]) -> Result<Track, Damaged> {
    let mut rest = bytes;
    let track = read(&mut rest).filter(|_| rest.is_empty());
    track.ok_or_else(|| Damaged::new("track of a heartbeat", "it cannot be read"))
}

fn read(bytes: &mut &[u8]) -> Option<Track> {
    if take_byte(bytes)? != FORM {
        return None;
    }
    let flags = u16::try_from(take(bytes)?).ok()?;
    let has = |flag: u16| flags & flag != 0;
    let health = match flags & 3 {
        0 => Health::Unknown,
        1 => Health::Up,
        2 => Health::Down,
        _ => return None,
    };
    let count = take(bytes)?;
    let revision = u32::try_from(take(bytes)?).ok()?;
    let origin = if has(LAST_AT) { take_signed(bytes)? } else { 0 };
    let far = |bytes: &mut &[u8]| {
        take_signed(bytes).map(|distance| Instant::from_ms(origin.wrapping_add(distance)))
    };
    let mut track = Track {
        count,
        last_at: has(LAST_AT).then(|| Instant::from_ms(origin)),
        failed: has(FAILED),
        revision,
        health,
        ..Track::default()
    };
    if has(LAST_BEAT) {
        track.last_beat = Some(far(bytes)?);
    }
    if has(EXIT) {
        track.exit = Some(take_byte(bytes)?);
    }
    if has(DURATION) {
        track.duration = Some(Duration::from_micros(take(bytes)?));
    }
    if has(DUE) {
        track.due = Some(far(bytes)?);
    }
    if has(FELL) {
        let (at, number) = (far(bytes)?, take(bytes)?);
        let exit = if has(FELL_EXIT) { Some(take_byte(bytes)?) } else { None };
        track.fell = Some(Fell { at, number, exit });
    }
    if has(RUNS) {
        for _ in 0..take(bytes)? {
            let at = far(bytes)?;
            let id = match take_byte(bytes)? {
                0 => None,
                _ => {
                    let (id, rest) = bytes.split_first_chunk::<16>()?;
                    *bytes = rest;
                    Some(RunId(u128::from_le_bytes(*id)))
                }
            };
            track.runs.push(Run { id, at });
        }
    }
    Some(track)
}

/// As durations are kept.
pub(crate) fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Instant {
        Instant::from_ms(1_795_262_400_000 + ms)
    }

    #[test]
    fn tracks_come_back() {
        let usual = Track {
            count: 70_000,
            last_at: Some(at(0)),
            last_beat: Some(at(0)),
            duration: Some(Duration::from_micros(12_345_678)),
            revision: 3,
            due: Some(at(86_400_000)),
            health: Health::Up,
            ..Track::default()
        };
        assert!(pack(&usual).len() <= 24, "{}", pack(&usual).len());
        let failed = Track {
            failed: true,
            exit: Some(7),
            last_beat: Some(at(-5_000)),
            fell: Some(Fell { at: at(-9_000), number: 69_999, exit: Some(255) }),
            due: Some(at(0)),
            health: Health::Down,
            runs: [Run { id: Some(RunId(u128::MAX)), at: at(-1) }, Run { id: None, at: at(1) }]
                .into_iter()
                .collect(),
            ..usual.clone()
        };
        let told =
            Track { fell: Some(Fell { at: at(1), number: 1, exit: None }), due: None, ..usual.clone() };
        let wild = Track {
            count: u64::MAX,
            last_at: Some(Instant::from_ms(i64::MAX)),
            last_beat: Some(Instant::from_ms(i64::MIN)),
            revision: u32::MAX,
            ..Track::default()
        };
        for track in [Track::default(), usual, failed, told, wild] {
            let packed = pack(&track);
            assert_eq!(unpack(&packed).unwrap(), track);
            for cut in 0..packed.len() {
                assert!(unpack(&packed[..cut]).is_err(), "{cut} of {}", packed.len());
            }
        }
        assert!(unpack(&[2]).is_err());
    }
}
