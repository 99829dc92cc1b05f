//! Logarithmic bins for durations: γ = 1.02, so a bin's middle is within one per cent of anything in it. One
//! microsecond to beyond an hour fits in some 1,200 bins, hence 16 bits.

/// ln(1.02)
const LN_GAMMA: f64 = 0.019_802_627_296_179_713;

/// The bin of a duration in microseconds; 0 is "nothing measured" and holds 0 alone.
pub fn of(us: u32) -> u16 {
    if us == 0 { 0 } else { 1 + (f64::from(us).ln() / LN_GAMMA).round() as u16 }
}

/// The middle of a bin, in microseconds.
pub fn middle(bin: u16) -> u32 {
    if bin == 0 { 0 } else { (f64::from(bin - 1) * LN_GAMMA).exp().round() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_one_per_cent() {
        for us in (1..100_000u32).chain((100_000..u32::MAX).step_by(9_999_991)) {
            let seen = f64::from(middle(of(us)));
            let error = (seen - f64::from(us)).abs();
            assert!(error <= f64::from(us) * 0.01 + 0.5, "{us} -> {seen}");
        }
    }
}
