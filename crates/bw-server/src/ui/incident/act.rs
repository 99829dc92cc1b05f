//! Looking at one incident, taking it on, writing something down.

use super::IncidentPage;
use crate::App;
use crate::ui::visit::{Deed, Id, Visit};
use crate::ui::{fault, respond};
use axum::extract::State;
use axum::response::Response;
use bw_domain::id::IncidentId;
use bw_engine::usecase::incidents;
use http::StatusCode;

/// `GET /ui/incidents/{id}`.
pub async fn show(State(app): State<App>, Id(id): Id, visit: Visit) -> Response {
    let loaded = IncidentPage::load(&app.services, visit.frame.clone(), IncidentId(id)).await;
    respond::page(visit.frame, loaded)
}

/// `POST …/acknowledge`.
pub async fn acknowledge(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    match incidents::acknowledge(&app.services, IncidentId(id), &deed.visit.caller.name).await {
        Ok(_) => respond::go_on(&format!("/ui/incidents/{id}?said=acknowledged")),
        Err(error) => fault::refused(deed.visit.frame, &error),
    }
}

/// `POST …/notes`. A note that is refused is shown again with the sentence why.
pub async fn note(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let (id, text) = (IncidentId(id), deed.value("text").to_owned());
    let frame = deed.visit.frame;
    let error = match incidents::note(&app.services, id, &deed.visit.caller.name, &text).await {
        Ok(_) => return respond::go_on(&format!("/ui/incidents/{id}?said=noted")),
        Err(error) => error,
    };
    let again = IncidentPage::load(&app.services, frame.clone(), id).await;
    match again.and_then(|page| page.refused(text, error)) {
        Ok(page) => respond::render(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Err(error) => fault::refused(frame, &error),
    }
}
