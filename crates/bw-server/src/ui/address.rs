//! Links that keep what the reader chose: a path with its query, written so that any text survives.

use std::fmt;

/// A path of ours and the pairs of its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    path: &'static str,
    pairs: Vec<(&'static str, String)>,
}

impl Address {
    /// A path alone.
    pub fn new(path: &'static str) -> Self {
        Address { path, pairs: Vec::new() }
    }

    /// With one pair more; an empty value says nothing and is left out.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.pairs.push((name, value));
        }
        self
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        for (index, (name, value)) in self.pairs.iter().enumerate() {
            write!(f, "{}{name}={}", if index == 0 { '?' } else { '&' }, Encoded(value))?;
        }
        Ok(())
    }
}

/// A text as it stands in a query: all but unreserved characters as `%XX`. `:` and `/` may stand there and read better.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' => {
                write!(f, "{}", char::from(byte))
            }
            byte => write!(f, "%{byte:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives() {
        let address = Address::new("/").with("q", "a&b=ü +").with("state", "").with("label", "team:web");
        assert_eq!(address.to_string(), "/?q=a%26b%3D%C3%BC%20%2B&label=team:web");
        assert_eq!(Address::new("/ui/incidents").to_string(), "/ui/incidents");
    }
}
