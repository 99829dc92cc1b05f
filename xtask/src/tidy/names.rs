//! Names say what a thing is: no module is called after the fact that it holds code.

use std::path::Path;

use super::{Findings, tree::Tree};

const BANNED: &[&str] = &["common", "helper", "helpers", "misc", "types", "util", "utils"];

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.rust() {
        let parts = Path::new(path).with_extension("");
        let named = parts.iter().filter_map(|part| part.to_str()).find(|part| BANNED.contains(part));
        if let Some(name) = named {
            findings.error(path, format!("`{name}` says nothing: name it after what is in it"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(name) = inline(line) {
                findings.error(
                    format!("{path}:{number}"),
                    format!("`mod {name}` says nothing: name it after what is in it"),
                );
            }
        }
    }
}

/// The banned name of a module that stands inside another.
fn inline(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let declares = matches!(before.trim(), "" | "pub" | "pub(crate)" | "pub(super)");
    let name = after.strip_suffix('{')?.trim();
    (declares && BANNED.contains(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn files_folders_and_inner_modules_are_named_well() {
        let good = [("crates/a/src/slot.rs", "mod utilities {}\n// mod utils {"), ("docs/common/a.md", "")];
        assert!(testing::errors(check, &good).is_empty());
        for (path, text) in [("a/utils.rs", ""), ("a/common/mod.rs", ""), ("a/b.rs", "pub mod helpers {")] {
            assert_eq!(testing::errors(check, &[(path, text)]).len(), 1, "{path} {text}");
        }
    }
}
