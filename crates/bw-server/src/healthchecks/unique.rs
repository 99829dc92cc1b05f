//! A check as those who may only read name it: a digest that gives its address not away. SHA-1, because clients have it
//! in their lists; nothing rests on its strength, since a UUID cannot be guessed.

use bw_domain::id::Uuid;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// Hex SHA-1 of the first sixteen digits of the UUID.
pub fn unique_key(uuid: Uuid) -> String {
    let half = format!("{:016x}", (uuid.0 >> 64) as u64);
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, half.as_bytes()).as_ref())
}

/// Bytes as lower-case digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_of_the_original() {
        // printf 728b3763ea804113 | sha1sum
        let uuid = Uuid::parse("728b3763-ea80-4113-9fc0-f49b4adb226e").unwrap();
        assert_eq!(unique_key(uuid), "e7fcf30445b7d5ed69fc737893bf6419c0508f24");
    }
}
