//! The normal form of an OnCalendar expression, to the letter as systemd prints it.

use super::{OnCalendar, SECOND, SHORT};
use crate::beat::pattern::{ANY_WEEKDAY, Chain};
use std::fmt;

impl fmt::Display for OnCalendar {
    /// The normal form, as systemd writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.weekdays != ANY_WEEKDAY {
            write_weekdays(f, self.weekdays)?;
            f.write_str(" ")?;
        }
        let between = ["-", if self.from_end { "~" } else { "-" }, " ", ":", ":", ""];
        for (index, (part, after)) in self.parts.iter().zip(between).enumerate() {
            write_chains(f, part, index)?;
            f.write_str(after)?;
        }
        match &self.zone {
            Some(zone) => write!(f, " {}", zone.name()),
            None => Ok(()),
        }
    }
}

fn write_weekdays(f: &mut fmt::Formatter<'_>, mask: u8) -> fmt::Result {
    let mut comma = "";
    let mut day = 0;
    while day < 7 {
        if mask >> day & 1 == 0 {
            day += 1;
            continue;
        }
        let first = day;
        while day < 7 && mask >> day & 1 == 1 {
            day += 1;
        }
        write!(f, "{comma}{}", SHORT[first])?;
        match day - first {
            1 => {}
            2 => write!(f, ",{}", SHORT[day - 1])?,
            _ => write!(f, "..{}", SHORT[day - 1])?,
        }
        comma = ",";
    }
    Ok(())
}

fn write_chains(f: &mut fmt::Formatter<'_>, chains: &[Chain], part: usize) -> fmt::Result {
    let unit = if part == 5 { SECOND } else { 1 };
    let every_second = Chain { start: 0, stop: None, repeat: SECOND };
    if chains.is_empty() || (part == 5 && chains == [every_second]) {
        return f.write_str("*");
    }
    let width = if part == 0 { 4 } else { 2 };
    for (index, chain) in chains.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        let fine = |f: &mut fmt::Formatter<'_>, value: u32, width: usize| {
            write!(f, "{:0width$}", value / unit)?;
            if value.is_multiple_of(unit) { Ok(()) } else { write!(f, ".{:06}", value % unit) }
        };
        fine(f, chain.start, width)?;
        if let Some(stop) = chain.stop {
            f.write_str("..")?;
            fine(f, stop, width)?;
        }
        if chain.repeat > 0 && !(chain.stop.is_some() && chain.repeat == unit) {
            f.write_str("/")?;
            fine(f, chain.repeat, 1)?;
        }
    }
    Ok(())
}
