//! The management interface of Healthchecks, versions 1 to 3, with its badges and its figures: for scripts and tools that
//! people have. A check is a heartbeat, whoever declared it; its tags, keywords and times are those of its declaration.
//!
//! Statuses, texts and headers are the original's; what it has and we do not is kept and given back (words for e-mails) or
//! taken and passed over (channels: routes tell every action). A check that a file declares is not changed here: 403,
//! and the sentence says where.

mod badge_keys;
mod badges;
mod channels;
mod check;
mod checks;
mod declare;
mod figures;
mod flips;
mod foreign;
mod keys;
mod labels;
mod mistake;
mod names;
mod one;
mod pings;
mod place;
mod svg;
mod times;
mod unique;
mod wish;
mod zones;

use crate::App;
use crate::auth::peer;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use bw_domain::limits::API_BODY_MAX;
use bw_engine::usecase::system;
use check::Reader;
use checks::Turns;
pub use foreign::declaration;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use keys::Access;
use mistake::Mistake;
use place::{Place, What};
use serde::Serialize;
use serde_json::Value;
use wish::Body;

/// Who is named in timelines: keys have no names.
const ACTOR: &str = "a client of Healthchecks";
/// The key of figures.
const METRICS_KEY: &str = "x-metrics-key";

/// Its routes. They stand outside of the guard: they have keys of their own.
pub fn router(_app: &App) -> Router<App> {
    let mut router = Router::new();
    for (noun, below) in
        [("checks", true), ("channels", false), ("badges", false), ("metrics", false), ("status", false)]
    {
        // Versions that are not there are answered by this interface, too.
        let path = format!("/api/{{version}}/{noun}");
        router = router.route(&format!("{path}/"), any(api));
        // Without a slash that is another system's address, in the second version.
        if noun == "status" {
            router = router.route("/api/v1/status", any(api)).route("/api/v3/status", any(api));
        } else {
            router = router.route(&path, any(api));
        }
        if below {
            router = router.route(&format!("{path}/{{*rest}}"), any(api));
        }
    }
    router
        .route("/badge/{*rest}", any(badge))
        .route("/b/{*rest}", any(badge))
        .route("/projects/{code}/metrics", any(project_figures))
        .route("/projects/{code}/metrics/", any(project_figures))
        .route("/projects/{code}/metrics/{key}", any(project_figures))
        .layer(Extension(Turns::default()))
}

async fn api(State(app): State<App>, request: Request) -> Response {
    let Some(place) = Place::of(request.uri().path()) else {
        return open(Mistake::NotFound.into_response(), &[Method::GET, Method::POST]);
    };
    let methods = place.methods();
    let response = if *request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else if place.posted_for_get() && *request.method() == Method::POST {
        answer(&app, &place, &Method::GET, request).await
    } else if place.bare {
        with_slash(request.uri())
    } else if methods.contains(request.method()) {
        let method = request.method().clone();
        answer(&app, &place, &method, request).await
    } else {
        StatusCode::METHOD_NOT_ALLOWED.into_response()
    };
    open(response, methods)
}

