//! Declaring and editing a heartbeat by form.

use super::{Fields, Form, read};
use crate::App;
use crate::ui::form::Edited;
use crate::ui::visit::{Deed, Visit};
use crate::ui::{fault, respond};
use axum::extract::State;
use axum::response::Response;
use bw_engine::usecase::monitors::{self, Create, MonitorView};
use bw_engine::usecase::{By, Services, UseError};
use http::StatusCode;

/// `GET /ui/heartbeats/new`.
pub async fn new(visit: Visit) -> Response {
    respond::render(StatusCode::OK, &Form::new(visit.frame, None, Fields::default()))
}

/// `POST /ui/heartbeats/new`.
pub async fn create(State(app): State<App>, deed: Deed) -> Response {
    let services = &app.services;
    let fields = Fields::read(&deed.pairs);
    let by = By::hand(&deed.visit.caller.name);
    let created = async {
        let declared = read(&fields, None, &services.defaults)?;
        monitors::create(services, Create { declared, idempotency_key: None }, by).await
    };
    match created.await {
        Ok(view) => respond::go_on(&format!("/ui/monitors/{}?said=made", view.spec.id)),
        Err(error) => refused(deed, None, fields, error),
    }
}

/// What `POST …/edit` does with a heartbeat.
pub async fn save(services: &Services, view: &MonitorView, deed: Deed) -> Response {
    let fields = Fields::read(&deed.pairs);
    let seen_revision = deed.value("revision").parse().ok();
    let id = view.spec.id;
    let by = By::hand(&deed.visit.caller.name);
    let saved = async {
        let declared = read(&fields, Some(&view.spec.declared), &services.defaults)?;
        monitors::replace(services, id, declared, seen_revision, by).await
    };
    match saved.await {
        Ok(_) => respond::go_on(&format!("/ui/monitors/{id}?said=agreed")),
        Err(error) => {
            let of =
                Edited { revision: seen_revision.unwrap_or(view.spec.revision), ..Edited::of(&view.spec) };
            refused(deed, Some(of), fields, error)
        }
    }
}

fn refused(deed: Deed, of: Option<Edited>, fields: Fields, error: UseError) -> Response {
    let frame = deed.visit.frame;
    match Form::new(frame.clone(), of, fields).refused(error) {
        Ok(form) => respond::render(StatusCode::UNPROCESSABLE_ENTITY, &form),
        Err(error) => fault::refused(frame, &error),
    }
}
