//! A file is read in one sitting: up to 400 lines, never more than 700. Generated files are exempt.

use super::{Findings, tree::Tree};

const SOFT: usize = 400;
const HARD: usize = 700;

/// What people write and read as program text.
const KINDS: &[&str] = &[".rs", ".sql", ".js", ".css", ".html", ".sh"];

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.texts() {
        if !KINDS.iter().any(|kind| path.ends_with(kind)) || generated(text) {
            continue;
        }
        match text.lines().count() {
            lines if lines > HARD => {
                findings.error(path, format!("{lines} lines, {HARD} at most: split it by concept"));
            }
            lines if lines > SOFT => findings.note(path, format!("{lines} lines, better below {SOFT}")),
            _ => {}
        }
    }
}

/// The usual mark, near the top.
fn generated(text: &str) -> bool {
    text.lines().take(5).any(|line| line.contains(concat!("@gene", "rated")))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn long_files_are_noted_then_refused() {
        let (fine, long, longer) = ("x\n".repeat(400), "x\n".repeat(401), "x\n".repeat(701));
        let files = [("fine.rs", fine.as_str()), ("long.rs", &long), ("longer.sql", &longer)];
        assert_eq!(testing::notes(check, &files), ["long.rs: 401 lines, better below 400"]);
        let errors = testing::errors(check, &files);
        assert_eq!(errors, ["longer.sql: 701 lines, 700 at most: split it by concept"]);
    }

    #[test]
    fn prose_and_generated_files_may_be_long() {
        let generated = format!("// @{}\n{}", "generated", "x\n".repeat(900));
        let prose = "x\n".repeat(900);
        assert!(testing::errors(check, &[("a.rs", &generated), ("b.md", &prose)]).is_empty());
    }
}
