//! `{base}/edit?id=ID`: threshold, Saturdays and the end of one pulse. The id is ours, or the original's where only one
//! pulse has it. Fields are read by their names, in any order; what is not sent stays.

use super::door::{Guest, admit, first, sentence};
use super::original;
use super::row::{Row, Saturday, read_hours};
use crate::App;
use crate::body::Bounded;
use crate::ui::frame::Frame;
use crate::ui::{fault, respond, shape};
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use bw_domain::beat::Counted;
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::time::{Duration, Span};
use bw_engine::usecase::monitors;
use bw_engine::usecase::{By, Services, UseError};
use http::StatusCode;
use serde_json::{Map, json};

/// Bytes of a form with three short fields.
const FORM_MAX: usize = 64 << 10;

/// The page.
#[derive(askama::Template)]
#[template(path = "heartbeat_edit.html")]
struct Edit {
    frame: Frame,
    headline: String,
    icon: &'static str,
    row: Row,
    fields: Fields,
    wrong: Wrong,
    /// Where the form is sent, and where one goes without sending it.
    action: String,
    back: String,
    csrf: String,
    /// The file that owns it: then it is only looked at.
    owner: Option<String>,
}

/// As they were typed; nothing: not sent.
#[derive(Default)]
struct Fields {
    threshold: Option<String>,
    saturday: Option<String>,
    delete: bool,
}

/// What is wrong with which field; empty where nothing is.
#[derive(Default)]
struct Wrong {
    threshold: String,
    saturday: String,
    whole: String,
}

/// What the fields ask for.
struct Change {
    every: Option<Duration>,
    count: Option<Counted>,
}

/// `GET`.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let guest = match admit(&app, &mut parts, None).await {
        Ok(guest) => guest,
        Err(refused) => return refused.page(&app),
    };
    let response = match load(&app.services, &guest).await {
        Ok(found) => {
            respond::render(StatusCode::OK, &Edit::of(&guest, found, Fields::default(), Wrong::default()))
        }
        Err(error) => fault::refused(guest.frame.clone(), &error),
    };
    guest.closed(response)
}

/// `POST`.
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let guest = match admit(&app, &mut parts, None).await {
        Ok(guest) => guest,
        Err(refused) => return refused.page(&app),
    };
    let body = match Bounded::<FORM_MAX>::from_request(Request::from_parts(parts, body), &()).await {
        Ok(Bounded(body)) => body,
        Err(refusal) => return guest.closed(refusal.into_response()),
    };
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let response = obey(&app, &guest, &sent).await;
    guest.closed(response)
}

async fn obey(app: &App, guest: &Guest, sent: &[(String, String)]) -> Response {
    let frame = guest.frame.clone();
    if !guest.may_write() || !guest.csrf_is(first(sent, "csrf")) {
        let sentence = "The form is older than your session, or is not ours: open its page again and send it from there.";
        return fault::page(frame, StatusCode::FORBIDDEN, sentence);
    }
    let found = match load(&app.services, guest).await {
        Ok(found) => found,
        Err(error) => return fault::refused(frame, &error),
    };
    let fields = Fields::read(sent);
    let refused = match fields.change(&found.row) {
        Err(wrong) => Ok((StatusCode::UNPROCESSABLE_ENTITY, wrong)),
        Ok(change) => match apply(&app.services, &found, &fields, change, By::hand(&guest.name)).await {
            Ok(()) => return respond::go_on(&guest.address("dashboard", &[])),
            Err(error) => Wrong::of(error),
        },
    };
    match refused {
        Ok((status, wrong)) => respond::render(status, &Edit::of(guest, found, fields, wrong)),
        Err(error) => fault::refused(frame, &error),
    }
}

async fn apply(
    services: &Services,
    found: &Found,
    fields: &Fields,
    change: Change,
    by: By<'_>,
) -> Result<(), UseError> {
    if fields.delete {
        return monitors::delete(services, found.id, None, by).await;
    }
    let mut heartbeat = Map::new();
    heartbeat.extend(change.every.map(|every| ("every".to_owned(), json!(Span(every)))));
    heartbeat.extend(change.count.map(|count| ("count".to_owned(), json!(count.word()))));
    monitors::patch(services, found.id, &json!({ "heartbeat": heartbeat }), None, by).await?;
    Ok(())
}

/// The pulse that is edited.
struct Found {
    id: MonitorId,
    row: Row,
    owner: Option<String>,
}

async fn load(services: &Services, guest: &Guest) -> Result<Found, UseError> {
    let view = monitors::get(services, find(services, guest.value("id"))?).await?;
    let row = Row::of(&view, guest.frame.now).ok_or(UseError::NotFound)?;
    Ok(Found { id: view.spec.id, row, owner: view.spec.owner.as_ref().map(ToString::to_string) })
}

