//! Query strings as the original clients write them: split at each `&`, then at the first `=`; `+` is a space, `%xx` a
//! byte, and what is no `%xx` stays as it is. Bytes that are not UTF-8 are Latin-1, which the heartbeat service's client
//! sends raw. Nothing is ever refused here: what a parameter means is said by who reads it.
//!
//! A literal plus therefore becomes a space: the form rule. The original client never sends a space as a plus.

use std::borrow::Cow;

/// The last value of a parameter, as the originals take it.
pub(super) fn last<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    pairs(query).filter(|(key, _)| key == name).last().map(|(_, value)| value)
}

/// All parameters, in order.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key, true), decode(value, true))
    })
}

/// A path is the same without the rule about the plus.
pub(super) fn path(path: &str) -> Cow<'_, str> {
    decode(path, false)
}

fn decode(text: &str, form: bool) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || (form && byte == b'+')) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, next)) = rest.split_first() {
        rest = next;
        bytes.push(match byte {
            b'+' if form => b' ',
            b'%' => match next {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    rest = after;
                    digit(*high) << 4 | digit(*low)
                }
                _ => b'%',
            },
            byte => *byte,
        });
    }
    let latin = |error: std::string::FromUtf8Error| error.into_bytes().into_iter().map(char::from).collect();
    Cow::Owned(String::from_utf8(bytes).unwrap_or_else(latin))
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_write() {
        for (query, value) in [
            ("name=a%20b", "a b"),
            ("name=a+b", "a b"),
            ("name=ty?pe", "ty?pe"),
            ("name=a=b", "a=b"),
            ("name=a/b", "a/b"),
            ("name=K%F6ln", "Köln"),
            ("name=K%C3%B6ln", "Köln"),
            ("name=%f6%c3%b6", "öÃ¶"),
            ("name=%zz%4%&x=1", "%zz%4%"),
            ("name=1&name=2", "2"),
            ("n%61me=%41", "A"),
            ("&&name", ""),
        ] {
            assert_eq!(last(query, "name").as_deref(), Some(value), "{query}");
        }
        assert_eq!(last("names=1&Name=2", "name"), None);
        assert_eq!(path("a+b%2Fc"), "a+b/c");
    }
}
