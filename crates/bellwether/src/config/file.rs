//! From a file to settings and declarations.

use super::calendars;
use super::expand::{Lookup, expand};
use super::settings::Stated;
use super::tree::{self, Node};
use super::{Mistake, Mistakes};
use bw_domain::access::digest;
use bw_domain::monitor::Defaults;
use bw_domain::read::Problem;
use bw_engine::usecase::apply::{Declared, mistakes};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The file that is read when nobody names one.
pub const DEFAULT_FILE: &str = "bellwether.yaml";

/// A file without mistakes in itself.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// As the user named it; `None`: there is no file, and every default holds.
    pub path: Option<PathBuf>,
    /// The file's name: under this name it owns what it declares.
    pub owner: String,
    /// What it says after variables were replaced, so that a new value of a variable is a new file.
    pub hash: [u8; 32],
    pub stated: Stated,
    pub declared: Declared,
    /// Its bytes when it was read.
    pub fingerprint: Option<[u8; 32]>,
    /// Its text. The tree of it would be many times as large, and is seldom asked for again.
    source: String,
}

/// Which file to read: the one that was named, or the default one if it is there.
pub fn find(named: Option<&str>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.into()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()),
    }
}

/// Reads a file, or nothing.
pub fn read(path: Option<&Path>, variable: Lookup<'_>) -> Result<ConfigFile, Mistakes> {
    let Some(path) = path else { return read_text("", None, variable) };
    let file = path.display().to_string();
    let whole = |message: String| Mistakes {
        file: file.clone(),
        all: vec![Mistake { place: Default::default(), path: String::new(), message }],
    };
    let bytes = std::fs::read(path).map_err(|error| whole(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| whole("is not UTF-8 text".to_owned()))?;
    read_text(&text, Some(path), variable)
}

/// Reads a text that came from `path`.
pub fn read_text(text: &str, path: Option<&Path>, variable: Lookup<'_>) -> Result<ConfigFile, Mistakes> {
    let file = path.map_or_else(|| DEFAULT_FILE.to_owned(), |path| path.display().to_string());
    let mut tree =
        tree::parse(text).map_err(|mistake| Mistakes { file: file.clone(), all: vec![mistake] })?;
    let mut mistakes = tree.twice();
    mistakes.extend(expand(&mut tree, variable));
    let mut document = tree.to_json();
    document.sort_all_objects();
    let mut problems = Vec::new();
    calendars::resolve(&mut document, path, &mut problems);
    let stated = Stated::read(&document, &mut problems);
    let declared = Declared::read(&document, &mut problems);
    mistakes.extend(located(&tree, problems));
    if !mistakes.is_empty() {
        return Err(Mistakes::new(file, mistakes));
    }
    let owner = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    Ok(ConfigFile {
        path: path.map(Path::to_owned),
        owner: owner.unwrap_or_else(|| DEFAULT_FILE.to_owned()),
        hash: digest(&document.to_string()),
        stated,
        declared,
        fingerprint: Some(digest(text)),
        source: text.to_owned(),
    })
}

impl ConfigFile {
    /// Checks what is declared against the defaults of the installation.
    pub fn check(&self, defaults: &Defaults) -> Result<(), Mistakes> {
        let problems = mistakes(defaults, &self.declared);
        if problems.is_empty() { Ok(()) } else { Err(self.locate(problems)) }
    }

    /// Puts problems at their places.
    pub fn locate(&self, problems: Vec<Problem>) -> Mistakes {
        Mistakes::new(self.shown(), located(&self.tree(), problems))
    }

    fn tree(&self) -> Node {
        tree::parse(&self.source).expect("it was parsed when it was read")
    }

    /// The file as the user named it.
    pub fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| DEFAULT_FILE.to_owned(), |path| path.display().to_string())
    }

    /// What it declares as a document, variables replaced: secrets inside.
    pub fn declarations(&self, variable: Lookup<'_>) -> Value {
        let mut tree = self.tree();
        let unset = expand(&mut tree, variable);
        debug_assert!(unset.is_empty(), "the variables were there when it was read");
        let mut document = tree.to_json();
        let mut problems = Vec::new();
        calendars::resolve(&mut document, self.path.as_deref(), &mut problems);
        debug_assert!(problems.is_empty(), "the calendars were there when it was read");
        let Value::Object(mut document) = document else { return Value::Null };
        document.retain(|key, _| key == "monitors" || key == "actions");
        Value::Object(document)
    }

    /// Puts line and column before each line of a text that begins with one of our paths.
    pub fn with_lines(&self, text: &str) -> String {
        let (file, tree) = (self.shown(), self.tree());
        let located = |line: &str| match line.split_once(": ") {
            Some((path, _)) if path.starts_with("monitors[") || path.starts_with("actions[") => {
                let place = tree.locate(path);
                format!("{file}:{}:{}: {line}", place.line, place.column)
            }
            _ => line.to_owned(),
        };
        text.lines().map(located).collect::<Vec<_>>().join("\n")
    }
}

fn located(tree: &Node, problems: Vec<Problem>) -> Vec<Mistake> {
    let locate = |Problem { path, message }: Problem| Mistake { place: tree.locate(&path), path, message };
    problems.into_iter().map(locate).collect()
}

impl Mistakes {
    fn new(file: String, mut all: Vec<Mistake>) -> Self {
        all.sort_by_key(|mistake| mistake.place);
        Mistakes { file, all }
    }
}

#[cfg(test)]
mod tests;
