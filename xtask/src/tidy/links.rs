//! Relative links in Markdown lead somewhere: to a file of this tree, and to a heading of it where they name one.

use super::{Findings, tree::Tree};

pub fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (number, line) in prose(text) {
            for target in targets(&line) {
                if let Some(sentence) = dead(tree, path, target) {
                    findings.error(format!("{path}:{number}"), sentence);
                }
            }
        }
    }
}

/// Numbered lines outside code blocks, with code spans taken out.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number, line.split('`').step_by(2).collect()));
        }
    }
    lines
}

/// Targets of `[text](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let first_word = |text: &str| text.find([' ', '\t']).unwrap_or(text.len());
    let mut found: Vec<&str> = line
        .match_indices("](")
        .filter_map(|(at, mark)| {
            let rest = &line[at + mark.len()..];
            let target = &rest[..rest.find(')')?];
            Some(&target[..first_word(target)])
        })
        .collect();
    if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        found.push(&target[..first_word(target)]);
    }
    found
}

fn dead(tree: &Tree, from: &str, target: &str) -> Option<String> {
    let target = target.trim_start_matches('<').trim_end_matches('>');
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { from.to_owned() } else { beside(from, file) };
    if !tree.holds(&path) {
        return Some(format!("the link `{target}` leads nowhere"));
    }
    let anchor = anchor.filter(|_| path.ends_with(".md"))?;
    let (_, text) = tree.texts().find(|(name, _)| *name == path)?;
    (!anchors(text).iter().any(|known| known == anchor))
        .then(|| format!("the link `{target}` names no heading of {path}"))
}

/// The path of a target seen from a file, from the root.
fn beside(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => parts.push(".."),
            ".." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors that a forge makes of the headings.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title == line || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().to_lowercase().replace(' ', "-");
        let slug: String = kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
        let again = found.iter().filter(|known| **known == slug).count();
        found.push(if again == 0 { slug } else { format!("{slug}-{again}") });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    fn errors(readme: &str) -> Vec<String> {
        let docs = ("docs/adr/one.md", "# One, `two` & three\n## Why\n");
        testing::errors(check, &[("README.md", readme), docs, ("src/a.rs", "")])
    }

    #[test]
    fn living_links_are_silent() {
        let text = "# Top\n[a](docs/adr/one.md) [b](./docs) [c](src/a.rs \"title\") [d](#top)\n\
            [e](https://example.com/x.md) [f](docs/adr/one.md#one-two--three)\n[g]: docs/adr/one.md#why\n\
            `[h](gone.md)`\n```\n[i](gone.md)\n```\n";
        assert_eq!(errors(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_named_with_their_line() {
        assert_eq!(errors("x\n[a](gone.md)"), ["README.md:2: the link `gone.md` leads nowhere"]);
        assert_eq!(
            errors("[a](docs/adr/one.md#gone)"),
            ["README.md:1: the link `docs/adr/one.md#gone` names no heading of docs/adr/one.md"]
        );
        assert_eq!(errors("[a](../outside.md)").len(), 1);
        assert_eq!(errors("[a]: gone.md").len(), 1);
    }

    #[test]
    fn paths_are_seen_from_their_file() {
        assert_eq!(beside("docs/adr/one.md", "../a.md"), "docs/a.md");
        assert_eq!(beside("docs/adr/one.md", "/README.md"), "README.md");
        assert_eq!(beside("README.md", "./docs/"), "docs");
    }
}
