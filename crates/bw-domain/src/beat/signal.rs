//! What a beat says: its kind, the run that it belongs to, and what its body makes of it.

use super::mistake::Mistake;
use std::fmt;

/// The kind of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    Success,
    Start,
    Fail,
    /// Kept, and changes nothing.
    Log,
    /// The exit status of a job: 0 is success.
    Exit(u8),
}

impl Signal {
    /// The end of a ping's path: nothing, `start`, `fail`, `log`, or an exit status from 0 to 255.
    pub fn of_path(word: &str) -> Option<Signal> {
        match word {
            "" => Some(Signal::Success),
            "start" => Some(Signal::Start),
            "fail" => Some(Signal::Fail),
            "log" => Some(Signal::Log),
            _ if word.bytes().all(|byte| byte.is_ascii_digit()) => word.parse().ok().map(Signal::Exit),
            _ => None,
        }
    }

    /// As it is stored and shown; an exit status is shown besides.
    pub const fn word(self) -> &'static str {
        match self {
            Signal::Success | Signal::Exit(0) => "success",
            Signal::Start => "start",
            Signal::Fail | Signal::Exit(_) => "fail",
            Signal::Log => "log",
        }
    }

    /// Whether the job says that all is well.
    pub const fn is_success(self) -> bool {
        matches!(self, Signal::Success | Signal::Exit(0))
    }

    /// Whether the job says that it failed.
    pub const fn is_failure(self) -> bool {
        matches!(self, Signal::Fail | Signal::Exit(1..))
    }
}

/// Which of several overlapping runs: a UUID that the job chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u128);

impl RunId {
    /// Reads a UUID, with its hyphens or without.
    pub fn parse(text: &str) -> Option<RunId> {
        let bytes = text.as_bytes();
        let hyphens = match bytes.len() {
            36 => [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-'),
            32 => true,
            _ => false,
        };
        let mut value = 0u128;
        let mut digits = 0;
        for byte in bytes {
            if let Some(digit) = (*byte as char).to_digit(16) {
                value = value << 4 | u128::from(digit);
                digits += 1;
            }
        }
        (hyphens && digits == 32).then_some(RunId(value))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// What a body makes of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified {
    As(Signal),
    /// Kept as `ign`, and changes nothing: no keyword was found.
    Ignored,
}

/// Words in a body that say how the job went. Lists with commas, as Healthchecks has them; case counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords {
    failure: Vec<String>,
    success: Vec<String>,
    start: Vec<String>,
    /// Without any keyword the job has failed.
    pub default_fail: bool,
}

impl Keywords {
    /// Characters of one list.
    pub const LIST_MAX: usize = 200;

    /// From the three lists.
    pub fn new(failure: &str, success: &str, start: &str, default_fail: bool) -> Result<Keywords, Mistake> {
        let list = |text: &str| {
            if text.chars().count() > Self::LIST_MAX {
                let message = format!("a list of keywords has at most {} characters", Self::LIST_MAX);
                return Err(Mistake::new(Self::LIST_MAX, message));
            }
            Ok(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        };
        Ok(Keywords { failure: list(failure)?, success: list(success)?, start: list(start)?, default_fail })
    }

    /// What the beat is. Only a success is read: a job that says itself that it starts or fails is believed.
    pub fn classify(&self, signal: Signal, body: &[u8]) -> Classified {
        let any = self.default_fail
            || [&self.failure, &self.success, &self.start].iter().any(|list| !list.is_empty());
        if !any || signal != Signal::Success {
            return Classified::As(signal);
        }
        let hit = |list: &[String]| list.iter().any(|word| contains(body, word.as_bytes()));
        if hit(&self.failure) {
            Classified::As(Signal::Fail)
        } else if hit(&self.success) {
            Classified::As(Signal::Success)
        } else if hit(&self.start) {
            Classified::As(Signal::Start)
        } else if self.default_fail {
            Classified::As(Signal::Fail)
        } else {
            Classified::Ignored
        }
    }
}

fn contains(body: &[u8], word: &[u8]) -> bool {
    body.windows(word.len().max(1)).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path() {
        for (word, signal) in [
            ("", Some(Signal::Success)),
            ("start", Some(Signal::Start)),
            ("fail", Some(Signal::Fail)),
            ("log", Some(Signal::Log)),
            ("0", Some(Signal::Exit(0))),
            ("255", Some(Signal::Exit(255))),
            ("256", None),
            ("-1", None),
            ("Start", None),
        ] {
            assert_eq!(Signal::of_path(word), signal, "{word}");
        }
        assert!(Signal::Exit(0).is_success() && Signal::Exit(1).is_failure() && !Signal::Log.is_failure());
        assert_eq!((Signal::Exit(0).word(), Signal::Exit(9).word()), ("success", "fail"));
    }

    #[test]
    fn runs() {
        let text = "728b3763-ea80-4113-9fc0-f49b4adb226e";
        let run = RunId::parse(text).unwrap();
        assert_eq!(run.to_string(), text);
        assert_eq!(RunId::parse(&text.replace('-', "").to_uppercase()), Some(run));
        for wrong in [
            "",
            "1",
            "728b3763-ea80-4113-9fc0-f49b4adb226",
            "728b3763ea80-4113-9fc0-f49b4adb226e-",
            "é28b3763-ea80-4113-9fc0-f49b4adb226e",
        ] {
            assert_eq!(RunId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn words_of_a_body() {
        let check = |lists: (&str, &str, &str, bool), body: &str, expected: Classified| {
            let keywords = Keywords::new(lists.0, lists.1, lists.2, lists.3).unwrap();
            assert_eq!(keywords.classify(Signal::Success, body.as_bytes()), expected, "{lists:?} {body}");
        };
        let (fail, success, start) = (Signal::Fail, Signal::Success, Signal::Start);
        check(("", "", "", false), "ERROR", Classified::As(success));
        check(("ERROR, fatal", "OK", "begin", false), "OK but ERROR", Classified::As(fail));
        check(("ERROR, fatal", "OK", "begin", false), "begin OK", Classified::As(success));
        check(("ERROR, fatal", "OK", "begin", false), "begin", Classified::As(start));
        check(("ERROR, fatal", "OK", "begin", false), "error", Classified::Ignored);
        check(("ERROR, fatal", "OK", "begin", true), "error", Classified::As(fail));
        check(("", "", "", true), "anything", Classified::As(fail));
        check(("", "OK", "", false), "", Classified::Ignored);
        let keywords = Keywords::new("ERROR", "", "", false).unwrap();
        assert_eq!(keywords.classify(Signal::Start, b"ERROR"), Classified::As(Signal::Start));
        assert_eq!(keywords.classify(Signal::Success, b"\xff ERROR \xfe"), Classified::As(Signal::Fail));
        assert!(Keywords::new(&"x".repeat(201), "", "", false).is_err());
    }
}
