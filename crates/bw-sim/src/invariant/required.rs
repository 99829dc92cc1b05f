//! No health without the rounds that it takes, and none too many: every state has the health that the counting rule
//! gives it.

use crate::oracle;
use crate::past::Past;

pub fn holds(past: &Past) -> Result<(), String> {
    oracle::read(past).map(drop)
}
