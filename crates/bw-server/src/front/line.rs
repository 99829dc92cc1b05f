//! One request line of a beat, as the HTTP library takes it. Pure.
//!
//! The method is what comes before the first space, the version what follows the last if it begins with `HTTP/`, the
//! target everything between without the spaces around it. A line without a version is HTTP/1.0; with GET it is the
//! whole request, as HTTP/0.9 has it. Of the target, from its path on, each byte that is not `plain` is
//! percent-encoded, so the handler that decodes it sees what was sent, the fragment included. A `%` stays as it is,
//! malformed or not: what it means is the handler's to say.

use super::BeatPaths;

/// What goes on instead of a line that the library would refuse.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instead {
    pub line: Vec<u8>,
    /// Bytes of the line that came.
    pub replaces: usize,
    /// No head follows: what the client sends after it is not looked at.
    pub complete: bool,
}

/// The parts of a request line.
struct Parts<'l> {
    method: &'l [u8],
    target: &'l [u8],
    version: &'l [u8],
    /// Where the target's path begins.
    path: usize,
}

/// What a line, its end included, becomes; nothing if it is no beat's or is taken as it is.
pub(super) fn instead(line: &[u8], paths: &BeatPaths) -> Option<Instead> {
    let bare = bare(line);
    let parts = parts(bare)?;
    if !paths.hold(&parts.target[parts.path..]) {
        return None;
    }
    let usual = bare.len() == parts.method.len() + parts.target.len() + parts.version.len() + 2;
    if usual && parts.target[parts.path..].iter().copied().all(plain) {
        return None;
    }
    let (version, complete): (&[u8], bool) = match parts.version {
        b"" if parts.method == b"GET" => (b"HTTP/1.0", true),
        b"" => (b"HTTP/1.0", false),
        version => (version, false),
    };
    let mut to = Vec::with_capacity(line.len() + 64);
    to.extend_from_slice(parts.method);
    to.push(b' ');
    to.extend_from_slice(&parts.target[..parts.path]);
    encode(&parts.target[parts.path..], &mut to);
    to.push(b' ');
    to.extend_from_slice(version);
    to.extend_from_slice(if complete { b"\r\n\r\n" } else { b"\r\n" });
    Some(Instead { line: to, replaces: line.len(), complete })
}

/// A line without its end.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether this, the beginning of a line, may become a request's: a method of token characters, then a space.
/// `bytes` are not empty.
pub(super) fn may_be_request(bytes: &[u8]) -> bool {
    let method = bytes.split(|byte| *byte == b' ').next().unwrap_or(bytes);
    !method.is_empty() && method.iter().copied().all(token)
}

fn parts(bare: &[u8]) -> Option<Parts<'_>> {
    let space = bare.iter().position(|byte| *byte == b' ')?;
    let (method, rest) = (&bare[..space], trim(&bare[space..]));
    if !may_be_request(bare) {
        return None;
    }
    let (target, version) = match rest.iter().rposition(|byte| *byte == b' ') {
        Some(space) if rest[space + 1..].starts_with(b"HTTP/") => (trim(&rest[..space]), &rest[space + 1..]),
        _ => (rest, &rest[rest.len()..]),
    };
    Some(Parts { method, target, version, path: path_of(target)? })
}

/// Where the path begins: at once, or after `scheme://authority`. One that is missing begins as no beat's does.
fn path_of(target: &[u8]) -> Option<usize> {
    if target.first() == Some(&b'/') {
        return Some(0);
    }
    let scheme = target.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let authority = target[scheme..].strip_prefix(b"://")?;
    let path = authority.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'))?;
    Some(scheme + 3 + path)
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b" ") {
        bytes = rest;
    }
    while let Some(rest) = bytes.strip_suffix(b" ") {
        bytes = rest;
    }
    bytes
}

fn encode(target: &[u8], into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in target.iter().copied() {
        if plain(byte) {
            into.push(byte);
        } else {
            into.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
}

fn plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

/// What a target may contain by RFC 3986, and `%`. The library takes some more, in the query more than in the path;
/// encoded they mean the same. A table, as each byte of each beat's target is looked up.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        plain[byte as usize] = byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        byte += 1;
    }
    plain
};

/// The characters of a method, by RFC 9110.
fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
