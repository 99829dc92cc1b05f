//! How much of a time a monitor was up: from the verdicts of its slots, or, where its job reports, from its stored changes.

use super::history::{cadence, paused, read_slots, terms, wall};
use super::{Services, UseError};
use bw_domain::beat::Deaf;
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::TransitionRow;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use bw_domain::uptime::{Range, Sample, Uptime, measure, merge_vantages};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UptimeReport {
    /// The wall time that it covers: from when the monitor was declared at the earliest, to now at the latest.
    pub wall: Range,
    pub uptime: Uptime,
    /// Outcome rows that were read.
    pub rows: usize,
}

/// The uptime of a monitor; the last day unless asked otherwise.
pub async fn uptime(
    services: &Services,
    id: MonitorId,
    from: Option<Instant>,
    to: Option<Instant>,
) -> Result<UptimeReport, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    let wall = wall(services, &spec, from, to)?;
    let terms = terms(services, id).await?;
    if spec.beats().is_some() {
        let changes = services.store.outcomes.transitions(id, limits::PAGE_MAX).await?;
        let deaf = services.store.beats.deaf().await?;
        let samples = stretches(&changes, &deaf, wall.to);
        return Ok(UptimeReport { wall, uptime: measure(wall, &samples, &paused(&terms), &[]), rows: 0 });
    }
    // A slot before the wall may still speak for its beginning.
    let longest = terms.iter().map(|term| term.spec.policy.every).max().unwrap_or_default();
    let range = Range { from: wall.from - longest, to: wall.to };
    let mut pieces: Vec<Vec<Sample>> = Vec::new();
    let rows = read_slots(services, id, range, |rows| {
        let samples = rows.iter().rev().map(|row| Sample {
            slot: row.key.slot,
            every: cadence(&terms, row.revision),
            verdict: row.verdict,
        });
        pieces.push(join(merge_vantages(samples)));
    })
    .await?;
    let samples: Vec<Sample> = pieces.into_iter().rev().flatten().collect();
    // Maintenance windows come later; until then no time is excluded for them.
    Ok(UptimeReport { wall, uptime: measure(wall, &samples, &paused(&terms), &[]), rows })
}

/// The time between changes, newest first as they are stored, as samples. While nobody could hear, nothing is known.
fn stretches(changes: &[TransitionRow], deaf: &[Deaf], until: Instant) -> Vec<Sample> {
    let verdict = |health| match health {
        Health::Up => Verdict::Pass,
        Health::Down => Verdict::Fail,
        Health::Unknown => Verdict::Inconclusive,
    };
    let mut marks: Vec<(Instant, Verdict)> = Vec::with_capacity(changes.len());
    for change in changes.iter().rev() {
        // One that began before the one that was told before it does not reach back behind it.
        let since = marks.last().map_or(change.since, |(before, _)| change.since.max(*before));
        marks.push((since, verdict(change.to)));
    }
    let ends = marks.iter().skip(1).map(|(next, _)| *next).chain([until]);
    let mut samples = Vec::with_capacity(marks.len());
    let mut put = |from: Instant, to: Instant, verdict| {
        if from < to {
            samples.push(Sample { slot: from, every: to.since(from), verdict });
        }
    };
    for ((begun, verdict), end) in marks.iter().zip(ends) {
        let mut from = *begun;
        for deaf in deaf.iter().filter(|deaf| deaf.to > *begun && deaf.from < end) {
            let (blind, hears) = (deaf.from.max(from), deaf.to.min(end).max(from));
            put(from, blind, *verdict);
            put(blind, hears, Verdict::Inconclusive);
            from = hears;
        }
        put(from, end, *verdict);
    }
    samples
}

/// Slots in a row with the same verdict say the same as one long one, in less memory.
fn join(samples: Vec<Sample>) -> Vec<Sample> {
    let mut joined: Vec<Sample> = Vec::new();
    for sample in samples {
        match joined.last_mut() {
            Some(last) if last.verdict == sample.verdict && last.slot + last.every == sample.slot => {
                last.every += sample.every;
            }
            _ => joined.push(sample),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::outcome::Code;
    use bw_domain::time::Duration;

    #[test]
    fn changes_are_weighted_by_time_and_nothing_is_known_while_nobody_hears() {
        let at = |s: i64| Instant::from_ms(s * 1_000);
        let change = |s: i64, from, to| TransitionRow {
            at: at(s + 1),
            since: at(s),
            from,
            to,
            code: Code::OK,
            text: String::new(),
        };
        let (up, down, unknown) = (Health::Up, Health::Down, Health::Unknown);
        let changes = [
            change(60, unknown, up),
            change(50, down, unknown),
            change(40, up, down),
            change(10, unknown, up),
        ];
        let wall = Range { from: at(0), to: at(100) };
        let measured = |deaf: &[Deaf]| {
            let uptime = measure(wall, &stretches(&changes, deaf, wall.to), &[], &[]);
            (uptime.up_ms / 1_000, uptime.down_ms / 1_000, uptime.unknown_ms / 1_000)
        };
        assert_eq!(measured(&[]), (70, 10, 20));
        assert_eq!(measured(&[Deaf { from: at(30), to: at(45) }]), (60, 5, 35));
        assert_eq!(
            measured(&[Deaf { from: at(5), to: at(12) }, Deaf { from: at(95), to: at(120) }]),
            (63, 10, 27)
        );
        assert_eq!(stretches(&[], &[], at(100)), []);
    }

    #[test]
    fn joining_changes_nothing_that_is_measured() {
        let sample = |slot: i64, verdict| Sample {
            slot: Instant::from_ms(slot * 1_000),
            every: Duration::from_secs(10),
            verdict,
        };
        let (p, f) = (Verdict::Pass, Verdict::Fail);
        let samples = vec![sample(0, p), sample(10, p), sample(20, f), sample(30, p), sample(50, p)];
        let joined = join(samples.clone());
        assert_eq!(joined.len(), 4);
        let wall = Range { from: Instant::from_ms(5_000), to: Instant::from_ms(55_000) };
        assert_eq!(measure(wall, &joined, &[], &[]), measure(wall, &samples, &[], &[]));
    }
}
