//! The addresses of heartbeats: what a client of any dialect sends finds its heartbeat here, in memory.
//!
//! A key is a digest of 64 bits beside an id, sixteen bytes: a million heartbeats have two or three each. Whoever looks a
//! key up compares what was found with what was sent.

use bw_domain::beat::PulseKey;
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::monitor::Spec;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// What a client sends.
#[derive(Clone, Copy, Debug)]
pub enum BeatKey<'a> {
    Uuid(Uuid),
    Slug(&'a str),
    Pulse(&'a PulseKey),
}

impl BeatKey<'_> {
    /// Whether it is this heartbeat's.
    pub fn is_of(&self, spec: &Spec) -> bool {
        match (self, spec.declared.heartbeat()) {
            (_, None) => false,
            (BeatKey::Uuid(uuid), _) => spec.uuid == *uuid,
            (BeatKey::Slug(slug), _) => spec.declared.slug_shown().is_some_and(|own| own == *slug),
            (BeatKey::Pulse(key), Some(heartbeat)) => heartbeat.pulse() == Some(key),
        }
    }

    fn feed(&self, hasher: &mut impl Hasher) {
        match self {
            BeatKey::Uuid(uuid) => hasher.write_u128(uuid.0),
            BeatKey::Slug(slug) => {
                hasher.write_u8(1);
                hasher.write(slug.as_bytes());
            }
            BeatKey::Pulse(key) => {
                for part in key.parts() {
                    hasher.write_usize(part.len());
                    hasher.write(part.as_bytes());
                }
            }
        }
    }
}

/// From digests to heartbeats.
#[derive(Debug, Default)]
pub(super) struct BeatKeys {
    /// Seeded anew by each process, so that nobody can choose slugs that meet.
    digests: RandomState,
    one: HashMap<u64, MonitorId>,
    /// Further ones with a digest that is taken.
    more: HashMap<u64, SmallVec<[MonitorId; 2]>>,
}

impl BeatKeys {
    pub fn find(&self, key: &BeatKey<'_>) -> SmallVec<[MonitorId; 1]> {
        let digest = self.digest(key);
        let more = self.more.get(&digest).into_iter().flatten();
        self.one.get(&digest).into_iter().chain(more).copied().collect()
    }

    pub fn add(&mut self, spec: &Spec) {
        for digest in self.of(spec) {
            match self.one.get(&digest) {
                None => drop(self.one.insert(digest, spec.id)),
                Some(id) if *id == spec.id => {}
                Some(_) => {
                    let more = self.more.entry(digest).or_default();
                    if !more.contains(&spec.id) {
                        more.push(spec.id);
                    }
                }
            }
        }
    }

    pub fn remove(&mut self, spec: &Spec) {
        for digest in self.of(spec) {
            if let Some(more) = self.more.get_mut(&digest) {
                more.retain(|id| *id != spec.id);
            }
            if self.one.get(&digest) == Some(&spec.id) {
                match self.more.get_mut(&digest).and_then(SmallVec::pop) {
                    Some(next) => drop(self.one.insert(digest, next)),
                    None => drop(self.one.remove(&digest)),
                }
            }
            if self.more.get(&digest).is_some_and(SmallVec::is_empty) {
                self.more.remove(&digest);
            }
        }
    }

    fn of(&self, spec: &Spec) -> SmallVec<[u64; 3]> {
        let Some(heartbeat) = spec.declared.heartbeat() else { return SmallVec::new() };
        let slug = spec.declared.slug_shown();
        let keys = [
            Some(BeatKey::Uuid(spec.uuid)),
            slug.as_deref().filter(|slug| !slug.is_empty()).map(BeatKey::Slug),
            heartbeat.pulse().map(BeatKey::Pulse),
        ];
        keys.iter().flatten().map(|key| self.digest(key)).collect()
    }

    fn digest(&self, key: &BeatKey<'_>) -> u64 {
        let mut hasher = self.digests.build_hasher();
        key.feed(&mut hasher);
        hasher.finish()
    }
}
