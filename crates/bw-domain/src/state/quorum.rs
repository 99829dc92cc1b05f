//! From the votes of one round to its result.

use crate::monitor::Agree;
use crate::outcome::Verdict;

/// What a vantage that was asked has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// It has answered.
    Said(Verdict),
    /// Not yet.
    Missing,
}

/// What a round says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundResult {
    Pass,
    Fail,
    /// Those that could see do not agree: the health stays, and no streak goes on.
    Tie,
    /// Nobody could see: it neither counts nor resets.
    Blind,
    /// Several were asked and too few could see: the health is unknown.
    TooFew,
}

/// Counts the votes; a missing one abstains.
pub fn decide(votes: &[Vote], agree: Agree, min: u16) -> RoundResult {
    let count = |verdict| votes.iter().filter(|vote| **vote == Vote::Said(verdict)).count();
    let (passes, fails) = (count(Verdict::Pass), count(Verdict::Fail));
    let able = passes + fails;
    if votes.len() == 1 {
        return match (passes, fails) {
            (1, _) => RoundResult::Pass,
            (_, 1) => RoundResult::Fail,
            _ => RoundResult::Blind,
        };
    }
    if able < usize::from(min).min(votes.len()) {
        return RoundResult::TooFew;
    }
    let failing = match agree {
        Agree::Majority => fails * 2 > able,
        Agree::AtLeast(need) => fails >= usize::from(need),
    };
    if failing {
        RoundResult::Fail
    } else if passes * 2 > able {
        RoundResult::Pass
    } else {
        RoundResult::Tie
    }
}
