//! `db-init`: prepares the database of a fleet, once. Again is harmless, and after an update it brings the schema up to
//! date while older processes go on.

use super::args::PlaceArgs;
use super::{Setup, block_on, setup_at};
use crate::answer::{Answer, Outcome};
use crate::compose;

/// Prepares it and says so in the words that scripts wait for.
pub fn run(place: &PlaceArgs) -> Outcome {
    let Setup { environment, settings, .. } = setup_at(place)?;
    let lines = block_on(compose::prepare(&settings, &environment))?;
    Ok(Answer::good(lines))
}
