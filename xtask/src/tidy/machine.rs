//! Nothing that is true on one machine only: no absolute path of somebody's folders, no registry or mirror but
//! the public one.

use super::{Findings, tree::Tree};

/// Folders in which people and machines keep checkouts. (Written in halves: this file is checked too.)
const FOLDERS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Settings that point a package manager somewhere else.
const MIRRORS: &[&str] = &[
    concat!("replace", "-with"),
    concat!("[source.", "crates-io]"),
    concat!("CARGO_", "REGISTRIES_"),
    concat!("index", "-url"),
    concat!("PIP_", "INDEX_URL"),
    concat!("GOP", "ROXY="),
    concat!("--reg", "istry="),
    concat!("npm_config", "_registry"),
];

const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.texts() {
        let lock = path == "Cargo.lock";
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{path}:{number}");
            if let Some(folder) = FOLDERS.iter().find(|folder| begins_a_path(line, folder)) {
                findings.error(
                    &place,
                    format!("`{folder}…` is a folder of one machine: take it from a flag or a variable"),
                );
            }
            if let Some(mirror) = MIRRORS.iter().find(|mirror| line.contains(**mirror)) {
                findings.error(&place, format!("`{mirror}` points at another registry: that belongs to the machine, not to the checkout"));
            }
            if lock && line.starts_with("source = ") && line != CRATES_IO {
                findings.error(&place, "not from crates.io: take a published version");
            }
        }
    }
}

/// The folder stands at the beginning of a path, not inside a longer one or an address.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"/._-}$~*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn folders_of_one_machine_are_found_and_others_are_not() {
        let bad = format!("cd {}me/project\nfine\nlet p = \"{}x\";", FOLDERS[2], FOLDERS[1]);
        let errors = testing::errors(check, &[("a.md", &bad)]);
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("a.md:1:") && errors[1].starts_with("a.md:3:"));
        let good =
            format!("https://example.com{}x and $HOME{}x and docs{}x", FOLDERS[2], FOLDERS[0], FOLDERS[1]);
        assert!(testing::errors(check, &[("a.md", &good)]).is_empty());
    }

    #[test]
    fn only_the_public_registry() {
        let locked = format!("name = \"x\"\n{CRATES_IO}\n");
        assert!(testing::errors(check, &[("Cargo.lock", &locked)]).is_empty());
        let errors = testing::errors(check, &[("Cargo.lock", "source = \"git+https://example.com/x\"")]);
        assert_eq!(errors, ["Cargo.lock:1: not from crates.io: take a published version"]);
        let mirrored = format!("[source.x]\n{} = \"y\"", MIRRORS[0]);
        assert_eq!(testing::errors(check, &[(".cargo/config.toml", &mirrored)]).len(), 1);
    }
}
