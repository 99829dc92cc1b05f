//! Where the next request line begins: after a head without a body, or after as many bytes as `Content-Length` says.
//! Pure but for the turns that it tells.
//!
//! Must hold: a line counts as a request's only where the HTTP library, too, sees one. Wherever the library might
//! see it differently, nothing is looked at any more: after a chunked body, a length that is no number or that
//! comes twice, CONNECT, a line longer than `limits::LINE`, and what cannot be HTTP/1. That request is then the
//! connection's last, so a beat that would have followed comes on a connection of its own.

use super::BeatPaths;
use super::line::{self, Instead};
use super::turns::Turns;
use crate::limits;
use std::io::BufRead;
use std::sync::Arc;

#[derive(Debug)]
enum At {
    /// Before a request line.
    Line,
    /// Among the fields of a head, with the length that one of them said.
    Head(Option<u64>),
    /// So many bytes before the next line.
    Body(u64),
    /// Where nothing is looked at any more.
    Beyond,
}

pub(super) struct Framing {
    paths: BeatPaths,
    at: At,
    /// Request lines that have gone by.
    turn: u64,
    turns: Arc<Turns>,
}

impl Framing {
    pub fn new(paths: BeatPaths, turns: Arc<Turns>) -> Self {
        Self { paths, at: At::Line, turn: 0, turns }
    }

    /// How many of the next bytes go on as they are. What remains begins with a line that has no end yet, or with
    /// one to be rewritten.
    pub fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            let rest = &bytes[passed..];
            match self.at {
                At::Beyond => return bytes.len(),
                At::Body(left) => {
                    let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    // A `usize` has no more than 64 bits, and `taken` is at most `left`.
                    let left = left - taken as u64;
                    self.at = if left == 0 { At::Line } else { At::Body(left) };
                    passed += taken;
                }
                At::Line | At::Head(_) => {
                    let Some(end) = end_of_line(rest) else {
                        if self.may_go_on(rest) {
                            return passed;
                        }
                        self.give_up();
                        continue;
                    };
                    let line = &rest[..end];
                    if matches!(self.at, At::Line) && self.instead(line).is_some() {
                        return passed;
                    }
                    self.went_by(line);
                    passed += line.len();
                }
            }
        }
        passed
    }

    /// What goes on instead of the line that begins these bytes, if it has its end and is to be rewritten. It has
    /// gone by then.
    pub fn rewrite(&mut self, bytes: &[u8]) -> Option<Instead> {
        if !matches!(self.at, At::Line) {
            return None;
        }
        let instead = self.instead(&bytes[..end_of_line(bytes)?])?;
        self.turn += 1;
        self.turns.end_with(self.turn);
        self.at = if instead.complete { At::Beyond } else { At::Head(None) };
        Some(instead)
    }

    fn instead(&self, line: &[u8]) -> Option<Instead> {
        if line.len() > limits::LINE {
            return None;
        }
        line::instead(line, &self.paths)
    }

    /// From here on nothing is looked at, and the request that is under way or comes next is the last.
    pub fn give_up(&mut self) {
        let turn = if matches!(self.at, At::Line) { self.turn + 1 } else { self.turn };
        self.turns.end_with(turn);
        self.at = At::Beyond;
    }

    /// Whether the beginning of a line is worth waiting for its end.
    fn may_go_on(&self, beginning: &[u8]) -> bool {
        let request = match self.at {
            At::Line => beginning == b"\r" || line::may_be_request(beginning),
            _ => true,
        };
        request && beginning.len() <= limits::LINE
    }

    fn went_by(&mut self, line: &[u8]) {
        let bare = line::bare(line);
        match self.at {
            At::Line if bare.is_empty() => {}
            At::Line if line.len() > limits::LINE || !line::may_be_request(bare) => self.give_up(),
            At::Line => {
                self.turn += 1;
                self.at = At::Head(None);
                if bare.starts_with(b"CONNECT ") {
                    self.give_up();
                }
            }
            At::Head(length) if bare.is_empty() => {
                self.at = length.filter(|length| *length > 0).map_or(At::Line, At::Body);
            }
            At::Head(length) => match said(bare) {
                Said::Nothing => {}
                Said::Length(said) if length.is_none() => self.at = At::Head(Some(said)),
                Said::Length(_) | Said::Otherwise => self.give_up(),
            },
            At::Body(_) | At::Beyond => unreachable!("lines are looked for in heads only"),
        }
    }
}

/// How long the first line is with its end, if that has come. The library's search looks at many bytes at once.
fn end_of_line(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let length = rest.skip_until(b'\n').ok()?;
    bytes[..length].ends_with(b"\n").then_some(length)
}

/// What a field of a head says about the body.
enum Said {
    Nothing,
    Length(u64),
    Otherwise,
}

fn said(field: &[u8]) -> Said {
    const LENGTH: &[u8] = b"content-length";
    const CODING: &[u8] = b"transfer-encoding";
    // Most fields begin otherwise.
    if !matches!(field.first(), Some(b'c' | b'C' | b't' | b'T')) {
        return Said::Nothing;
    }
    if begins(field, CODING) {
        return Said::Otherwise;
    }
    if !begins(field, LENGTH) {
        return Said::Nothing;
    }
    let number = field[LENGTH.len()..].strip_prefix(b":").and_then(|value| str::from_utf8(value).ok());
    let number = number.map(|value| value.trim_matches([' ', '\t']));
    match number {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().map_or(Said::Otherwise, Said::Length)
        }
        _ => Said::Otherwise,
    }
}

fn begins(field: &[u8], name: &[u8]) -> bool {
    field.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
}
