//! The labels of a monitor: few, read often, never changed, and the same for many monitors. So they are one sorted
//! slice that equal sets share; a map would take half a kilobyte for the first entry.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sorted by key; each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(pub Arc<[(String, String)]>);

impl Labels {
    pub fn get(&self, key: &str) -> Option<&String> {
        let place = self.0.binary_search_by(|(held, _)| held.as_str().cmp(key)).ok()?;
        Some(&self.0[place].1)
    }

    /// By key.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For documents that outlive the monitor.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.0.iter().cloned().collect()
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(map: BTreeMap<String, String>) -> Self {
        Labels(map.into_iter().collect())
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_read_like_a_map() {
        let map =
            BTreeMap::from([("tier", "gold"), ("team", "web")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        let labels = Labels::from(map.clone());
        assert_eq!(labels.get("team").map(String::as_str), Some("web"));
        assert_eq!(labels.get("nobody"), None);
        assert_eq!(labels.to_map(), map);
        assert_eq!(
            serde_json::to_value(&labels).expect("JSON"),
            serde_json::json!({"team": "web", "tier": "gold"})
        );
    }
}
