//! The known word nearest to what somebody wrote.

/// The known word that is surely meant: at most a third of its letters differ.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    let (distance, near) = known.into_iter().map(|known| (edits(&word, known), known)).min()?;
    (distance <= near.len().max(3) / 3).then_some(near)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_or_nothing() {
        let known = ["every", "timeout", "expect", "webhook_url", "tcp", "status", "body", "latency"];
        for (word, near) in [
            ("evry", Some("every")),
            ("timout", Some("timeout")),
            ("Expect", Some("expect")),
            ("webhook", None),
            ("webhok_url", Some("webhook_url")),
            ("tpc", Some("tcp")),
            ("colour", None),
            ("statuss", Some("status")),
            ("Latncy", Some("latency")),
            ("bdy", Some("body")),
            ("certificate", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
    }
}
