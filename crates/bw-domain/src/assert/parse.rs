//! Text to tree, and a sentence for whoever wrote something else. No input makes it panic, and its work is
//! bounded by `limits::EXPECT_TEXT_MAX`.

use super::ast::{Ast, FIELDS, Field, Operator, Value};
use crate::limits;
use crate::nearest::nearest;
use crate::time::Span;

/// What is wrong with an expectation, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// Byte offset into the text.
    pub at: usize,
    pub message: String,
}

impl Mistake {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Mistake { at, message: message.into() }
    }
}

/// A tree with the places of its parts, for mistakes that show only later.
pub(super) struct Parsed {
    pub ast: Ast,
    pub operator_at: usize,
    pub value_at: usize,
}

/// Parses one expectation.
pub(super) fn parse(text: &str) -> Result<Parsed, Mistake> {
    if text.chars().count() > limits::EXPECT_TEXT_MAX {
        let message = format!("an expectation has at most {} characters", limits::EXPECT_TEXT_MAX);
        return Err(Mistake::new(0, message));
    }
    let mut cursor = Cursor { text, at: 0 };
    let field = field(&mut cursor)?;
    let operator_at = cursor.skip_space();
    let operator = operator(&mut cursor)?;
    let value_at = cursor.skip_space();
    let value = match operator {
        Operator::Exists | Operator::NotExists => Value::Nothing,
        Operator::In => set(&mut cursor)?,
        _ => value(&mut cursor)?,
    };
    let end = cursor.skip_space();
    if end < text.len() {
        let rest = &text[end..];
        let message = format!("`{rest}` is too much: write one condition a line, as in `status == 200`");
        return Err(Mistake::new(end, message));
    }
    Ok(Parsed { ast: Ast { field, operator, value }, operator_at, value_at })
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes a token or fails with this message at the place where it should have been.
    fn expect(&mut self, token: &str, message: &str) -> Result<(), Mistake> {
        if self.take(token) { Ok(()) } else { Err(Mistake::new(self.at, message)) }
    }
}

fn field(cursor: &mut Cursor<'_>) -> Result<Field, Mistake> {
    let at = cursor.skip_space();
    let word = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if word.is_empty() {
        let message =
            "an expectation begins with what is looked at, as in `status == 200` or `body contains \"ok\"`";
        return Err(Mistake::new(at, message));
    }
    if let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) {
        return Ok(field.clone());
    }
    if let Some(name) = word.strip_prefix("header.") {
        return header(name, at);
    }
    if word == "header" {
        let at = cursor.skip_space();
        return match quoted(cursor)? {
            Some(name) => header(&name, at),
            None => {
                Err(Mistake::new(at, "name the header in quotes, as in `header \"content-type\" exists`"))
            }
        };
    }
    let names = FIELDS.iter().map(|(name, _)| *name).chain(["header"]);
    let hint = match nearest(word, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write status, body, header \"…\", latency, resolve, connect, tls, send, wait, receive, \
                 certificate.days_left, certificate.lifetime_left, certificate.issuer, certificate.subject or \
                 certificate.names"
            .to_owned(),
    };
    Err(Mistake::new(at, format!("`{word}` is nothing that can be looked at: {hint}")))
}

fn header(name: &str, at: usize) -> Result<Field, Mistake> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(Mistake::new(at, format!("`{name}` is no name of a header")));
    }
    Ok(Field::Header(name.to_ascii_lowercase()))
}

fn operator(cursor: &mut Cursor<'_>) -> Result<Operator, Mistake> {
    let at = cursor.at;
    let symbol = cursor.take_while(|c| matches!(c, '=' | '!' | '<' | '>' | '~'));
    let mut word = symbol.to_owned();
    if symbol.is_empty() {
        word = cursor.take_while(char::is_alphabetic).to_owned();
        if word == "not" {
            cursor.skip_space();
            word = format!("not {}", cursor.take_while(char::is_alphabetic));
        }
    }
    if let Some(operator) = Operator::ALL.into_iter().find(|operator| operator.word() == word) {
        return Ok(operator);
    }
    let all = "==, !=, <, <=, >, >=, in, contains, matches, exists, not contains, not matches or not exists";
    let message = match word.as_str() {
        "" => format!("a comparison is missing here: write {all}"),
        "=" => "`=` compares nothing: write `==`".to_owned(),
        "=~" | "~" => format!("`{word}` compares nothing: write `matches`"),
        _ => match nearest(&word, Operator::ALL.map(Operator::word)) {
            Some(name) => format!("`{word}` compares nothing: did you mean `{name}`?"),
            None => format!("`{word}` compares nothing: write {all}"),
        },
    };
    Err(Mistake::new(at, message))
}

