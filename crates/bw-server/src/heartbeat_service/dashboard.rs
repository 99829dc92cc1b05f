//! `GET {base}/dashboard`: the original's table, in its order and with its marks, read from memory.

use super::door::{Guest, admit};
use super::order::{Choice, Column, PAGE};
use super::row::Row;
use crate::App;
use crate::ui::frame::Frame;
use crate::ui::{fault, respond, shape, words};
use axum::extract::{Request, State};
use axum::response::Response;
use bw_engine::usecase::monitors;
use http::StatusCode;

/// The page.
#[derive(askama::Template)]
#[template(path = "heartbeat_dashboard.html")]
struct Dashboard {
    frame: Frame,
    headline: String,
    icon: &'static str,
    detail: String,
    /// Where the forms go, and what they carry.
    base: String,
    secret: Option<String>,
    choice: Choice,
    heads: Vec<Head>,
    rows: Vec<Row>,
    pages: Vec<Turn>,
    shown: String,
    /// No pulse is known at all.
    empty: bool,
    /// The address that a job reports to.
    example: String,
}

/// The head of a column.
struct Head {
    text: &'static str,
    href: String,
    sorted: Option<&'static str>,
    num: bool,
}

/// A link to another page of the table.
struct Turn {
    text: String,
    href: String,
    rel: &'static str,
}

/// Answers.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let guest = match admit(&app, &mut parts, None).await {
        Ok(guest) => guest,
        Err(refused) => return refused.page(&app),
    };
    let response = match monitors::all(&app.services).await {
        Ok(views) => {
            let now = guest.frame.now;
            let rows = views.iter().filter_map(|view| Row::of(view, now)).collect();
            respond::render(StatusCode::OK, &Dashboard::of(&app, &guest, rows))
        }
        Err(error) => fault::refused(guest.frame.clone(), &error),
    };
    guest.closed(response)
}

impl Dashboard {
    fn of(app: &App, guest: &Guest, mut rows: Vec<Row>) -> Self {
        let choice = Choice::read(|name| guest.value(name).to_owned());
        let (headline, detail) = headline(&rows);
        let (empty, trouble) = (rows.is_empty(), rows.iter().any(|row| row.overdue));
        choice.apply(&mut rows);
        let found = rows.len();
        let last = found.div_ceil(PAGE).max(1);
        let page = choice.page.min(last);
        let begin = (page - 1) * PAGE;
        let rows: Vec<Row> = rows.into_iter().skip(begin).take(PAGE).collect();
        let turn = |to: usize, text: String, rel: &'static str| {
            let href = guest.address("dashboard", &choice.pairs(&to.to_string()));
            Turn { text, href, rel }
        };
        let mut pages = Vec::new();
        if page > 1 {
            pages.push(turn(page - 1, format!("Page {}", page - 1), "prev"));
        }
        if page < last {
            pages.push(turn(page + 1, format!("Page {}", page + 1), "next"));
        }
        if page + 1 < last {
            pages.push(turn(last, format!("Last page, {last}"), ""));
        }
        let frame = Frame { trouble, refresh_s: 0, ..guest.frame.clone() };
        Dashboard {
            frame: frame.titled(None, &headline),
            icon: if trouble { "down" } else { "up" },
            headline,
            detail,
            base: guest.base.clone(),
            secret: guest.secret.clone(),
            heads: heads(guest, &choice),
            shown: shown(begin, rows.len(), found),
            rows,
            pages,
            empty,
            example: format!(
                "{}{}/pulse?host=web1&category=backup&type=nightly&name=db",
                app.services.base_url, guest.base
            ),
            choice,
        }
    }
}

/// The first line: is anything overdue?
fn headline(rows: &[Row]) -> (String, String) {
    let overdue = rows.iter().filter(|row| row.overdue).count();
    let silent = rows.iter().filter(|row| row.last.is_none()).count();
    let mut detail = String::new();
    if overdue > 0 {
        detail = "Counted time since their last pulse is more than their threshold.".to_owned();
    }
    if silent > 0 && silent < rows.len() {
        detail = format!(
            "{detail} {} never pulsed: silence begins with the first pulse.",
            words::number(silent as u64)
        );
    }
    let headline = match (rows.len(), overdue) {
        (0, _) => "No heartbeat is known yet".to_owned(),
        (1, 0) => "The heartbeat is not overdue".to_owned(),
        (all, 0) => format!("None of {} heartbeats is overdue", words::number(all as u64)),
        (all, 1) => format!("1 of {} is overdue", words::counted(all, "heartbeat")),
        (all, some) => {
            format!("{} of {} are overdue", words::number(some as u64), words::counted(all, "heartbeat"))
        }
    };
    (headline, detail.trim().to_owned())
}

fn heads(guest: &Guest, choice: &Choice) -> Vec<Head> {
    let head = |(column, _, text): (Column, &str, &'static str)| {
        let sorted =
            (column == choice.column).then_some(if choice.descending { "descending" } else { "ascending" });
        let href = guest.address("dashboard", &choice.by(column).pairs("1"));
        Head { text, href, sorted, num: column == Column::Delta }
    };
    Column::ALL.map(head).into()
}

fn shown(begin: usize, count: usize, found: usize) -> String {
    match (count, found) {
        (0, _) => String::new(),
        (count, found) if count == found => words::counted(found, "heartbeat"),
        (count, found) => format!(
            "{} to {} of {}",
            words::number(begin as u64 + 1),
            words::number((begin + count) as u64),
            words::counted(found, "heartbeat")
        ),
    }
}
