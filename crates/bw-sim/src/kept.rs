//! Seeds that once found something, a text file each: what to simulate, and what it found. Every test run simulates
//! them again.

use crate::script::Options;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// Where they are kept.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// All of them by file name.
pub fn all() -> io::Result<Vec<(String, Options)>> {
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let options = read(&std::fs::read_to_string(&path)?)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {why}")))?;
            kept.push((name, options));
        }
    }
    kept.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(kept)
}

/// Keeps one. Answers the name of its file.
pub fn keep(options: &Options, found: &str) -> io::Result<String> {
    let name = format!("{:016x}.txt", options.seed);
    std::fs::write(folder().join(&name), write(options, found))?;
    Ok(name)
}

/// The text of a file.
pub fn write(options: &Options, found: &str) -> String {
    let mut text = format!("found: {}\nseed: {}\n", found.replace('\n', " "), options.seed);
    let numbers = |list: &[usize]| list.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    let lines = [
        ("nodes", (options.nodes > 1).then(|| options.nodes.to_string())),
        ("hours", options.hours.map(|hours| hours.to_string())),
        ("monitors", options.monitors.as_deref().map(numbers)),
        ("faults", options.faults.as_deref().map(numbers)),
        ("calm_from", options.calm_from.map(|at| at.to_string())),
    ];
    for (key, value) in lines.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        writeln!(text, "{key}: {value}").expect("a string takes what is written");
    }
    text
}

/// The inverse of [`write`].
pub fn read(text: &str) -> Result<Options, String> {
    let mut options = Options::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (key, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no `key: value`"))?;
        let value = value.trim();
        match key {
            "found" => {}
            "seed" => options.seed = number(value)?,
            "nodes" => options.nodes = number(value)? as usize,
            "hours" => options.hours = Some(number(value)?),
            "monitors" => options.monitors = Some(numbers(value)?),
            "faults" => options.faults = Some(numbers(value)?),
            "calm_from" => options.calm_from = Some(number(value)?),
            other => return Err(format!("`{other}` is no key of a kept seed")),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn numbers(text: &str) -> Result<Vec<usize>, String> {
    text.split_whitespace().map(|part| number(part).map(|number| number as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let options = Options {
            seed: u64::MAX,
            nodes: 3,
            hours: Some(2),
            monitors: Some(vec![0, 2]),
            faults: Some(Vec::new()),
            calm_from: Some(90_000),
        };
        assert_eq!(read(&write(&options, "lag: a\nsentence: with a colon")), Ok(options));
        assert!(read("seed: one").is_err() && read("colour: red").is_err() && read("seed").is_err());
    }
}
