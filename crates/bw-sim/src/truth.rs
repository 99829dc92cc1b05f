//! What is really the matter with a target, second by second: what probes must find out, and what no verdict may
//! contradict.

use crate::Ms;
use crate::chance::Chance;
use bw_domain::monitor::Family;
use bw_domain::outcome::Code;

/// How a target is for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Up,
    /// It answers at once, and wrongly.
    Down(Code),
    /// It answers after any time-out.
    Slow,
    /// Each probe meets it up or down, so many times in a thousand down.
    Flaky(u64),
    /// Down over IPv6 only.
    DownV6,
}

impl Target {
    /// The failure that a probe beginning now meets, if any.
    pub fn failure(self, family: Family, chance: &Chance) -> Option<Code> {
        match self {
            Target::Up => None,
            Target::Down(code) => Some(code),
            Target::Slow => Some(Code::WAIT_TIMEOUT),
            Target::Flaky(share) => chance.permille(share).then_some(Code::EXPECT_STATUS),
            Target::DownV6 => (family == Family::V6).then_some(Code::CONNECT_UNREACHABLE),
        }
    }

    /// Every probe meets a failure.
    pub fn is_down(self) -> bool {
        matches!(self, Target::Down(_) | Target::Slow)
    }
}

/// A stretch of time in which a target does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Ms,
    pub to: Ms,
    pub target: Target,
}

/// The whole story of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth(Vec<Stretch>);

impl Truth {
    /// Makes one up.
    pub fn roll(chance: &Chance, ends: Ms) -> Self {
        let mut stretches = Vec::new();
        let mut from = 0;
        while from < ends {
            let ill = from > 0 && chance.permille(500);
            let (length, target) = if ill {
                (chance.between(3_000..=150_000), illness(chance))
            } else {
                (chance.between(10_000..=200_000), Target::Up)
            };
            stretches.push(Stretch { from, to: from + length, target });
            from += length;
        }
        Truth(stretches)
    }

    /// How the target is at this time; up after the end of the story.
    pub fn at(&self, now: Ms) -> Target {
        let found = self.0.iter().find(|stretch| (stretch.from..stretch.to).contains(&now));
        found.map_or(Target::Up, |stretch| stretch.target)
    }

    /// Its stretches in order.
    pub fn stretches(&self) -> &[Stretch] {
        &self.0
    }
}

fn illness(chance: &Chance) -> Target {
    const CODES: [Code; 5] =
        [Code::EXPECT_STATUS, Code::CONNECT_REFUSED, Code::DNS_NXDOMAIN, Code::TLS_EXPIRED, Code::SEND_RESET];
    match chance.between(0..=9) {
        0..=5 => Target::Down(*chance.pick(&CODES)),
        6..=7 => Target::Slow,
        8 => Target::Flaky(chance.between(100..=600)),
        _ => Target::DownV6,
    }
}
