//! The end of what a command wrote, standard output and standard error together in the order of their arrival. It
//! holds what a server may take and nothing before it, however much is written.

use std::collections::VecDeque;

/// What our own server keeps of a report, and the most that is ever sent.
pub const TAIL_MAX: usize = 64 << 10;
/// What is sent to a server that has not said how much it takes.
pub const TAIL_UNKNOWN: usize = 10_000;

/// The last [`TAIL_MAX`] bytes.
#[derive(Default)]
pub struct Tail {
    bytes: VecDeque<u8>,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_MAX)..];
        let over = (self.bytes.len() + bytes.len()).saturating_sub(TAIL_MAX);
        self.bytes.drain(..over);
        self.bytes.extend(bytes);
    }

    /// The last bytes with `last` as a line after them, together at most `limit`; no character is cut in two.
    pub fn end(&self, limit: usize, last: Option<&str>) -> Vec<u8> {
        let mut all: Vec<u8> = self.bytes.iter().copied().collect();
        if let Some(line) = last {
            if !all.is_empty() && !all.ends_with(b"\n") {
                all.push(b'\n');
            }
            all.extend_from_slice(line.as_bytes());
            all.push(b'\n');
        }
        let mut from = all.len().saturating_sub(limit.min(TAIL_MAX));
        if from > 0 {
            // A character has at most three bytes after its first; more of them is no text.
            from += all[from..].iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
        }
        all.split_off(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str) -> Tail {
        let mut tail = Tail::default();
        tail.push(text.as_bytes());
        tail
    }

    #[test]
    fn the_last_bytes_stay() {
        let mut tail = Tail::default();
        for at in 0..20_000u32 {
            tail.push(format!("{at:07}\n").as_bytes());
        }
        assert_eq!(tail.end(usize::MAX, None).len(), TAIL_MAX);
        assert_eq!(tail.end(16, None), b"0019998\n0019999\n");
        tail.push(&[b'x'; 3 * TAIL_MAX]);
        assert_eq!(tail.end(usize::MAX, None), [b'x'; TAIL_MAX]);
    }

    #[test]
    fn a_last_line_is_a_line_and_within_the_limit() {
        assert_eq!(tail("working").end(100, Some("over")), b"working\nover\n");
        assert_eq!(tail("working\n").end(8, Some("over")), b"ng\nover\n");
        assert_eq!(tail("").end(100, Some("over")), b"over\n");
    }

    #[test]
    fn no_character_is_cut() {
        for limit in 0..8 {
            let end = tail("aä€😀").end(limit, None);
            assert!(std::str::from_utf8(&end).is_ok(), "{limit}: {end:?}");
        }
    }
}
