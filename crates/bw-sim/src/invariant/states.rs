//! Every decision follows from what was committed before it, and the rows at the end are what follows from all of them.

use crate::oracle;
use crate::past::Past;

pub fn holds(past: &Past) -> Result<(), String> {
    let rows = oracle::replay(past)?;
    for (monitor, row) in &past.database.rows {
        if rows.get(monitor) != Some(row) {
            return Err(format!("the rows of monitor {monitor} are not what was decided"));
        }
    }
    let timers = rows.iter().filter_map(|(monitor, row)| Some((*monitor, row.state.timer()?)));
    if !timers.eq(past.database.timers.iter().map(|(monitor, due)| (*monitor, *due))) {
        return Err("the timers are not those of the states".to_owned());
    }
    Ok(())
}
