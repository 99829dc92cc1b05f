//! Every broken variant is noticed.

use bw_sim::{Mutant, catch};

#[test]
fn every_mutant_is_caught() {
    let missed: Vec<&str> =
        Mutant::ALL.iter().filter(|mutant| catch(**mutant).is_none()).map(|mutant| mutant.name()).collect();
    assert!(missed.is_empty(), "{missed:?} are not caught");
}
