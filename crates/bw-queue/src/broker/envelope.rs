//! The message on the wire, one format for all brokers: a mark, a version, the installation, an instant before which
//! nobody should have it, the jobs, and a check of all that. Ids only, nothing secret.
//!
//! Numbers are of variable length and relative to the job before, so that 500 jobs are some 6 KB. What cannot be
//! read is an error that says why; no input panics, and none is taken for something else.

use bw_domain::id::MonitorId;
use bw_domain::job::Job;
use bw_domain::monitor::Vantage;
use bw_domain::time::Instant;

/// Jobs in one message at most: well below what a broker takes as one.
pub(crate) const MAX_JOBS: usize = 500;

const MARK: &[u8; 3] = b"BWJ";
const VERSION: u8 = 1;
const CHECK: usize = 4;
/// Mark, version and installation.
const HEAD: usize = 3 + 1 + 16;

/// What one message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub installation: u128,
    /// Who receives it earlier puts it back until then.
    pub not_before: Option<Instant>,
    pub jobs: Vec<Job>,
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is not a message of jobs")]
    Mark,
    #[error("it is written in version {0} of the format, and this program reads {VERSION}")]
    Version(u8),
    #[error("it is cut off or changed")]
    Broken,
}

impl Envelope {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + 16 + self.jobs.len() * 14);
        out.extend_from_slice(MARK);
        out.push(VERSION);
        out.extend_from_slice(&self.installation.to_le_bytes());
        put_signed(&mut out, self.not_before.map_or(0, Instant::ms));
        put(&mut out, self.jobs.len() as u64);
        let (mut monitor, mut slot) = (0i64, 0i64);
        for job in &self.jobs {
            put_signed(&mut out, job.monitor.0.wrapping_sub(monitor));
            put(&mut out, job.revision.into());
            put(&mut out, job.vantage.number().into());
            put_signed(&mut out, job.slot.ms().wrapping_sub(slot));
            out.push(job.r#try);
            put_signed(&mut out, job.start.ms().wrapping_sub(job.slot.ms()));
            put_signed(&mut out, job.not_after.ms().wrapping_sub(job.start.ms()));
            (monitor, slot) = (job.monitor.0, job.slot.ms());
        }
        let check = check(&out);
        out.extend_from_slice(&check);
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let version = bytes.strip_prefix(MARK).ok_or(Unreadable::Mark)?.first();
        match version {
            Some(&VERSION) => {}
            Some(&other) => return Err(Unreadable::Version(other)),
            None => return Err(Unreadable::Broken),
        }
        let (body, written) = bytes.split_last_chunk::<CHECK>().ok_or(Unreadable::Broken)?;
        if check(body) != *written {
            return Err(Unreadable::Broken);
        }
        read(body).ok_or(Unreadable::Broken)
    }
}

