//! The form of a heartbeat: a name and when it should report are enough, a day where nothing is said.

pub mod act;
mod document;
mod fields;

use super::{Edited, Wrong, judge, sentence_of};
use crate::ui::frame::{Frame, Here};
use crate::ui::shape;
use bw_domain::monitor::{Declaration, Defaults, Spec};
use bw_domain::read::Problem;
use bw_engine::usecase::UseError;
use fields::Fields;

/// The page: for a new heartbeat, or for one that is edited.
#[derive(askama::Template)]
#[template(path = "form_heartbeat.html")]
pub struct Form {
    frame: Frame,
    of: Option<Edited>,
    fields: Fields,
    wrong: Wrong,
}

impl Form {
    /// The form with what was typed, or nothing.
    pub fn new(frame: Frame, of: Option<Edited>, fields: Fields) -> Self {
        let title = of.as_ref().map_or_else(|| "New heartbeat".to_owned(), |of| format!("Edit {}", of.name));
        let here = of.is_none().then_some(Here::Overview);
        Form { frame: frame.titled(here, &title).wide("narrow"), of, fields, wrong: Wrong::default() }
    }

    /// The form of a heartbeat as it is.
    pub fn of(frame: Frame, spec: &Spec) -> Self {
        Form::new(frame, Some(Edited::of(spec)), Fields::of(&spec.declared.to_json()))
    }

    /// With what spoke against saving. Errors that are no fault of the form are given back.
    pub fn refused(mut self, error: UseError) -> Result<Self, UseError> {
        self.wrong = Wrong::of(error, self.of.as_mut(), placed)?;
        Ok(self)
    }

    fn action(&self) -> String {
        self.of
            .as_ref()
            .map_or_else(|| "/ui/heartbeats/new".to_owned(), |of| format!("/ui/monitors/{}/edit", of.id))
    }

    /// What holds where nothing is written.
    fn every(&self) -> &'static str {
        if self.fields.schedule.is_empty() { "1d" } else { "" }
    }

    fn opens(&self) -> bool {
        self.wrong.names().any(Fields::is_beyond) || (self.of.is_some() && self.fields.says_more())
    }
}

/// Reads the declaration that the fields mean; all mistakes at once.
pub fn read(
    fields: &Fields,
    stored: Option<&Declaration>,
    defaults: &Defaults,
) -> Result<Declaration, UseError> {
    let document = document::write(fields, stored.map(Declaration::to_json));
    judge(document, defaults).map_err(UseError::Invalid)
}

/// The field that a mistake belongs to, and the sentence beside it.
fn placed(problem: &Problem) -> (&'static str, String) {
    let path = problem.path.strip_prefix("heartbeat.").unwrap_or(&problem.path);
    let (head, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    let field = match (head, rest) {
        ("keywords", ".success") => "success",
        ("keywords", ".start") => "start",
        ("keywords", _) => "failure",
        (name, _) => Fields::NAMES.iter().copied().find(|known| *known == name).unwrap_or(""),
    };
    (field, sentence_of(problem, head, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn typed(pairs: &[(&str, &str)]) -> Fields {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Fields::read(&pairs)
    }

    #[test]
    fn a_name_is_enough() {
        let declared = read(&typed(&[("name", "Backup")]), None, &Defaults::default()).expect("it is enough");
        assert_eq!(declared.to_json(), json!({"name": "Backup", "heartbeat": {}}));
    }

    #[test]
    fn documents_survive_the_form() {
        for document in [
            json!({"name": "a", "heartbeat": {"every": "5m"}}),
            json!({"name": "a", "heartbeat": {"schedule": "0 3 * * *", "zone": "Europe/Berlin"}}),
            json!({
                "id": "k", "name": "a", "slug": "s", "enabled": false, "webhook_url": "***",
                "labels": {"team": "web"}, "tell": {"first_up": true},
                "heartbeat": {
                    "schedule": ["0 3 * * *", "Mon 12:00"], "zone": "UTC", "grace": "30m", "count": "weekdays",
                    "holidays": ["2026-12-25", "2026-12-26"], "run_limit": "2h", "post_only": true,
                    "manual_resume": true, "rules": "healthchecks", "description": "of others", "tags": "a b",
                    "keywords": {"failure": "ERROR", "success": "", "start": "", "otherwise": "fail", "off": true},
                },
            }),
        ] {
            assert_eq!(document::write(&Fields::of(&document), Some(document.clone())), document);
        }
    }

    #[test]
    fn mistakes_stand_beside_their_fields_all_at_once() {
        let fields = typed(&[
            ("name", ""),
            ("every", "often"),
            ("grace", "x"),
            ("zone", "Europe/Berln"),
            ("labels", "a b: c"),
            ("schedule", "0 3 * * *\n99 3 * * *"),
            ("holidays", "Christmas"),
        ]);
        let Err(UseError::Invalid(problems)) = read(&fields, None, &Defaults::default()) else {
            panic!("it is wrong");
        };
        let mut places: Vec<&str> = problems.iter().map(|problem| placed(problem).0).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            ["every", "grace", "holidays", "labels", "name", "schedule", "zone"],
            "{problems:?}"
        );
        for (path, field, sentence) in [
            ("heartbeat.schedule[1]", "schedule", "Line 2: is odd."),
            ("heartbeat.schedule", "schedule", "Is odd."),
            ("heartbeat.keywords", "failure", "Is odd."),
            ("heartbeat.holidays[0]", "holidays", "Line 1: is odd."),
            ("heartbeat.rules", "", "Is odd."),
            ("labels.x y", "labels", "x y: is odd."),
        ] {
            assert_eq!(placed(&Problem::new(path, "is odd")), (field, sentence.to_owned()), "{path}");
        }
    }
}
