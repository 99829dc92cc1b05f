//! Times as clients of the original read them: in UTC, with its offset, without a fraction in checks and with six digits
//! of it in pings.

use bw_domain::time::Instant;

/// `2026-01-01T00:00:00+00:00`.
pub fn whole(at: Instant) -> String {
    format!("{}+00:00", &at.to_string()[..19])
}

/// `2026-01-01T00:00:00.123000+00:00`.
pub fn fine(at: Instant) -> String {
    format!("{}000+00:00", &at.to_string()[..23])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let at = Instant::parse("2026-01-01T00:00:00.120Z").unwrap();
        assert_eq!(whole(at), "2026-01-01T00:00:00+00:00");
        assert_eq!(fine(at), "2026-01-01T00:00:00.120000+00:00");
        assert_eq!(whole(Instant::MAX), "9999-12-30T22:00:00+00:00");
    }
}
