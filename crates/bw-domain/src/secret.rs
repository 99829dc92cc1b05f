//! Values that must never reach a log, a message or a page. They are plain in memory, `***` wherever they are
//! written by accident, and sealed by the store where they rest.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is shown in place of a secret, and what a write sends to keep the value it cannot see.
pub const MASK: &str = "***";

/// A text that only [`Secret::expose`] gives away.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes a text in.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself. Each caller is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True for `***`: a writer wants the stored value kept.
    pub fn is_mask(&self) -> bool {
        &*self.0 == MASK
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input).map(Secret::new)
    }
}
