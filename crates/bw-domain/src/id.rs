//! Identities. What people declare, and incidents, carry small integers from the store, never reused; units of
//! work carry 128 bits computed from their meaning, so that the same work done twice has the same name.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! small_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

small_id! {
    /// A monitor, the same in every interface and log line.
    MonitorId,
    /// An incident.
    IncidentId,
    /// A declared action.
    ActionId,
    /// An access token.
    TokenId,
    /// A stored piece of evidence.
    EvidenceId,
}

macro_rules! work_id {
    ($($(#[$doc:meta])* $name:ident = $domain:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The identity of the work that these parts mean.
            pub fn of(parts: &[&[u8]]) -> Self {
                Self(digest($domain, parts))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

work_id! {
    /// One probe for one slot or repeat: (monitor, vantage, slot, try).
    JobId = "job",
    /// One thing that happened: (cause, kind).
    EventId = "event",
    /// One event on its way to one action: (event, action).
    DeliveryId = "delivery",
}

/// Text that should have been 32 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("an id of this kind is 32 hexadecimal digits")]
pub struct NotAnId;

/// Each part is prefixed by its length, so that ("ab","c") and ("a","bc") differ.
fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}

fn parse_hex(text: &str) -> Result<[u8; 16], NotAnId> {
    if text.len() != 32 || !text.is_ascii() {
        return Err(NotAnId);
    }
    let mut id = [0; 16];
    for (index, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| NotAnId)?;
    }
    Ok(id)
}

/// The random identity of a monitor across installations (its ping address later), as text with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

impl Uuid {
    /// A version 4 UUID from 128 random bits.
    pub fn from_random(bits: u128) -> Self {
        Self((bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62))
    }

    /// Reads the text of a UUID: lower case, with its hyphens and nothing else, as clients of pings send it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 {
            return None;
        }
        let mut value = 0u128;
        for (index, byte) in bytes.iter().enumerate() {
            match (index, byte) {
                (8 | 13 | 18 | 23, b'-') => {}
                (8 | 13 | 18 | 23, _) => return None,
                (_, b'0'..=b'9') => value = value << 4 | u128::from(byte - b'0'),
                (_, b'a'..=b'f') => value = value << 4 | u128::from(byte - b'a' + 10),
                _ => return None,
            }
        }
        Some(Self(value))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        let (a, b, c) = ((v >> 96) as u32, (v >> 80) as u16, (v >> 64) as u16);
        let (d, e) = ((v >> 48) as u16, (v as u64) & 0xffff_ffff_ffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Uuid {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ids_depend_on_domain_and_on_where_parts_end() {
        assert_ne!(JobId::of(&[b"ab", b"c"]), JobId::of(&[b"a", b"bc"]));
        assert_ne!(JobId::of(&[b"a"]).0, EventId::of(&[b"a"]).0);
        let id = DeliveryId::of(&[b"x"]);
        assert_eq!(id.to_string().parse::<DeliveryId>().expect("own text"), id);
        assert!("zz".parse::<DeliveryId>().is_err());
    }

    #[test]
    fn random_uuids_say_their_version() {
        assert_eq!(Uuid::from_random(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(Uuid::from_random(0).to_string(), "00000000-0000-4000-8000-000000000000");
    }
}
