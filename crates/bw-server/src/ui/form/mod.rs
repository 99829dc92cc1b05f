//! The form of a monitor: asks the least, keeps what was typed, puts each mistake beside its field.

pub mod act;
mod document;
mod fields;
pub mod heartbeat;

pub use fields::Fields;

use super::evidence::Seen;
use super::frame::{Frame, Here};
use super::shape;
use super::words;
use bw_domain::monitor::{Declaration, Defaults, Spec, check};
use bw_domain::read::Problem;
use bw_domain::time::Span;
use bw_engine::usecase::UseError;
use serde_json::Value;

/// The page: for a new monitor, or for one that is edited.
#[derive(askama::Template)]
#[template(path = "form.html")]
pub struct Form {
    frame: Frame,
    /// The monitor that is edited.
    of: Option<Edited>,
    fields: Fields,
    defaults: Shown,
    wrong: Wrong,
    /// What "test now" saw.
    seen: Option<Seen>,
}

/// Which monitor, and as of which revision.
#[derive(Clone, Debug)]
pub struct Edited {
    pub id: i64,
    pub name: String,
    pub revision: u32,
}

/// What holds where nothing is written.
struct Shown {
    every: String,
    timeout: String,
    failures: u16,
    recoveries: u16,
    after: String,
}

/// Mistakes by field.
#[derive(Default)]
pub struct Wrong(Vec<(&'static str, String)>);

impl Wrong {
    /// What is wrong with a field; empty when nothing is.
    pub fn with(&self, field: &str) -> String {
        let here = self.0.iter().filter(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str());
        here.collect::<Vec<_>>().join(" ")
    }

    /// Whether there is a mistake among the fields that are folded away.
    pub fn beyond_the_first(&self) -> bool {
        self.names().any(|name| !["", "target", "name"].contains(&name))
    }

    /// The fields with mistakes.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// What spoke against saving, each mistake at its field. Errors that are no fault of the form are given back.
    fn of(
        error: UseError,
        of: Option<&mut Edited>,
        placed: impl Fn(&Problem) -> (&'static str, String),
    ) -> Result<Wrong, UseError> {
        let general = |sentence: String| Wrong(vec![("", sentence)]);
        Ok(match error {
            UseError::Invalid(problems) => Wrong(problems.iter().map(placed).collect()),
            UseError::Taken(name) => {
                Wrong(vec![("name", format!("`{name}` is taken: choose another name."))])
            }
            UseError::Refused(sentence) => general(words::sentence(&sentence)),
            UseError::Stale { revision } => {
                if let Some(of) = of {
                    of.revision = revision;
                }
                general("Somebody has edited this monitor meanwhile. What you typed is kept: save again to replace their edit.".to_owned())
            }
            other => return Err(other),
        })
    }
}

impl Form {
    /// An empty form.
    pub fn fresh(frame: Frame, defaults: &Defaults) -> Self {
        Form::new(frame, None, Fields::default(), defaults)
    }

    /// The form of a monitor as it is.
    pub fn of(frame: Frame, spec: &Spec, defaults: &Defaults) -> Self {
        Form::new(frame, Some(Edited::of(spec)), Fields::of(&spec.declared.to_json()), defaults)
    }

    /// The form as it was sent.
    pub fn sent(frame: Frame, of: Option<Edited>, fields: Fields, defaults: &Defaults) -> Self {
        Form::new(frame, of, fields, defaults)
    }

    /// With what "test now" saw.
    pub fn tested(mut self, seen: Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// With what spoke against saving or testing. Errors that are no fault of the form are given back.
    pub fn refused(mut self, error: UseError) -> Result<Self, UseError> {
        self.wrong = Wrong::of(error, self.of.as_mut(), placed)?;
        Ok(self)
    }

    fn new(frame: Frame, of: Option<Edited>, fields: Fields, defaults: &Defaults) -> Self {
        let title = of.as_ref().map_or_else(|| "New monitor".to_owned(), |of| format!("Edit {}", of.name));
        let timeout = defaults.timeout.map_or_else(|| "5s".to_owned(), |timeout| Span(timeout).to_string());
        Form {
            frame: frame.titled(of.is_none().then_some(Here::Overview), &title).wide("narrow"),
            of,
            fields,
            defaults: Shown {
                every: Span(defaults.every).to_string(),
                timeout,
                failures: defaults.failures,
                recoveries: defaults.recoveries,
                after: Span(defaults.after).to_string(),
            },
            wrong: Wrong::default(),
            seen: None,
        }
    }

    /// Where the form is sent.
    fn action(&self) -> String {
        self.of
            .as_ref()
            .map_or_else(|| "/ui/monitors/new".to_owned(), |of| format!("/ui/monitors/{}/edit", of.id))
    }

    fn opens(&self) -> bool {
        self.wrong.beyond_the_first() || (self.of.is_some() && self.fields.says_more())
    }
}

impl Edited {
    /// Of a monitor as it is now.
    pub fn of(spec: &Spec) -> Self {
        Edited { id: spec.id.0, name: spec.name().to_owned(), revision: spec.revision }
    }
}

/// Reads the declaration that the fields mean; all mistakes at once. `stored`: the monitor that is edited, whose other
/// keys stay.
pub fn read(
    fields: &Fields,
    stored: Option<&Declaration>,
    defaults: &Defaults,
) -> Result<Declaration, UseError> {
    let document = document::write(fields, stored.map(Declaration::to_json));
    judge(document, defaults).map_err(|problems| named_by_target(fields, problems))
}

/// The declaration of a document, or all mistakes: of its shape and of its meaning.
fn judge(mut document: Value, defaults: &Defaults) -> Result<Declaration, Vec<Problem>> {
    let mut problems = match Declaration::from_json(&document) {
        Ok(declared) => {
            let Err(problems) = check(&declared, defaults, "") else { return Ok(declared) };
            problems
        }
        Err(problems) => problems,
    };
    // Without what is wrong the rest can still be judged, until nothing more is found.
    loop {
        leave_out(&mut document, &problems);
        let Ok(rest) = Declaration::from_json(&document) else { return Err(problems) };
        let mut more = check(&rest, defaults, "").err().unwrap_or_default();
        // What was left out is missing now.
        more.retain(|one| problems.iter().all(|known| known.path != one.path));
        if more.is_empty() {
            return Err(problems);
        }
        problems.append(&mut more);
    }
}

/// Removes the keys with mistakes; of an agreement with a job only its own.
fn leave_out(document: &mut Value, problems: &[Problem]) {
    let is_wrong = |path: &str| {
        let of = |problem: &Problem| {
            problem
                .path
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        problems.iter().any(of)
    };
    if let Value::Object(keys) = document {
        if let Some(Value::Object(agreed)) = keys.get_mut("heartbeat") {
            agreed.retain(|key, _| !is_wrong(&format!("heartbeat.{key}")));
        }
        keys.retain(|key, _| key == "heartbeat" || !is_wrong(key));
    }
}

/// Without a good target there is no name to take from it: then only the target is wrong.
fn named_by_target(fields: &Fields, mut problems: Vec<Problem>) -> UseError {
    if fields.name.is_empty() && problems.iter().any(|problem| placed(problem).0 == "target") {
        problems.retain(|problem| problem.path != "name");
    }
    UseError::Invalid(problems)
}

/// The field that a mistake belongs to, and the sentence beside it.
fn placed(problem: &Problem) -> (&'static str, String) {
    let (head, rest) = problem.path.split_at(problem.path.find(['.', '[']).unwrap_or(problem.path.len()));
    let field = match (head, rest) {
        ("http", ".resolver") => "resolver",
        ("http" | "tcp" | "tls", _) => "target",
        ("auth", ".bearer") => "bearer",
        ("auth", _) => "auth",
        ("confirm", ".failures") => "failures",
        ("confirm", ".recoveries") => "recoveries",
        ("confirm", ".after") => "after",
        ("confirm", _) => "agree",
        (name, _) => Fields::NAMES.iter().copied().find(|known| *known == name).unwrap_or(""),
    };
    (field, sentence_of(problem, head, rest))
}

/// A sentence continues its field's name; beside a line of several it says which.
fn sentence_of(problem: &Problem, head: &str, rest: &str) -> String {
    let which = match (head, rest) {
        ("expect" | "schedule" | "holidays", index) => {
            index.trim_matches(['[', ']']).parse::<usize>().map(|index| format!("Line {}: ", index + 1))
        }
        ("headers" | "labels", key) if !key.is_empty() => Ok(format!("{}: ", key.trim_start_matches('.'))),
        _ => Ok(String::new()),
    };
    let beside = which.unwrap_or_default();
    let mut sentence =
        if beside.is_empty() { words::sentence(&problem.message) } else { problem.message.clone() };
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    format!("{beside}{sentence}")
}

#[cfg(test)]
mod tests;
