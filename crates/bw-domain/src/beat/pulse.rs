//! The key of the heartbeat service: four texts that its clients send with every pulse.

/// Who pulses: all four together. The original joined them without a separator, so that two could be one; here they are
/// four.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PulseKey {
    pub host: Box<str>,
    pub category: Box<str>,
    pub r#type: Box<str>,
    pub name: Box<str>,
}

impl PulseKey {
    /// The four in the order of the original's columns.
    pub fn parts(&self) -> [&str; 4] {
        [&self.host, &self.category, &self.r#type, &self.name]
    }
}
