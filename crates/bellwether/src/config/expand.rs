//! `${VAR}` in any text is the variable of the environment; `$$` is one dollar sign. A variable that is not set
//! is a mistake: an empty address would be a worse surprise later.

use super::Mistake;
use super::tree::{Kind, Node};
use bw_domain::read::join;

/// Looks a variable up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces variables in every text of the tree; all mistakes at once.
pub fn expand(node: &mut Node, variable: Lookup<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    expand_at(node, "", variable, &mut mistakes);
    mistakes
}

fn expand_at(node: &mut Node, path: &str, variable: Lookup<'_>, mistakes: &mut Vec<Mistake>) {
    match &mut node.kind {
        Kind::Text(text) if text.contains('$') => match expanded(text, variable) {
            Ok(value) => *text = value,
            Err(message) => mistakes.push(Mistake { place: node.place, path: path.to_owned(), message }),
        },
        Kind::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand_at(item, &format!("{path}[{index}]"), variable, mistakes);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                expand_at(&mut entry.value, &join(path, &entry.key), variable, mistakes);
            }
        }
        _ => {}
    }
}

fn expanded(text: &str, variable: Lookup<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('{') {
            let (name, tail) = tail
                .split_once('}')
                .filter(|(name, _)| is_name(name))
                .ok_or("`${` begins the name of a variable, as in ${NAME}; write `$$` for a dollar sign")?;
            let value = variable(name).ok_or_else(|| {
                format!("the variable {name} is not set; set it, or write `$$` for a dollar sign")
            })?;
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables() {
        let variable = |name: &str| (name == "HOST").then(|| "example.com".to_owned());
        for (text, expected) in [
            ("https://${HOST}/a", Ok("https://example.com/a")),
            ("${HOST}${HOST}", Ok("example.comexample.com")),
            ("$$", Ok("$")),
            ("$${HOST}", Ok("${HOST}")),
            ("^ok$", Ok("^ok$")),
            ("5 $ and $x", Ok("5 $ and $x")),
            ("${NOPE}", Err("the variable NOPE is not set")),
            ("${HOST", Err("`${` begins the name")),
            ("${}", Err("`${` begins the name")),
            ("${9}", Err("`${` begins the name")),
        ] {
            match (expanded(text, &variable), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value, expected, "{text}"),
                (Err(message), Err(begin)) => assert!(message.starts_with(begin), "{text}: {message}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}
