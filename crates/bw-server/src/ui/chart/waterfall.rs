//! One probe as a waterfall: each phase a bar that begins where the one before it ended.

use super::class;
use crate::ui::markup::Markup;
use crate::ui::words;
use bw_domain::outcome::{Phase, Phases};
use std::fmt::Write;

/// Draws the phases of one hop. `scale_us` is the width of the picture, the same for all hops of a probe;
/// `begun_us` is what the hops before took.
pub fn waterfall(phases: &Phases, begun_us: u32, scale_us: u32) -> Markup {
    let mut out = String::from("<table class=fall><tbody>");
    let mut at = begun_us;
    for phase in Phase::ALL {
        let took = phases.get(phase);
        if took == 0 {
            continue;
        }
        row(&mut out, phase, (at, took), scale_us.max(1));
        at = at.saturating_add(took);
    }
    write!(
        out,
        "<tr class=sum><th scope=row>total<td><td class=num>{}</tbody></table>",
        words::latency(phases.total())
    )
    .expect("writing to a string cannot fail");
    Markup(out)
}

fn row(out: &mut String, phase: Phase, (at, took): (u32, u32), scale_us: u32) {
    let per_mille = |us: u32| (u64::from(us) * 1_000 / u64::from(scale_us)).min(1_000);
    // A phase that took part is seen, however short it was.
    let width = per_mille(took).max(3);
    let x = per_mille(at).min(1_000 - width);
    write!(
        out,
        "<tr><th scope=row>{}<td><svg viewBox=\"0 0 1000 12\" preserveAspectRatio=none aria-hidden=true>\
         <rect class={} x={x} width={width} height=12 /></svg><td class=num>{}",
        phase.word(),
        class(phase),
        words::latency(took)
    )
    .expect("writing to a string cannot fail");
}

/// The phases of one outcome as a single stacked bar, for tables.
pub fn bar(phases: &Phases, scale_us: u32) -> Markup {
    let mut out =
        String::from("<svg class=phases viewBox=\"0 0 1000 12\" preserveAspectRatio=none aria-hidden=true>");
    let (mut x, scale) = (0, u64::from(scale_us.max(1)));
    for phase in Phase::ALL {
        let width = u64::from(phases.get(phase)) * 1_000 / scale;
        if width > 0 {
            write!(out, "<rect class={} x={x} width={width} height=12 />", class(phase))
                .expect("writing to a string cannot fail");
            x += width;
        }
    }
    out.push_str("</svg>");
    Markup(out)
}

/// The phases in words: `resolve 1.2 ms, connect 0.31 ms`.
pub fn said(phases: &Phases) -> String {
    let there = Phase::ALL.into_iter().filter(|phase| phases.get(*phase) > 0);
    there
        .map(|phase| format!("{} {}", phase.word(), words::latency(phases.get(phase))))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_each_other_and_absent_phases_are_absent() {
        let drawn = waterfall(&Phases([1_000, 0, 0, 0, 3_000, 1]), 0, 4_001).0;
        assert_eq!(drawn.matches("<rect").count(), 3);
        assert!(drawn.contains("resolve<td>") && !drawn.contains("connect<td>"));
        assert!(drawn.contains("class=ph5 x=249 width=749 "), "{drawn}");
        assert!(drawn.contains("class=ph6 x=997 width=3 "), "{drawn}");
        assert!(drawn.contains("total<td><td class=num>4.0 ms"), "{drawn}");
    }
}
