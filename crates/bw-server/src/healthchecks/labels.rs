//! Tags as clients write them, words with spaces between, and what they are among our labels: a tag that may be a label's
//! key is one with an empty value, `key=value` and `key:value` are one with that value. The text itself is kept
//! literally; a tag that fits nowhere is a tag only.
//!
//! Labels that were given by hand stay as they are, whatever is written here.

use bw_domain::limits;
use bw_domain::monitor::{Declaration, Labels};
use std::collections::BTreeMap;

/// The tags of a text, each once.
pub fn tags(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for tag in text.split(' ').map(str::trim).filter(|tag| !tag.is_empty()) {
        if !found.contains(&tag) {
            found.push(tag);
        }
    }
    found
}

/// The text of a heartbeat's tags: as it was written, or made of its labels where it never was.
pub fn shown(declared: &Declaration) -> String {
    if let Some(text) = declared.heartbeat().and_then(|heartbeat| heartbeat.tags()) {
        return text.to_owned();
    }
    let tag = |(key, value): (&String, &String)| match value.as_str() {
        "" => Some(key.clone()),
        value if value.contains(char::is_whitespace) => None,
        value => Some(format!("{key}={value}")),
    };
    declared.labels.iter().filter_map(tag).collect::<Vec<_>>().join(" ")
}

/// The labels after tags were written anew.
pub fn replaced(labels: &Labels, before: &str, after: &str) -> Labels {
    let mut map = labels.to_map();
    for (key, value) in tags(before).into_iter().filter_map(label) {
        if map.get(key).is_some_and(|held| held == value) {
            map.remove(key);
        }
    }
    let by_hand: BTreeMap<String, String> = map.clone();
    for (key, value) in tags(after).into_iter().filter_map(label) {
        if map.len() < limits::LABELS_MAX && !by_hand.contains_key(key) {
            map.insert(key.to_owned(), value.to_owned());
        }
    }
    map.into()
}

/// A tag as a label.
fn label(tag: &str) -> Option<(&str, &str)> {
    match tag.split_once(['=', ':']) {
        Some((key, value)) if is_key(key) && value.chars().count() <= limits::LABEL_VALUE_MAX => {
            Some((key, value))
        }
        _ => is_key(tag).then_some((tag, "")),
    }
}

fn is_key(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= limits::LABEL_KEY_MAX
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::monitor::{HeartbeatDeclared, OwnDeclared, TargetDeclared, TermsDeclared};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>().into()
    }

    #[test]
    fn tags_are_labels_where_they_fit() {
        let check = |before: &str, after: &str, held: &[(&str, &str)], expected: &[(&str, &str)]| {
            assert_eq!(replaced(&labels(held), before, after), labels(expected), "{before} → {after}");
        };
        check("", "prod team=web env:eu 4x ü", &[], &[("env", "eu"), ("prod", ""), ("team", "web")]);
        check("prod team=web", "team=db", &[("prod", ""), ("team", "web")], &[("team", "db")]);
        check("", "team=db", &[("team", "web")], &[("team", "web")]);
        check("", "a=1 a=2", &[], &[("a", "2")]);
        check("a", "", &[("a", "by hand"), ("b", "")], &[("a", "by hand"), ("b", "")]);
        let many: String = (0..40).map(|n| format!("t{n} ")).collect();
        assert_eq!(replaced(&Labels::default(), "", &many).len(), limits::LABELS_MAX);
    }

    #[test]
    fn labels_are_tags_where_none_were_written() {
        let mut declared = Declaration {
            labels: labels(&[("a", ""), ("b", "two words"), ("c", "x")]),
            ..Declaration::default()
        };
        assert_eq!(shown(&declared), "a c=x");
        let heartbeat = OwnDeclared { tags: Some("  x  y ".to_owned()), ..Default::default() };
        let heartbeat = HeartbeatDeclared::new(TermsDeclared::default(), heartbeat);
        declared.target = TargetDeclared::Heartbeat(heartbeat);
        assert_eq!(shown(&declared), "  x  y ");
        assert_eq!(tags("  x  y x "), ["x", "y"]);
    }
}
