//! Every module opens with what it is for.

use super::{Findings, tree::Tree};

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.rust() {
        let opening = text.lines().next().unwrap_or_default();
        if opening.strip_prefix("//!").is_none_or(|words| words.trim().is_empty()) {
            findings.error(path, "does not open with `//!` and what the module is for");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn the_first_line_says_what_the_module_is_for() {
        assert!(testing::errors(check, &[("a.rs", "//! Slots.\nuse x;")]).is_empty());
        assert!(testing::errors(check, &[("a.sh", "echo")]).is_empty());
        for text in ["use x;", "//!\nuse x;", "", "// A comment\n//! too late"] {
            let errors = testing::errors(check, &[("a.rs", text)]);
            assert_eq!(errors, ["a.rs: does not open with `//!` and what the module is for"], "{text:?}");
        }
    }
}