fn set(cursor: &mut Cursor<'_>) -> Result<Value, Mistake> {
    let form = "`in` takes a range or a list: write `in 200..299` or `in [200, 204]`";
    if !cursor.take("[") {
        return Ok(Value::Set(vec![range(cursor, form)?]));
    }
    let mut ranges = Vec::new();
    loop {
        ranges.push(range(cursor, form)?);
        cursor.skip_space();
        if !cursor.take(",") {
            break;
        }
    }
    cursor.expect("]", "the list has no end: write `]`")?;
    Ok(Value::Set(ranges))
}

fn range(cursor: &mut Cursor<'_>, form: &str) -> Result<(i64, i64), Mistake> {
    let at = cursor.skip_space();
    let number = |cursor: &mut Cursor<'_>| {
        let digits = cursor.take_while(|c| c.is_ascii_digit());
        digits.parse::<i64>().map_err(|_| Mistake::new(at, form))
    };
    let low = number(cursor)?;
    let high = if cursor.take("..") { number(cursor)? } else { low };
    if high < low {
        return Err(Mistake::new(at, format!("{low}..{high} is empty: write the smaller number first")));
    }
    Ok((low, high))
}

fn value(cursor: &mut Cursor<'_>) -> Result<Value, Mistake> {
    let at = cursor.at;
    if let Some(text) = quoted(cursor)? {
        return Ok(Value::Text(text));
    }
    let word = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '%'));
    if word.is_empty() {
        return Err(Mistake::new(
            at,
            "a value is missing here: write a number, a duration such as 800ms, or \"text\"",
        ));
    }
    if let Ok(number) = word.parse::<i64>() {
        return Ok(Value::Number(number));
    }
    if let Some(share) = word.strip_suffix('%').and_then(share) {
        return Ok(Value::Share(share));
    }
    if word.contains("..") {
        return Err(Mistake::new(at, format!("a range needs `in`: write `in {word}`")));
    }
    match word.parse::<Span>() {
        Ok(span) => Ok(Value::Time(span)),
        Err(_) if word.starts_with(|c: char| c.is_ascii_digit()) => {
            let known = "a number, a duration such as 800ms or a share such as 33%";
            Err(Mistake::new(at, format!("`{word}` is not {known}")))
        }
        Err(_) => Err(Mistake::new(at, format!("text stands in quotes: write \"{word}\""))),
    }
}

/// Hundredths of a percent, up to 100 %.
fn share(text: &str) -> Option<u32> {
    let percent = text.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent))?;
    Some((percent * 100.0).round() as u32)
}

/// Text in double quotes, where a backslash stands before `"`, `\`, `n` and `t`, and is itself before anything
/// else, so that `"\d+"` means what it says; or in single quotes, as it is.
fn quoted(cursor: &mut Cursor<'_>) -> Result<Option<String>, Mistake> {
    let at = cursor.at;
    let quote = match cursor.rest().chars().next() {
        Some(quote @ ('"' | '\'')) => quote,
        _ => return Ok(None),
    };
    let mut text = String::new();
    let mut chars = cursor.rest().char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            cursor.at += offset + 1;
            return Ok(Some(text));
        }
        if c != '\\' || quote == '\'' {
            text.push(c);
            continue;
        }
        match chars.next().map(|(_, escaped)| escaped) {
            Some(c @ ('"' | '\\')) => text.push(c),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(other) => text.extend(['\\', other]),
            None => break,
        }
    }
    Err(Mistake::new(at, format!("the text has no end: write {quote} after it")))
}
