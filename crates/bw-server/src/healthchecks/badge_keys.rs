//! The addresses of badges. They stand in public pages, so they hold nothing else that is of use: they are made with a
//! key that follows from that of the interface, and change with it.

use super::unique::hex;
use crate::beat::BeatSettings;
use bw_domain::id::{MonitorId, Uuid};
use subtle::ConstantTimeEq;

/// Bytes of a signature: few, since a badge gives little away.
const SIGNATURE: usize = 8;

/// What makes and reads them.
pub struct BadgeKeys([u8; 32]);

impl BadgeKeys {
    /// Nothing where the interface has no key.
    pub fn of(settings: &BeatSettings) -> Option<BadgeKeys> {
        let key = settings.api_key.as_ref().or(settings.read_only_key.as_ref())?;
        Some(BadgeKeys(blake3::derive_key("bellwether 2026-11-21 badges", key.expose().as_bytes())))
    }

    /// The key of all badges with a tag.
    pub fn project(&self) -> Uuid {
        let mut bits = [0; 16];
        bits.copy_from_slice(&self.mac("project", &[])[..16]);
        Uuid::from_random(u128::from_be_bytes(bits))
    }

    /// The signature of a tag; `*` is all checks.
    pub fn sign(&self, tag: &str) -> String {
        hex(&self.mac("tag", tag.as_bytes())[..SIGNATURE])
    }

    /// Whether key and signature are those of this tag.
    pub fn is_signed(&self, key: &str, signature: &str, tag: &str) -> bool {
        let (project, ours) = (self.project().to_string(), self.sign(tag));
        bool::from(project.as_bytes().ct_eq(key.as_bytes()) & ours.as_bytes().ct_eq(signature.as_bytes()))
    }

    /// The key of one check's badge: its id with a signature, so that it is found without looking at all of them.
    pub fn check(&self, id: MonitorId) -> Uuid {
        Uuid(u128::from(id.0 as u64) << 64 | u128::from(self.of_check(id)))
    }

    /// The check of this badge.
    pub fn check_of(&self, key: &str) -> Option<MonitorId> {
        let key = Uuid::parse(key)?.0;
        let id = MonitorId((key >> 64) as u64 as i64);
        let same = self.of_check(id).to_be_bytes().ct_eq(&(key as u64).to_be_bytes());
        bool::from(same).then_some(id)
    }

    fn of_check(&self, id: MonitorId) -> u64 {
        let mac = self.mac("check", &id.0.to_be_bytes());
        u64::from_be_bytes(std::array::from_fn(|index| mac[index]))
    }

    fn mac(&self, what: &str, data: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(what.as_bytes()).update(&[0]).update(data);
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::secret::Secret;

    #[test]
    fn only_what_was_signed_is_taken() {
        let keys = |text: &str| {
            let settings = BeatSettings { api_key: Some(Secret::new(text)), ..BeatSettings::default() };
            BadgeKeys::of(&settings).unwrap()
        };
        let (ours, others) = (keys("a"), keys("b"));
        let key = ours.check(MonitorId(7)).to_string();
        assert_eq!(ours.check_of(&key), Some(MonitorId(7)));
        assert_eq!(others.check_of(&key), None);
        assert_eq!(ours.check_of(&key.replace('7', "8")), None);
        let project = ours.project().to_string();
        assert!(ours.is_signed(&project, &ours.sign("prod"), "prod"));
        assert!(!ours.is_signed(&project, &ours.sign("prod"), "test"));
        assert!(!others.is_signed(&project, &ours.sign("prod"), "prod"));
        assert!(BadgeKeys::of(&BeatSettings::default()).is_none());
    }
}