fn find(services: &Services, text: &str) -> Result<MonitorId, UseError> {
    let uuid = Uuid::parse(text);
    let is_original = original::is_id(text);
    if uuid.is_none() && !is_original {
        return Err(UseError::NotFound);
    }
    let mut found = services.catalog.all().into_iter().filter(|spec| {
        let pulse = spec.declared.heartbeat().and_then(|heartbeat| heartbeat.pulse());
        pulse.is_some_and(|pulse| Some(spec.uuid) == uuid || is_original && original::id(pulse) == text)
    });
    match (found.next(), found.next()) {
        (Some(spec), None) => Ok(spec.id),
        (None, _) => Err(UseError::NotFound),
        (Some(_), Some(_)) => {
            let sentence = "several heartbeats have this id of the original: choose one on the dashboard";
            Err(UseError::Refused(sentence.to_owned()))
        }
    }
}

impl Fields {
    fn read(sent: &[(String, String)]) -> Self {
        let field = |wanted: &str| {
            sent.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim().to_owned())
        };
        Fields {
            threshold: field("threshold"),
            saturday: field("saturday"),
            delete: field("delete").is_some_and(|value| value == "del"),
        }
    }

    /// What they ask for beyond what is.
    fn change(&self, row: &Row) -> Result<Change, Wrong> {
        let mut wrong = Wrong::default();
        let mut change = Change { every: None, count: None };
        if self.delete {
            return Ok(change);
        }
        if let Some(text) = self.threshold.as_deref().filter(|text| *text != row.threshold_text()) {
            match read_hours(text) {
                Some(every) => change.every = Some(every),
                None => wrong.threshold = "Write hours, such as 24 or 1.5.".to_owned(),
            }
        }
        if let Some(text) = self.saturday.as_deref().filter(|text| *text != row.saturday.word()) {
            match text {
                "0" => change.count = Some(Counted::Weekdays),
                "1" => change.count = Some(Counted::WeekdaysAndSaturday),
                _ => wrong.saturday = "Write 1 where Saturdays count, else 0.".to_owned(),
            }
        }
        let good = wrong.threshold.is_empty() && wrong.saturday.is_empty();
        if good { Ok(change) } else { Err(wrong) }
    }
}

impl Wrong {
    /// Beside which field a refusal stands. What is no fault of the form is given back.
    fn of(error: UseError) -> Result<(StatusCode, Wrong), UseError> {
        let mut wrong = Wrong::default();
        let status = match error {
            UseError::Invalid(problems) => {
                for problem in problems {
                    let place = match problem.path.as_str() {
                        "heartbeat.every" => &mut wrong.threshold,
                        "heartbeat.count" => &mut wrong.saturday,
                        _ => &mut wrong.whole,
                    };
                    *place = sentence(&problem.message);
                }
                StatusCode::UNPROCESSABLE_ENTITY
            }
            UseError::Owned { .. } | UseError::Refused(_) | UseError::Stale { .. } => {
                wrong.whole = sentence(&error.to_string());
                StatusCode::CONFLICT
            }
            other => return Err(other),
        };
        Ok((status, wrong))
    }
}

impl Edit {
    fn of(guest: &Guest, found: Found, fields: Fields, wrong: Wrong) -> Self {
        let Found { row, owner, .. } = found;
        let id = row.uuid().to_string();
        let name = row.pulse().parts().join(" / ");
        let (headline, icon) = match (row.overdue, row.last) {
            (true, _) => (format!("{name} is overdue"), "down"),
            (false, None) => (format!("{name} never pulsed"), "unknown"),
            (false, Some(_)) => (format!("{name} is not overdue"), "up"),
        };
        Edit {
            frame: guest.frame.clone().titled(None, &format!("Edit {name}")).wide("read"),
            headline,
            icon,
            action: guest.address("edit", &[("id", &id)]),
            back: guest.address("dashboard", &[]),
            csrf: guest.csrf().to_owned(),
            fields: Fields {
                threshold: Some(fields.threshold.unwrap_or_else(|| row.threshold_text())),
                saturday: Some(fields.saturday.unwrap_or_else(|| row.saturday.word().to_owned())),
                delete: fields.delete,
            },
            row,
            wrong,
            owner,
        }
    }

    fn threshold(&self) -> &str {
        self.fields.threshold.as_deref().unwrap_or_default()
    }

    fn saturday(&self) -> &str {
        self.fields.saturday.as_deref().unwrap_or_default()
    }

    fn counts_all_days(&self) -> bool {
        self.row.saturday == Saturday::AllDays
    }
}
