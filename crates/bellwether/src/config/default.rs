//! The annotated default file: every key with what it is for and its default, all commented out. As it stands it
//! says nothing, so it can be saved as it is and uncommented where needed.

use super::keys::{ACTION, Key, Kind, MONITOR, SETTINGS};
use std::fmt::Write;

const WIDTH: usize = 110;
/// Before the meaning of an item's further keys.
const INDENT: &str = "##     ";

/// The text of the file.
pub fn default_file() -> String {
    let mut out = String::from(
        "## bellwether.yaml: settings of this process, then what it watches and whom it tells.\n\
         ## Nothing here is said yet: take the `# ` from a line to say it. A file without anything is valid, too.\n\
         ## ${VAR} reads the environment, $$ is a dollar sign, durations are 300ms, 10s, 5m, 24h, 7d.\n\n\n\
         ## Settings. They count from the next start unless it says `at once`.\n",
    );
    for key in SETTINGS {
        let depth = key.path.matches('.').count();
        out.push('\n');
        explain(&mut out, key, depth);
        let indent = "  ".repeat(depth);
        let value = if key.kind == Kind::Map { String::new() } else { format!(" {}", key.example) };
        line(&mut out, &format!("# {indent}{}:{value}", key.name()));
    }
    out.push_str("\n\n## Declarations. A change counts at once.\n");
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
    let prefix = format!("## {}", "  ".repeat(depth));
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
    for key in table.iter().filter(|key| !shown.contains(&key.path)) {
        let default =
            if key.default.is_empty() { String::new() } else { format!(" Default: {}.", key.default) };
        let words = format!("{}: {}{default}", key.path, key.doc);
        for (index, text) in wrapped(&words, WIDTH - INDENT.len() - 2).iter().enumerate() {
            line(out, &format!("{INDENT}{}{text}", if index == 0 { "" } else { "  " }));
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

    #[test]
    fn it_is_right_when_uncommented() {
        let default = default_file();
        let said: Vec<&str> = default.lines().filter_map(|line| line.strip_prefix("# ")).collect();
        let file = read_text(&said.join("\n"), None, &|name| {
            let is_key = name.ends_with("KEY");
            Some(if is_key { "0123456789abcdef0123456789abcdef" } else { "https://example.com/" }.to_owned())
        });
        let file = file.unwrap_or_else(|told| panic!("{told}\n{}", said.join("\n")));
        assert_eq!((file.declared.monitors.len(), file.declared.actions.len()), (1, 1));
        assert_eq!(file.stated.anchors, ["tcp:127.0.0.1:9001"]);
    }
}
