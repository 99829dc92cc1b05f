//! The known name nearest to what somebody wrote.

/// The nearest of `known`, unless even that is further than a third of its length.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    let ranked = known.into_iter().map(|name| (distance(&written, name), name));
    ranked
        .min_by_key(|(far, _)| *far)
        .filter(|(far, name)| *far <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// Insertions, removals and changes of one character.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(left != *right)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_or_nothing() {
        let known = ["status", "body", "latency"];
        for (written, expected) in [
            ("statuss", Some("status")),
            ("Latncy", Some("latency")),
            ("bdy", Some("body")),
            ("certificate", None),
        ] {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
    }
}
