//! The sparkline of a list: the band between median and maximum of each four slots. Small enough for ten thousand
//! rows, exact enough to see a latency climb. One unit a point in width: the style sheet stretches it.

use crate::ui::markup::Markup;
use bw_domain::state::RecentSlot;
use std::fmt::Write;

/// Slots that become one point.
const JOINED: usize = 4;
/// Units from the lowest to the highest value; one more below for the stroke.
const HEIGHT: u32 = 14;

/// Draws latencies from zero to their highest.
pub fn spark(slots: &[RecentSlot]) -> Markup {
    let points: Vec<Option<(u32, u32)>> = slots.chunks(JOINED).map(point).collect();
    let top = points.iter().flatten().map(|(_, high)| *high).max().unwrap_or(0).max(1);
    let mut out = String::from("<svg class=k aria-hidden=true>");
    if points.iter().any(Option::is_some) {
        out.push_str("<path d=\"");
        bands(&points).for_each(|(start, band)| draw(&mut out, start, band, top));
        out.push_str("\"/>");
    }
    out.push_str("</svg>");
    Markup(out)
}

/// Median and maximum of what was measured.
fn point(slots: &[RecentSlot]) -> Option<(u32, u32)> {
    let mut measured: Vec<u32> = slots.iter().filter_map(|slot| slot.latency_us).collect();
    measured.sort_unstable();
    let high = *measured.last()?;
    Some((measured[(measured.len() - 1) / 2], high))
}

/// Stretches without a gap, each with the index at which it begins.
fn bands(points: &[Option<(u32, u32)>]) -> impl Iterator<Item = (usize, Vec<(u32, u32)>)> + '_ {
    let mut index = 0;
    points.split(Option::is_none).filter_map(move |stretch| {
        let start = index;
        index += stretch.len() + 1;
        (!stretch.is_empty()).then(|| (start, stretch.iter().flatten().copied().collect()))
    })
}

/// One band: along the maxima, back along the medians, each point relative to the one before since that is short.
/// A single point is drawn as wide as a step.
fn draw(out: &mut String, start: usize, mut band: Vec<(u32, u32)>, top: u32) {
    if let [only] = band.as_slice() {
        band.push(*only);
    }
    let y = |value: u32| 1 + HEIGHT - (u64::from(value) * u64::from(HEIGHT) / u64::from(top)) as u32;
    let there = band.iter().map(|(_, high)| *high).enumerate();
    let back = band.iter().map(|(middle, _)| *middle).enumerate().rev();
    let mut points = there.chain(back).map(|(index, value)| (index as i64, i64::from(y(value))));
    let Some(mut last) = points.next() else { return };
    write!(out, "M{} {}l", start as i64 + last.0, last.1).expect("writing to a string cannot fail");
    for (count, (x, y)) in points.enumerate() {
        // A minus parts numbers as well as a space does.
        let part = |number: i64, first: bool| if first || number < 0 { "" } else { " " };
        let (dx, dy) = (x - last.0, y - last.1);
        write!(out, "{}{dx}{}{dy}", part(dx, count == 0), part(dy, false))
            .expect("writing to a string cannot fail");
        last = (x, y);
    }
    out.push('z');
}

/// The quantiles that stand beside the sparkline.
pub fn quantile(sorted: &[u32], q: f64) -> Option<u32> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * q).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::time::Instant;

    fn slots(latencies: &[Option<u32>]) -> Vec<RecentSlot> {
        let slot = |latency_us: &Option<u32>| RecentSlot {
            slot: Instant::ZERO,
            verdict: None,
            latency_us: *latency_us,
        };
        latencies.iter().map(slot).collect()
    }

    #[test]
    fn bands_break_at_gaps() {
        let two = slots(&[Some(10), Some(10), Some(20), Some(5), None, None, None, None, Some(20)]);
        assert_eq!(
            spark(&two).0,
            "<svg class=k aria-hidden=true><path d=\"M0 1l1 0 0 7-1 0zM2 1l1 0 0 0-1 0z\"/></svg>"
        );
        assert_eq!(spark(&slots(&[None; 60])).0, "<svg class=k aria-hidden=true></svg>");
    }

    #[test]
    fn quantiles_of_few_values() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7], 0.95), Some(7));
        assert_eq!(quantile(&(1..=60).collect::<Vec<_>>(), 0.95), Some(57));
    }
}
