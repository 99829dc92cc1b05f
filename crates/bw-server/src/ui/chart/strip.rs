//! The strip of the last slots: a low bar for a pass, a tall one for a fail, a hatched one where nothing could be
//! seen, and a gap where there is no outcome: never drawn as healthy.

use crate::ui::markup::{Markup, escape};
use crate::ui::words;
use bw_domain::limits::RECENT_SLOTS;
use bw_domain::outcome::Verdict;
use bw_domain::state::{Cell, RecentSlot};
use bw_domain::time::{Duration, Instant};
use std::fmt::Write;

/// Width of a slot in the compact strip: a bar of 3 and a gap of 1.
const STEP: usize = 4;

/// The compact strip of a list: one stroked path a verdict, its runs written once and dashed by the style sheet, so
/// that sixty healthy slots cost some forty bytes.
pub fn compact(verdicts: &[Option<Verdict>]) -> Markup {
    let mut out = String::from("<svg class=t aria-hidden=true>");
    for (verdict, open) in [
        (Verdict::Pass, "<path class=p d=\""),
        (Verdict::Fail, "<path class=f d=\""),
        (Verdict::Inconclusive, "<path class=u stroke=\"url(#hatch)\" d=\""),
    ] {
        let runs = runs(verdicts, Some(verdict));
        if !runs.is_empty() {
            out.push_str(open);
            for (start, count) in runs {
                let (x, width) = (start * STEP, count * STEP - 1);
                write!(out, "M{x} 8h{width}").expect("writing to a string cannot fail");
            }
            out.push_str("\"/>");
        }
    }
    out.push_str("</svg>");
    Markup(out)
}

/// Where a verdict stands without interruption: (first, how many).
fn runs(verdicts: &[Option<Verdict>], wanted: Option<Verdict>) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, _) in verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == wanted) {
        match runs.last_mut() {
            Some((start, count)) if *start + *count == index => *count += 1,
            _ => runs.push((index, 1)),
        }
    }
    runs
}

/// The large strip of one vantage: a group a slot, with its instant, verdict and latency on hover.
pub fn detailed(slots: &[RecentSlot]) -> Markup {
    const WIDTH: usize = 10;
    let mut out = format!(
        "<svg class=strip viewBox=\"0 0 {} 28\" preserveAspectRatio=none role=img aria-label=\"{}\">",
        slots.len() * WIDTH,
        tally(slots.iter().map(|slot| slot.verdict))
    );
    for (index, slot) in slots.iter().enumerate() {
        let x = index * WIDTH;
        let bar = match slot.verdict {
            Some(Verdict::Pass) => format!("<rect class=p x={x} y=8 width=8 height=12 />"),
            Some(Verdict::Fail) => format!("<rect class=f x={x} y=0 width=8 height=28 />"),
            Some(Verdict::Inconclusive) => {
                format!("<rect fill=\"url(#hatch)\" x={x} y=4 width=8 height=20 />")
            }
            None => String::new(),
        };
        let word = slot.verdict.map_or("no outcome", Verdict::word);
        let latency = slot.latency_us.map(|us| format!(", {}", words::latency(us))).unwrap_or_default();
        let title = escape(&format!("{} {word}{latency}", words::instant(slot.slot)));
        write!(out, "<g>{bar}<rect class=hit x={x} width=10 height=28><title>{title}</title></rect></g>")
            .expect("writing to a string cannot fail");
    }
    out.push_str("</svg>");
    Markup(out)
}

/// `58 passed, 1 failed, 1 not seen`: the strip in words.
pub fn tally(verdicts: impl Iterator<Item = Option<Verdict>>) -> String {
    let mut counts = [0usize; 4];
    verdicts.for_each(|verdict| counts[verdict.map_or(0, |verdict| usize::from(verdict.number()))] += 1);
    let mut parts = vec![format!("{} passed", counts[1])];
    parts.extend((counts[2] > 0).then(|| format!("{} failed", counts[2])));
    parts.extend((counts[3] > 0).then(|| format!("{} inconclusive", counts[3])));
    parts.extend((counts[0] > 0).then(|| format!("{} without outcome", counts[0])));
    parts.join(", ")
}

/// The window of a vantage that ends now: where the last slots have no outcome, they are there as gaps, so a
/// schedule that has stopped cannot look healthy. `running`: slots are expected at all.
pub fn window(cell: &Cell, now: Instant, running: bool) -> Vec<RecentSlot> {
    let mut slots: Vec<RecentSlot> = cell.recent.slots().collect();
    let [.., before, newest] = slots.as_slice() else { return slots };
    let every = newest.slot.since(before.slot);
    let newest = newest.slot;
    // The newest slot may still be under way, and the one before it within its time limit.
    let missing = if running && every > Duration::ZERO {
        (now.since(newest).as_millis() / every.as_millis()).saturating_sub(1).min(RECENT_SLOTS as u128) as u32
    } else {
        0
    };
    slots.drain(..missing as usize);
    slots.extend((1..=missing).map(|step| RecentSlot {
        slot: newest + every * step,
        verdict: None,
        latency_us: None,
    }));
    slots
}

/// Several vantages as one row of verdicts: the worst of each slot, aligned at the newest.
pub fn worst(windows: &[Vec<RecentSlot>]) -> Vec<Option<Verdict>> {
    let rank = |verdict: Option<Verdict>| match verdict {
        Some(Verdict::Fail) => 3,
        Some(Verdict::Inconclusive) => 2,
        Some(Verdict::Pass) => 1,
        None => 0,
    };
    let length = windows.iter().map(Vec::len).max().unwrap_or(0);
    let at = |back: usize| {
        let said = windows.iter().filter_map(|window| window.iter().rev().nth(back));
        said.map(|slot| slot.verdict).max_by_key(|verdict| rank(*verdict)).flatten()
    };
    (0..length).rev().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: Option<Verdict> = Some(Verdict::Pass);
    const FAIL: Option<Verdict> = Some(Verdict::Fail);
    const BLIND: Option<Verdict> = Some(Verdict::Inconclusive);

    #[test]
    fn healthy_is_short_and_trouble_is_apart() {
        let healthy = compact(&[PASS; 60]);
        assert_eq!(healthy.0, "<svg class=t aria-hidden=true><path class=p d=\"M0 8h239\"/></svg>");
        let mixed = compact(&[None, PASS, FAIL, FAIL, BLIND, PASS]);
        assert_eq!(
            mixed.0,
            "<svg class=t aria-hidden=true><path class=p d=\"M4 8h3M20 8h3\"/><path class=f d=\"M8 8h7\"/>\
             <path class=u stroke=\"url(#hatch)\" d=\"M16 8h3\"/></svg>"
        );
    }

    #[test]
    fn the_worst_vantage_is_shown_and_a_gap_only_where_nobody_looked() {
        let slot = |verdict| RecentSlot { slot: Instant::ZERO, verdict, latency_us: None };
        let (a, b) = (vec![slot(PASS), slot(None), slot(PASS)], vec![slot(FAIL), slot(None)]);
        assert_eq!(worst(&[a, b]), [PASS, FAIL, PASS]);
    }

    #[test]
    fn in_words() {
        assert_eq!(tally([PASS, PASS, FAIL, None].into_iter()), "2 passed, 1 failed, 1 without outcome");
        assert_eq!(tally([PASS].into_iter()), "1 passed");
    }
}
