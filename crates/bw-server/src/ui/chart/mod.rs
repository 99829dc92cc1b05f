//! Charts: SVG from plain values, drawn on the server. No style attributes, because the content policy refuses
//! them; colours and strokes are classes of the style sheet.

pub mod beats;
pub mod durations;
pub mod latency;
pub mod spark;
pub mod strip;
pub mod waterfall;

use bw_domain::outcome::Phase;

/// The colour class of a phase, the same in every chart.
pub const fn class(phase: Phase) -> &'static str {
    ["ph1", "ph2", "ph3", "ph4", "ph5", "ph6"][phase as usize]
}