/// Pages of other origins may read it: keys are not sent by browsers on their own.
fn open(mut response: Response, methods: &[Method]) -> Response {
    let mut list: Vec<&str> = methods.iter().map(Method::as_str).collect();
    list.push("OPTIONS");
    let list = HeaderValue::from_str(&list.join(", ")).expect("the names of methods are good in a header");
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("X-Api-Key"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, list);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// To the same address with a slash at its end.
fn with_slash(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let to = HeaderValue::try_from(format!("{}/{query}", uri.path()));
    match to {
        Ok(to) => (StatusCode::MOVED_PERMANENTLY, [(LOCATION, to)]).into_response(),
        Err(_) => Mistake::NotFound.into_response(),
    }
}

async fn answer(app: &App, place: &Place, method: &Method, request: Request) -> Response {
    answered(app, place, method, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answered(app: &App, place: &Place, method: &Method, request: Request) -> Result<Response, Mistake> {
    let (head, body) = request.into_parts();
    let from = peer(&head.extensions);
    app.auth.counted(from).map_err(Mistake::TooMany)?;
    match place.what {
        What::Status => return Ok(status(app)),
        What::Metrics => return work(app, &head).await,
        _ => {}
    }
    // The original reads the body before it looks at the key.
    let body = if *method == Method::POST { read(body).await? } else { Body::new() };
    let in_body = body.get("api_key").and_then(Value::as_str);
    let access = keys::access(app, &head.headers, in_body, from)?;
    let turns = head.extensions.get::<Turns>().expect("the router lays it beside every request");
    let reader = Reader::new(app, place.version, access, site(app, &head));
    let query = head.uri.query().unwrap_or_default();
    if access == Access::Read && !may_be_read(&place.what, method) {
        return Err(Mistake::WrongKey);
    }
    let ok = StatusCode::OK;
    Ok(match (&place.what, method) {
        (What::Checks, &Method::POST) => {
            let (check, made) = checks::create(&reader, &body, turns).await?;
            json(if made { StatusCode::CREATED } else { ok }, &check)
        }
        (What::Checks, _) => json(ok, &checks::list(&reader, &checks::Filter::read(query)).await?),
        (What::Check(key), method) => {
            let id = one::find(app, key).await?;
            let check = match *method {
                Method::POST => one::update(&reader, id, &body).await?,
                Method::DELETE => one::delete(&reader, id).await?,
                _ => one::show(&reader, id).await?,
            };
            json(ok, &check)
        }
        (What::Pause(uuid), _) => json(ok, &one::pause(&reader, one::by_uuid(app, *uuid).await?).await?),
        (What::Resume(uuid), _) => json(ok, &one::resume(&reader, one::by_uuid(app, *uuid).await?).await?),
        (What::Pings(uuid), _) => {
            let id = one::by_uuid(app, *uuid).await?;
            json(ok, &pings::list(app, id, &reader.address(*uuid)).await?)
        }
        (What::Body(uuid, number), _) => {
            let body = pings::body(app, one::by_uuid(app, *uuid).await?, *number).await?;
            ([(CONTENT_TYPE, "text/plain")], body).into_response()
        }
        (What::Flips(key), _) => {
            let id = one::find(app, key).await?;
            let filter = flips::Filter::read(query, app.services.clock.now())?;
            json(ok, &flips::list(app, id, filter).await?)
        }
        (What::Channels, _) => json(ok, &channels::list(app)),
        (What::Badges, _) => json(ok, &badges::links(app, &reader.site)),
        (What::Metrics | What::Status, _) => return Err(Mistake::NotFound),
    })
}

/// What the key that only reads is for.
fn may_be_read(what: &What, method: &Method) -> bool {
    *method == Method::GET && matches!(what, What::Checks | What::Check(_) | What::Flips(_) | What::Badges)
}

/// The object in a body; nothing sent is an empty one.
async fn read(body: axum::body::Body) -> Result<Body, Mistake> {
    let bytes = match Limited::new(body, API_BODY_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Mistake::TooLarge),
        Err(_) => return Err(Mistake::NotJson),
    };
    if bytes.is_empty() {
        return Ok(Body::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Mistake::of("value", "is not an object")),
        Err(_) => Err(Mistake::NotJson),
    }
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    crate::api::json(status, body)
}

/// Where this server is, for links: as it is configured, else as the client reached it.
fn site(app: &App, head: &Parts) -> String {
    if !app.services.base_url.is_empty() {
        return app.services.base_url.to_string();
    }
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).unwrap_or_default()
}

fn status(app: &App) -> Response {
    match system::ready(&app.services, &app.process) {
        Ok(()) => ([(CONTENT_TYPE, "text/plain; charset=utf-8")], "OK").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// Both keys open it: the original has one of the installation.
async fn work(app: &App, head: &Parts) -> Result<Response, Mistake> {
    let sent = head.headers.get(METRICS_KEY).and_then(|value| value.to_str().ok());
    let Some(sent) = sent else { return Err(Mistake::Forbidden) };
    if keys::known(app, sent).is_none() {
        app.auth.guessed(peer(&head.extensions)).map_err(Mistake::TooMany)?;
        return Err(Mistake::Forbidden);
    }
    Ok(json(StatusCode::OK, &figures::work(app).await?))
}

async fn badge(State(app): State<App>, request: Request) -> Response {
    let from = peer(request.extensions());
    let response = if *request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else if *request.method() != Method::GET {
        StatusCode::METHOD_NOT_ALLOWED.into_response()
    } else {
        drawn(&app, request.uri().path(), from).await.unwrap_or_else(IntoResponse::into_response)
    };
    open(response, &[Method::GET])
}

async fn drawn(app: &App, path: &str, from: std::net::IpAddr) -> Result<Response, Mistake> {
    app.auth.counted(from).map_err(Mistake::TooMany)?;
    let wanted = badges::Wanted::of(path).ok_or(Mistake::NotFound)?;
    badges::badge(app, &wanted).await?.ok_or(Mistake::NotFound)
}

/// There is one project, whatever its code.
async fn project_figures(State(app): State<App>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    scraped(&app, &head).await.unwrap_or_else(IntoResponse::into_response)
}

async fn scraped(app: &App, head: &Parts) -> Result<Response, Mistake> {
    let from = peer(&head.extensions);
    app.auth.counted(from).map_err(Mistake::TooMany)?;
    if head.method != Method::GET {
        return Ok(StatusCode::METHOD_NOT_ALLOWED.into_response());
    }
    let parts: Vec<&str> = head.uri.path().split('/').collect();
    let in_path = match parts[..] {
        ["", "projects", _, "metrics"] => return Ok(with_slash(&head.uri)),
        ["", "projects", _, "metrics", key] => Some(key).filter(|key| !key.is_empty()),
        _ => None,
    };
    let header = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer "));
    let Some(sent) = in_path.or(bearer) else { return Ok(StatusCode::UNAUTHORIZED.into_response()) };
    if keys::known(app, sent).is_none() {
        app.auth.guessed(from).map_err(Mistake::TooMany)?;
        return Err(Mistake::Forbidden);
    }
    Ok(([(CONTENT_TYPE, figures::TEXT)], figures::exposition(app).await?).into_response())
}
