//! From verdicts of slots to seconds. Each slot speaks for the time to the next one and at most for its own
//! cadence; what no pass or fail speaks for is unknown. The five parts always sum up to the wall time.

use crate::outcome::Verdict;
use crate::time::{Duration, Instant};

/// A half-open interval [from, to).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub from: Instant,
    pub to: Instant,
}

/// What was seen in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub slot: Instant,
    /// The distance to the next slot on its grid.
    pub every: Duration,
    pub verdict: Verdict,
}

/// The parts of a wall time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uptime {
    pub up_ms: u64,
    pub down_ms: u64,
    pub unknown_ms: u64,
    pub maintenance_ms: u64,
    pub paused_ms: u64,
}

impl Uptime {
    /// The share of the known time that was up; `None` when nothing is known.
    pub fn ratio(&self) -> Option<f64> {
        let known = self.up_ms + self.down_ms;
        (known > 0).then(|| self.up_ms as f64 / known as f64)
    }

    /// The share of the time that should have been known, and is; `None` when none should.
    pub fn coverage(&self) -> Option<f64> {
        let known = self.up_ms + self.down_ms;
        let wanted = known + self.unknown_ms;
        (wanted > 0).then(|| known as f64 / wanted as f64)
    }

    /// All parts together.
    pub fn wall_ms(&self) -> u64 {
        self.up_ms + self.down_ms + self.unknown_ms + self.maintenance_ms + self.paused_ms
    }
}

impl Range {
    /// Its length in milliseconds; nothing when it ends before it begins.
    pub fn ms(self) -> u64 {
        self.to.since(self.from).as_millis() as u64
    }

