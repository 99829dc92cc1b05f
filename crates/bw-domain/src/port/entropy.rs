//! Chance from outside.

/// Random bits: for identities, secrets and jitter.
pub trait Entropy: Send + Sync {
    /// 128 unpredictable bits.
    fn bits(&self) -> u128;
}
