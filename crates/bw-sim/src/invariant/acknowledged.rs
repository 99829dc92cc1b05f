//! A job is acknowledged only when its outcome is in the store, or can never be.

use crate::journal::Fact;
use crate::past::Past;

pub fn holds(past: &Past) -> Result<(), String> {
    for line in &past.journal {
        if let Fact::Acknowledged { job, known: false } = &line.fact {
            return Err(format!(
                "at {} ms {:?} was acknowledged and its outcome is nowhere",
                line.at,
                job.key()
            ));
        }
    }
    Ok(())
}
