//! How much of a time a monitor was up, from the verdicts of its slots.

use super::history::{cadence, paused, read_slots, terms, wall};
use super::{Services, UseError};
use bw_domain::id::MonitorId;
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
    // A slot before the wall may still speak for its beginning.
    let longest = terms.iter().map(|term| term.spec.every).max().unwrap_or_default();
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
    use bw_domain::outcome::Verdict;
    use bw_domain::time::Duration;

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