/// Everything but the check.
fn read(body: &[u8]) -> Option<Envelope> {
    let (head, mut rest) = body.split_at_checked(HEAD)?;
    let installation = u128::from_le_bytes(head.last_chunk::<16>().copied()?);
    let not_before = Some(take_signed(&mut rest)?).filter(|ms| *ms != 0).map(Instant::from_ms);
    let count = usize::try_from(take(&mut rest)?).ok().filter(|count| *count <= MAX_JOBS)?;
    let mut jobs: Vec<Job> = Vec::with_capacity(count);
    let (mut monitor, mut slot) = (0i64, 0i64);
    for _ in 0..count {
        monitor = monitor.wrapping_add(take_signed(&mut rest)?);
        let revision = u32::try_from(take(&mut rest)?).ok()?;
        let vantage = Vantage::from_number(u32::try_from(take(&mut rest)?).ok()?);
        slot = slot.wrapping_add(take_signed(&mut rest)?);
        let (&r#try, after) = rest.split_first()?;
        rest = after;
        let start = slot.wrapping_add(take_signed(&mut rest)?);
        let not_after = start.wrapping_add(take_signed(&mut rest)?);
        jobs.push(Job {
            monitor: MonitorId(monitor),
            revision,
            vantage,
            slot: Instant::from_ms(slot),
            r#try,
            start: Instant::from_ms(start),
            not_after: Instant::from_ms(not_after),
        });
    }
    rest.is_empty().then_some(Envelope { installation, not_before, jobs })
}

/// A broker does not change messages; a proxy, a person or another program may.
fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    check.copy_from_slice(&blake3::hash(bytes).as_bytes()[..CHECK]);
    check
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Small numbers are short on both sides of zero.
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_job() -> impl Strategy<Value = Job> {
        let times = (any::<i64>(), any::<i64>(), any::<i64>());
        // The family has three values in two bits.
        let vantage = (any::<u16>(), 0u32..3).prop_map(|(place, family)| u32::from(place) << 2 | family);
        (any::<i64>(), any::<u32>(), vantage, any::<u8>(), times).prop_map(
            |(monitor, revision, vantage, r#try, (slot, start, not_after))| Job {
                monitor: MonitorId(monitor),
                revision,
                vantage: Vantage::from_number(vantage),
                slot: Instant::from_ms(slot),
                r#try,
                start: Instant::from_ms(start),
                not_after: Instant::from_ms(not_after),
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            installation: u128,
            later in proptest::option::of(1..i64::MAX),
            jobs in proptest::collection::vec(any_job(), 0..40),
        ) {
            let envelope = Envelope { installation, not_before: later.map(Instant::from_ms), jobs };
            prop_assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
        }

        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            prop_assert!(Envelope::decode(&bytes).is_err());
            let marked = [MARK.as_slice(), &[VERSION], &bytes].concat();
            prop_assert!(Envelope::decode(&marked).is_err());
            // Nor where the check holds by somebody's intent.
            let sealed = [marked.as_slice(), &check(&marked)].concat();
            if let Ok(envelope) = Envelope::decode(&sealed) {
                prop_assert!(envelope.jobs.len() <= MAX_JOBS);
            }
        }

        #[test]
        fn a_change_of_one_byte_is_seen(
            jobs in proptest::collection::vec(any_job(), 1..5), at: prop::sample::Index, flip in 1..=255u8,
        ) {
            let mut bytes = Envelope { installation: 7, not_before: None, jobs }.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Envelope::decode(&bytes).is_err());
        }
    }

    #[test]
    fn the_worst_message_fits_and_the_usual_one_is_small() {
        let usual = |number: i64| {
            let slot = Instant::from_ms(1_795_262_400_000 + number % 200);
            Job {
                monitor: MonitorId(9_000 + number * 7),
                revision: 12,
                vantage: Vantage::default(),
                slot,
                r#try: 0,
                start: slot,
                not_after: Instant::from_ms(slot.ms() + 10_000),
            }
        };
        let size = |jobs| Envelope { installation: u128::MAX, not_before: None, jobs }.encode().len();
        assert!(size((0..500).map(usual).collect()) < 6_000);
        let worst = Job {
            monitor: MonitorId(i64::MIN),
            revision: u32::MAX,
            vantage: Vantage::from_number(u32::MAX >> 14),
            slot: Instant::from_ms(i64::MIN),
            r#try: 255,
            start: Instant::from_ms(0),
            not_after: Instant::from_ms(i64::MAX),
        };
        let other = Job { monitor: MonitorId(0), slot: Instant::from_ms(0), ..worst };
        // As text a third longer, and still one message of any broker.
        assert!(size([worst, other].repeat(250)) * 4 / 3 < 64 << 10);
    }

    #[test]
    fn each_reason_is_told() {
        let mut bytes = Envelope { installation: 7, not_before: None, jobs: Vec::new() }.encode();
        assert_eq!(Envelope::decode(b"{}"), Err(Unreadable::Mark));
        assert_eq!(Envelope::decode(&bytes[..9]), Err(Unreadable::Broken));
        bytes[3] = 2;
        assert_eq!(Envelope::decode(&bytes), Err(Unreadable::Version(2)));
    }
}
