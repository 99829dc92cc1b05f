//! Every decision follows from what was committed before it, and the rows at the end are what follows from all of them.

use crate::oracle;
use crate::past::Past;

pub fn holds(past: &Past) -> Result<(), String> {
    let rows = oracle::replay(past)?;
    for (monitor, row) in &past.database.rows {
        if rows.get(monitor).map(|known| &known.row) != Some(row) {
            return Err(format!("the rows of monitor {monitor} are not what was decided"));
        }
    }
    let timers = rows.iter().filter_map(|(monitor, row)| Some((*monitor, row.row.state.timer()?)));
    if !timers.eq(past.database.timers.iter().map(|(monitor, due)| (*monitor, *due))) {
        return Err("the timers are not those of the states".to_owned());
    }
    let tracks = || rows.iter().filter_map(|(monitor, known)| Some((*monitor, known.track.as_ref()?)));
    for (monitor, track) in tracks() {
        if past.database.tracks.get(&monitor) != Some(track) {
            return Err(format!("the track of monitor {monitor} is not what its beats say"));
        }
    }
    let wanted = tracks().filter_map(|(monitor, track)| Some((monitor, track.due?)));
    if !wanted.eq(past.database.wanted.iter().map(|(monitor, due)| (*monitor, *due))) {
        return Err("decisions are not wanted when the tracks say".to_owned());
    }
    Ok(())
}
