//! Signals: named series of numbers. For now the latency sketch, whose bins rows and charts share.

pub mod bin;
mod sketch;

pub use sketch::Sketch;
