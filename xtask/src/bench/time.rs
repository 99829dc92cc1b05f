//! Instants as seconds since 1970: the target's log has them as numbers, the API as text.

use std::time::SystemTime;

pub fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// `2026-11-21T12:00:00.123Z`
pub fn parse(text: &str) -> Option<f64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    Some(days(year, month, day) as f64 * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second)
}

/// Days since 1970, with the year beginning in March so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_seconds() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0.0));
        assert_eq!(parse("2000-03-01T00:00:00Z"), Some(951_868_800.0));
        assert_eq!(parse("2026-11-21T12:00:00.250Z"), Some(1_795_262_400.25));
        assert_eq!(parse("2024-02-29T23:59:59Z"), Some(1_709_251_199.0));
        assert_eq!(parse("yesterday"), None);
    }
}
