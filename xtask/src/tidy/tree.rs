//! The files that are, or would be, committed.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::shell;

pub struct Tree {
    pub files: Vec<File>,
}

pub struct File {
    /// From the root, with `/`.
    pub path: String,
    /// Absent for what is not text.
    pub text: Option<String>,
}

impl Tree {
    /// What git knows or would add; without git, what lies here and is not built.
    pub fn load() -> Result<Tree> {
        let root = shell::root();
        let mut git = shell::program("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let mut paths = match shell::capture(&mut git) {
            Ok(list) => String::from_utf8_lossy(&list).split_terminator('\0').map(str::to_owned).collect(),
            Err(_) => walk(root)?,
        };
        paths.sort_unstable();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let file = root.join(&path);
            // A file that is deleted but not yet committed is gone; a link is judged where it points.
            if !file.is_file() || file.is_symlink() {
                continue;
            }
            let bytes = fs::read(&file).with_context(|| format!("cannot read {path}"))?;
            files.push(File { path, text: String::from_utf8(bytes).ok() });
        }
        Ok(Tree { files })
    }

    /// Text files, as path and text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// Rust sources, as path and text.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// A file or a folder of this tree.
    pub fn holds(&self, path: &str) -> bool {
        let inside = |file: &File| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        path.is_empty() || self.files.iter().any(|file| file.path == path || inside(file))
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: Some((*text).into()) };
        Tree { files: files.iter().map(file).collect() }
    }
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            match path.is_dir() {
                true if [".git", "target", "bellwether-data"].contains(&name.as_str()) => {}
                true => folders.push(path),
                false => found.push(name),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_file_is_in_the_tree_with_and_without_git() {
        let this = "xtask/src/tidy/tree.rs";
        assert!(Tree::load().unwrap().holds(this));
        assert!(walk(shell::root()).unwrap().iter().any(|path| path == this));
    }

    #[test]
    fn folders_are_held_by_their_files() {
        let tree = Tree::of(&[("docs/adr/one.md", "")]);
        assert!(tree.holds("docs") && tree.holds("docs/adr") && tree.holds("docs/adr/one.md"));
        assert!(!tree.holds("doc") && !tree.holds("docs/adr/one"));
    }
}
