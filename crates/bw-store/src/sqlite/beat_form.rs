//! What a beat says, in some thirty bytes: everything of it but its number, instant and body, which are columns.

use crate::pack::Damaged;
use crate::track::micros;
use crate::varint::{put, put_signed, take, take_byte, take_signed};
use bw_domain::beat::{Beat, RunId, Signal, Taken, Via};
use bw_domain::id::MonitorId;
use bw_domain::port::store::BeatRow;
use bw_domain::time::{Duration, Instant};

// What follows; the lowest three bits are the signal.
const IGNORED: u64 = 1 << 3;
const HAPPENED: u64 = 1 << 4;
const RUN: u64 = 1 << 5;
const DURATION: u64 = 1 << 6;
const SLOT: u64 = 1 << 7;

/// Words that nearly every beat comes with; the others are written out.
const WORDS: [&str; 7] = ["", "https", "http", "POST", "GET", "HEAD", "PUT"];

/// Appends the bytes of a beat.
pub(super) fn pack(out: &mut Vec<u8>, beat: &Beat, taken: &Taken) {
    let (signal, exit) = match beat.signal {
        Signal::Success => (0, None),
        Signal::Start => (1, None),
        Signal::Fail => (2, None),
        Signal::Log => (3, None),
        Signal::Exit(status) => (4, Some(status)),
    };
    let flag = |set: bool, flag: u64| if set { flag } else { 0 };
    let flags = signal
        | flag(beat.ignored, IGNORED)
        | flag(beat.happened.is_some(), HAPPENED)
        | flag(beat.run.is_some(), RUN)
        | flag(taken.duration.is_some(), DURATION)
        | flag(taken.slot.is_some(), SLOT);
    put(out, flags);
    out.extend(exit);
    let from = |at: Instant| at.ms().wrapping_sub(beat.at.ms());
    beat.happened.iter().for_each(|at| put_signed(out, from(*at)));
    beat.run.iter().for_each(|run| out.extend(run.0.to_le_bytes()));
    taken.duration.iter().for_each(|took| put(out, micros(*took)));
    taken.slot.iter().for_each(|slot| put_signed(out, from(*slot)));
    let Via { scheme, method, remote, agent } = &beat.via;
    for text in [scheme, method, remote, agent] {
        match WORDS.iter().position(|word| **word == **text) {
            Some(word) => out.push(word as u8),
            None => {
                put(out, (text.len() + WORDS.len()) as u64);
                out.extend(text.as_bytes());
            }
        }
    }
}

/// The columns of a beat's row.
pub(super) struct Columns<'r> {
    pub monitor: MonitorId,
    pub number: u64,
    pub at: Instant,
    pub body_bytes: u32,
    pub form: &'r [u8],
}

/// The inverse of [`pack`].
pub(super) fn unpack(columns: Columns<'_>) -> Result<BeatRow, Damaged> {
    let (monitor, number) = (columns.monitor, columns.number);
    let mut rest = columns.form;
    let row = read(&columns, &mut rest).filter(|_| rest.is_empty());
    row.ok_or_else(|| Damaged::new("beat", format!("number {number} of monitor {monitor} cannot be read")))
}

fn read(columns: &Columns<'_>, bytes: &mut &[u8]) -> Option<BeatRow> {
    let Columns { monitor, number, at, body_bytes, .. } = *columns;
    let flags = take(bytes)?;
    let signal = match flags & 7 {
        0 => Signal::Success,
        1 => Signal::Start,
        2 => Signal::Fail,
        3 => Signal::Log,
        4 => Signal::Exit(take_byte(bytes)?),
        _ => return None,
    };
    let has = |flag: u64| flags & flag != 0;
    let from = |bytes: &mut &[u8]| {
        take_signed(bytes).map(|distance| Instant::from_ms(at.ms().wrapping_add(distance)))
    };
    let happened = if has(HAPPENED) { Some(from(bytes)?) } else { None };
    let run = if has(RUN) { Some(read_run(bytes)?) } else { None };
    let duration = if has(DURATION) { Some(Duration::from_micros(take(bytes)?)) } else { None };
    let slot = if has(SLOT) { Some(from(bytes)?) } else { None };
    let (scheme, method) = (read_text(bytes)?, read_text(bytes)?);
    let via = Via { scheme, method, remote: read_text(bytes)?, agent: read_text(bytes)? };
    let ignored = has(IGNORED);
    Some(BeatRow { monitor, number, at, happened, signal, ignored, run, duration, slot, via, body_bytes })
}

fn read_run(bytes: &mut &[u8]) -> Option<RunId> {
    let (run, rest) = bytes.split_first_chunk::<16>()?;
    *bytes = rest;
    Some(RunId(u128::from_le_bytes(*run)))
}

fn read_text(bytes: &mut &[u8]) -> Option<Box<str>> {
    let length = usize::try_from(take(bytes)?).ok()?;
    if let Some(word) = WORDS.get(length) {
        return Some((*word).into());
    }
    let (text, rest) = bytes.split_at_checked(length - WORDS.len())?;
    *bytes = rest;
    std::str::from_utf8(text).ok().map(Into::into)
}