    fn cut(self, other: Range) -> Range {
        Range { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// Measures `wall`. `samples` are ascending, one a slot, and may begin before the wall; `paused` and
/// `maintenance` are ascending and free of overlaps among themselves. Paused wins over maintenance, both over
/// what was seen.
pub fn measure(wall: Range, samples: &[Sample], paused: &[Range], maintenance: &[Range]) -> Uptime {
    let excluded = union(paused, maintenance);
    let mut uptime = Uptime { paused_ms: overlap(wall, paused), ..Uptime::default() };
    let out_ms = overlap(wall, &excluded);
    uptime.maintenance_ms = out_ms - uptime.paused_ms;
    let mut rest = &excluded[..];
    for (index, sample) in samples.iter().enumerate() {
        let end = sample.slot + sample.every;
        let end = samples.get(index + 1).map_or(end, |next| end.min(next.slot));
        let covered = Range { from: sample.slot, to: end }.cut(wall);
        // Both lists ascend, so what ended before this sample concerns no later one.
        while rest.first().is_some_and(|range| range.to <= covered.from) {
            rest = &rest[1..];
        }
        let ms = covered.ms() - overlap(covered, rest);
        match sample.verdict {
            Verdict::Pass => uptime.up_ms += ms,
            Verdict::Fail => uptime.down_ms += ms,
            Verdict::Inconclusive => {}
        }
    }
    uptime.unknown_ms = wall.ms() - out_ms - uptime.up_ms - uptime.down_ms;
    uptime
}

/// One sample a slot from the verdicts of all vantages, ascending by slot: down when more than half of those
/// that could see say fail, up when others could see, else inconclusive.
pub fn merge_vantages(samples: impl IntoIterator<Item = Sample>) -> Vec<Sample> {
    let mut merged: Vec<Sample> = Vec::new();
    let (mut pass, mut fail) = (0u32, 0u32);
    for sample in samples {
        if merged.last().is_none_or(|last| last.slot != sample.slot) {
            (pass, fail) = (0, 0);
            merged.push(sample);
        }
        match sample.verdict {
            Verdict::Pass => pass += 1,
            Verdict::Fail => fail += 1,
            Verdict::Inconclusive => {}
        }
        let last = merged.last_mut().expect("one was pushed for this slot");
        last.verdict = match (pass, fail) {
            (0, 0) => Verdict::Inconclusive,
            (pass, fail) if fail > pass => Verdict::Fail,
            _ => Verdict::Pass,
        };
    }
    merged
}

/// How much of `wall` lies in ascending, disjoint ranges.
fn overlap(wall: Range, ranges: &[Range]) -> u64 {
    ranges.iter().take_while(|range| range.from < wall.to).map(|range| range.cut(wall).ms()).sum()
}

/// Everything that lies in either list, ascending and disjoint.
fn union(a: &[Range], b: &[Range]) -> Vec<Range> {
    let mut all: Vec<Range> = a.iter().chain(b).copied().filter(|range| range.from < range.to).collect();
    all.sort_unstable();
    let mut joined: Vec<Range> = Vec::with_capacity(all.len());
    for range in all {
        match joined.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: i64) -> Instant {
        Instant::from_ms(s * 1_000)
    }

    fn range(from: i64, to: i64) -> Range {
        Range { from: at(from), to: at(to) }
    }

    fn sample(slot: i64, every: u64, verdict: char) -> Sample {
        let verdict = match verdict {
            'p' => Verdict::Pass,
            'f' => Verdict::Fail,
            _ => Verdict::Inconclusive,
        };
        Sample { slot: at(slot), every: Duration::from_secs(every), verdict }
    }

    /// `samples` are `slot+every verdict` words; the answer is (up, down, unknown, maintenance, paused) in seconds.
    fn check(wall: (i64, i64), samples: &str, paused: &[(i64, i64)], maintenance: &[(i64, i64)]) -> [u64; 5] {
        let samples: Vec<Sample> = samples
            .split_whitespace()
            .map(|word| {
                let (slot, rest) = word.split_once('+').expect("slot+every");
                let (every, verdict) = rest.split_at(rest.len() - 1);
                let verdict = verdict.chars().next().expect("a verdict");
                sample(slot.parse().expect("slot"), every.parse().expect("every"), verdict)
            })
            .collect();
        let ranges = |list: &[(i64, i64)]| list.iter().map(|(a, b)| range(*a, *b)).collect::<Vec<_>>();
        let u = measure(range(wall.0, wall.1), &samples, &ranges(paused), &ranges(maintenance));
        [u.up_ms, u.down_ms, u.unknown_ms, u.maintenance_ms, u.paused_ms].map(|ms| ms / 1_000)
    }

    #[test]
    fn table() {
        assert_eq!(check((0, 60), "0+10p 10+10p 20+10f 30+10p 40+10i 50+10p", &[], &[]), [40, 10, 10, 0, 0]);
        assert_eq!(check((5, 25), "0+10p 10+10f 20+10p", &[], &[]), [10, 10, 0, 0, 0], "the edges are cut");
        assert_eq!(check((0, 60), "", &[], &[]), [0, 0, 60, 0, 0], "nothing seen is nothing known");
        assert_eq!(check((0, 60), "0+10p 50+10p", &[], &[]), [20, 0, 40, 0, 0], "missing slots are unknown");
        assert_eq!(check((0, 20), "0+60f 10+10p", &[], &[]), [10, 10, 0, 0, 0], "a faster grid takes over");
        assert_eq!(check((0, 40), "0+10p 10+10p 20+10f", &[(15, 40)], &[]), [15, 0, 0, 0, 25]);
        assert_eq!(
            check((0, 40), "0+10p 10+10f", &[(30, 40)], &[(10, 35)]),
            [10, 0, 0, 20, 10],
            "paused wins"
        );
        assert_eq!(check((10, 10), "0+60p", &[(0, 90)], &[]), [0; 5], "no time, no parts");
        assert_eq!(check((50, 10), "0+60p", &[], &[]), [0; 5], "nor backwards");
    }

    #[test]
    fn shares() {
        let uptime = Uptime { up_ms: 900, down_ms: 100, unknown_ms: 1_000, maintenance_ms: 7, paused_ms: 5 };
        assert_eq!((uptime.ratio(), uptime.coverage(), uptime.wall_ms()), (Some(0.9), Some(0.5), 2_012));
        assert_eq!((Uptime::default().ratio(), Uptime::default().coverage()), (None, None));
    }

    #[test]
    fn vantages_of_a_slot_are_one_sample() {
        let votes =
            [sample(0, 9, 'p'), sample(0, 9, 'f'), sample(9, 9, 'f'), sample(9, 9, 'i'), sample(18, 9, 'i')];
        let words: Vec<&str> = merge_vantages(votes).iter().map(|sample| sample.verdict.word()).collect();
        assert_eq!(
            words,
            ["pass", "fail", "inconclusive"],
            "a tie is not down, and who is blind has no vote"
        );
    }

    fn ranges() -> impl Strategy<Value = Vec<Range>> {
        prop::collection::btree_set(-20i64..120, 0..8).prop_map(|edges| {
            let edges: Vec<i64> = edges.into_iter().collect();
            edges.chunks_exact(2).map(|pair| range(pair[0], pair[1])).collect()
        })
    }

    proptest! {
        /// Second by second, as slowly and plainly as possible.
        #[test]
        fn parts_are_those_of_the_slow_way_and_sum_up(
            slots in prop::collection::btree_map(-20i64..120, (1u64..40, prop::sample::select(vec!['p', 'f', 'i'])), 0..20),
            paused in ranges(), maintenance in ranges(), from in -10i64..60, length in 0i64..80,
        ) {
            let samples: Vec<Sample> = slots.iter().map(|(slot, (every, v))| sample(*slot, *every, *v)).collect();
            let wall = range(from, from + length);
            let fast = measure(wall, &samples, &paused, &maintenance);
            let within = |list: &[Range], t: Instant| list.iter().any(|range| range.from <= t && t < range.to);
            let mut slow = Uptime::default();
            for t in (from..from + length).map(at) {
                let seen = samples.iter().rev().find(|sample| sample.slot <= t).filter(|sample| t < sample.slot + sample.every);
                let part = match seen.map(|sample| sample.verdict) {
                    _ if within(&paused, t) => &mut slow.paused_ms,
                    _ if within(&maintenance, t) => &mut slow.maintenance_ms,
                    Some(Verdict::Pass) => &mut slow.up_ms,
                    Some(Verdict::Fail) => &mut slow.down_ms,
                    Some(Verdict::Inconclusive) | None => &mut slow.unknown_ms,
                };
                *part += 1_000;
            }
            prop_assert_eq!(fast, slow);
            prop_assert_eq!(fast.wall_ms(), length as u64 * 1_000);
        }
    }
}
