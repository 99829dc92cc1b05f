//! The key by which the original knew a pulse: bookmarks of its edit page hold it.

use bw_domain::beat::PulseKey;
use ring::digest::{Context, SHA256};

/// Lower-case hexadecimal SHA-256 of the four texts, joined without anything between: two pulses may have the same.
pub(super) fn id(pulse: &PulseKey) -> String {
    let mut context = Context::new(&SHA256);
    for part in pulse.parts() {
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text is one of its ids.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_digest_of_the_four_together() {
        let key = |parts: [&str; 4]| {
            let [host, category, r#type, name] = parts.map(Box::from);
            id(&PulseKey { host, category, r#type, name })
        };
        // printf abc | sha256sum
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(key(["a", "b", "c", ""]), abc);
        assert_eq!(key(["ab", "c", "", ""]), abc, "as the original has it");
        assert!(is_id(abc) && !is_id(&abc[1..]) && !is_id(&abc.to_uppercase()));
    }
}
