//! The annotated default file: every key with what it is for and its default, all commented out. As it stands it
//! says nothing, so it can be saved as it is and uncommented where needed.

use super::keys::{ACTION, Key, Kind, MONITOR, SETTINGS};
use std::fmt::Write;

const WIDTH: usize = 110;

/// The text of the file.
pub fn default_file() -> String {
    let mut out = String::from(
        "# bellwether.yaml: settings of this process, then what it watches and whom it tells.\n\
         # Every line here is a comment; a file without anything is valid. ${VAR} reads the environment, $$ is a\n\
         # dollar sign, durations are 300ms, 10s, 5m, 24h, 7d.\n\n\
         # ---- Settings. They count from the next start unless it says `at once`.\n",
    );
    for key in SETTINGS {
        let depth = key.path.matches('.').count();
        out.push('\n');
        explain(&mut out, key, depth);
        let indent = "  ".repeat(depth);
        let value = if key.kind == Kind::Map { String::new() } else { format!(" {}", key.example) };
        line(&mut out, &format!("# {indent}{}:{value}", key.name()));
    }
    out.push_str("\n# ---- Declarations. A change counts at once.\n");
    list(&mut out, "monitors", MONITOR, &["name", "http", "every", "timeout", "expect", "labels"]);
    list(&mut out, "actions", ACTION, &["name", "type", "url"]);
    out
}

fn explain(out: &mut String, key: &Key, depth: usize) {
    let mut words = key.doc.to_owned();
    if !key.env.is_empty() {
        words.push_str(&format!(" Environment: {}.", key.env));
    }
    if !key.flag.is_empty() {
        words.push_str(&format!(" Flag: {}.", key.flag));
    }
    if key.live {
        words.push_str(" At once.");
    }
    let prefix = format!("#{} # ", "  ".repeat(depth));
    for text in wrapped(&words, WIDTH - prefix.len()) {
        line(out, &format!("{prefix}{text}"));
    }
}

/// One example item, and then every further key with its meaning.
fn list(out: &mut String, name: &str, table: &[Key], shown: &[&str]) {
    line(out, &format!("\n# {name}:"));
    let mut dash = "- ";
    for key in table.iter().filter(|key| shown.contains(&key.path)) {
        line(out, &format!("#   {dash}{}: {}", key.path, key.example));
        dash = "  ";
    }
    line(out, "#");
    for key in table.iter().filter(|key| !shown.contains(&key.path)) {
        let default = if key.default.is_empty() { String::new() } else { format!(" Default: {}.", key.default) };
        let head = format!("#     # {}: ", key.path);
        let indent = format!("#     #   {}", " ".repeat(0));
        for (index, text) in wrapped(&format!("{}{default}", key.doc), WIDTH - head.len()).iter().enumerate() {
            line(out, &format!("{}{text}", if index == 0 { &head } else { &indent }));
        }
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes every text");
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::file::read_text;
    use super::*;

    #[test]
    fn it_says_nothing() {
        assert!(default_file().lines().all(|line| line.is_empty() || line.starts_with('#')));
        assert!(default_file().lines().all(|line| line.chars().count() <= WIDTH));
    }

    /// With one `# ` taken from each line of a key, what is written is right.
    #[test]
    fn it_is_right_when_uncommented() {
        let is_key = |line: &&str| line.starts_with("# ") && !line.trim_start_matches(['#', ' ']).starts_with("----");
        let text: Vec<&str> = default_file_lines().into_iter().filter(is_key).map(|line| &line[2..]).collect();
        let keys: Vec<&str> = text.into_iter().filter(|line| !line.trim_start().starts_with('#')).skip(3).collect();
        let file = read_text(&keys.join("\n"), None, &|_| Some("https://example.com/".to_owned()));
        let file = file.unwrap_or_else(|told| panic!("{told}\n{}", keys.join("\n")));
        assert_eq!((file.declared.monitors.len(), file.declared.actions.len()), (1, 1));
        assert_eq!(file.stated.anchors, ["tcp:127.0.0.1:9001"]);
    }

    fn default_file_lines() -> Vec<&'static str> {
        Box::leak(default_file().into_boxed_str()).lines().collect()
    }
}
