//! Declaring and editing by form: save, or test before saving.

use super::{Edited, Fields, Form, heartbeat, read};
use crate::App;
use crate::ui::evidence::Seen;
use crate::ui::visit::{Deed, Id, Visit};
use crate::ui::{fault, respond};
use axum::extract::State;
use axum::response::Response;
use bw_domain::id::MonitorId;
use bw_domain::monitor::Declaration;
use bw_engine::usecase::monitors::{self, Create};
use bw_engine::usecase::{By, Services, UseError};
use http::StatusCode;

/// `GET /ui/monitors/new`.
pub async fn new(State(app): State<App>, visit: Visit) -> Response {
    respond::render(StatusCode::OK, &Form::fresh(visit.frame, &app.services.defaults))
}

/// `POST /ui/monitors/new`.
pub async fn create(State(app): State<App>, deed: Deed) -> Response {
    let services = &app.services;
    let fields = Fields::read(&deed.pairs);
    if deed.value("action") == "test" {
        let tested = test(services, &fields, None).await;
        return shown(services, deed, None, fields, tested);
    }
    let by = By::hand(&deed.visit.caller.name);
    let created = async {
        let declared = read(&fields, None, &services.defaults)?;
        monitors::create(services, Create { declared, idempotency_key: None }, by).await
    };
    match created.await {
        Ok(view) => respond::go_on(&format!("/ui/monitors/{}?said=added", view.spec.id)),
        Err(error) => shown(services, deed, None, fields, Err(error)),
    }
}

/// `GET …/edit`.
pub async fn edit(State(app): State<App>, Id(id): Id, visit: Visit) -> Response {
    let loaded = monitors::get(&app.services, MonitorId(id)).await.and_then(|view| match &view.spec.owner {
        Some(owner) => Err(UseError::Owned { owner: owner.clone() }),
        None => Ok(view),
    });
    match loaded {
        Ok(view) if view.spec.beats().is_some() => {
            respond::render(StatusCode::OK, &heartbeat::Form::of(visit.frame, &view.spec))
        }
        Ok(view) => {
            respond::render(StatusCode::OK, &Form::of(visit.frame, &view.spec, &app.services.defaults))
        }
        Err(error) => fault::refused(visit.frame, &error),
    }
}

/// `POST …/edit`.
pub async fn save(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let (services, id) = (&app.services, MonitorId(id));
    let view = match monitors::get(services, id).await {
        Ok(view) => view,
        Err(error) => return fault::refused(deed.visit.frame, &error),
    };
    if view.spec.beats().is_some() {
        return heartbeat::act::save(services, &view, deed).await;
    }
    let fields = Fields::read(&deed.pairs);
    let seen_revision = deed.value("revision").parse().ok();
    let of = Edited { revision: seen_revision.unwrap_or(view.spec.revision), ..Edited::of(&view.spec) };
    if deed.value("action") == "test" {
        let tested = test(services, &fields, Some((id, &view.spec.declared))).await;
        return shown(services, deed, Some(of), fields, tested);
    }
    let by = By::hand(&deed.visit.caller.name);
    let saved = async {
        let declared = read(&fields, Some(&view.spec.declared), &services.defaults)?;
        monitors::replace(services, id, declared, seen_revision, by).await
    };
    match saved.await {
        Ok(_) => respond::go_on(&format!("/ui/monitors/{id}?said=saved")),
        Err(error) => shown(services, deed, Some(of), fields, Err(error)),
    }
}

/// One probe of what is written, before it is saved.
async fn test(
    services: &Services,
    fields: &Fields,
    of: Option<(MonitorId, &Declaration)>,
) -> Result<Seen, UseError> {
    let declared = read(fields, of.map(|(_, stored)| stored), &services.defaults)?;
    let outcome = monitors::probe_draft(services, declared, of.map(|(id, _)| id)).await?;
    Ok(Seen::fresh(&outcome, &fields.target, services.clock.now()))
}

/// The form again, with what the test saw or with what is wrong.
fn shown(
    services: &Services,
    deed: Deed,
    of: Option<Edited>,
    fields: Fields,
    tested: Result<Seen, UseError>,
) -> Response {
    let frame = deed.visit.frame;
    let form = Form::sent(frame.clone(), of, fields, &services.defaults);
    match tested {
        Ok(seen) => respond::render(StatusCode::OK, &form.tested(seen)),
        Err(error) => match form.refused(error) {
            Ok(form) => respond::render(StatusCode::UNPROCESSABLE_ENTITY, &form),
            Err(error) => fault::refused(frame, &error),
        },
    }
}
