//! Nothing half done is committed: what is left over goes into an issue.

use super::{Findings, tree::Tree};

/// Written in halves: this file is checked too.
const WORDS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
];

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.texts().filter(|(path, _)| *path != "Cargo.lock") {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(word) = WORDS.iter().find(|word| stands_in(line, word)) {
                findings.error(
                    format!("{path}:{number}"),
                    format!("`{word}` is left: finish it or open an issue"),
                );
            }
        }
    }
}

/// The word by itself, not as part of another.
fn stands_in(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word)
        .any(|(at, _)| !part(line[..at].chars().next_back()) && !part(line[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn leftovers_are_found_and_longer_words_are_not() {
        let text = format!("// {}: later\nfine\n{}()", WORDS[0], WORDS[3]);
        let errors = testing::errors(check, &[("a.rs", &text)]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        let longer = format!("let {}S = 1; mkstemp(\"file{}X\")", WORDS[0], WORDS[2]);
        assert!(testing::errors(check, &[("a.rs", &longer)]).is_empty());
    }
}
