//! `/api/v1` and its document. Registering a route documents it; `openapi.json` is made from the same table that
//! answers requests.

mod apply;
mod beat;
mod beats;
mod declared;
mod deliveries;
mod incidents;
mod latency;
mod monitor;
mod monitors;
mod outcome;
mod outcomes;
mod reader;
mod system;
mod tokens;
mod uptime;

use crate::App;
use crate::problem::{Document, Refusal};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bw_domain::id::MonitorId;
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes, with the state still to be given.
pub fn router() -> Router<App> {
    let (router, _) = documented().split_for_parts();
    router
        .route("/openapi.json", get(reader::document))
        .route("/api", get(reader::page))
        .route("/api/", get(reader::page))
}

/// The OpenAPI document of `/api/v1`, the same bytes for the same build.
pub fn openapi() -> String {
    let (_, document) = documented().split_for_parts();
    let mut text = document.to_pretty_json().expect("the document is made of texts and numbers");
    text.push('\n');
    text
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(frame())
        .routes(routes!(monitors::list, monitors::create))
        .routes(routes!(monitors::get, monitors::replace, monitors::patch, monitors::delete))
        .routes(routes!(monitors::pause))
        .routes(routes!(monitors::resume))
        .routes(routes!(monitors::probe))
        .routes(routes!(beats::list))
        .routes(routes!(beats::body))
        .routes(routes!(beats::tail))
        .routes(routes!(outcomes::list))
        .routes(routes!(outcomes::evidence))
        .routes(routes!(latency::series))
        .routes(routes!(uptime::report))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::get))
        .routes(routes!(incidents::acknowledge))
        .routes(routes!(incidents::note))
        .routes(routes!(apply::apply))
        .routes(routes!(deliveries::list))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(system::report))
}

/// What the document says beside the routes.
fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Bellwether")
        .version("1")
        .description(Some(
            "Declarations look as in bellwether.yaml: durations are texts such as `30s`. Measured values carry \
             their unit in the name. Errors are problem documents (RFC 9457). Lists are paged by `after`, which \
             takes the `next` of the page before. `***` stands for a secret; writing it keeps the stored value.",
        ))
        .build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let mut components = ComponentsBuilder::new().security_scheme("token", bearer);
    components = components.schema(Document::name(), Document::schema());
    let mut schemas = Vec::new();
    Document::schemas(&mut schemas);
    let components = components.schemas_from_iter(schemas).build();
    let none: [&str; 0] = [];
    let security = [SecurityRequirement::default(), SecurityRequirement::new("token", none)];
    OpenApiBuilder::new().info(info).components(Some(components)).security(Some(security)).build()
}

/// A body of JSON.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    json_of(status, body, 1_024)
}

/// A body of JSON of about so many bytes: one that grows as it is written is copied several times.
pub(crate) fn json_of<T: Serialize>(status: StatusCode, body: &T, about: usize) -> Response {
    let mut bytes = Vec::with_capacity(about);
    serde_json::to_writer(&mut bytes, body).expect("answers are made of texts and numbers");
    (status, [(CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// The tag of a revision.
pub(crate) fn etag(revision: u32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).expect("digits are good in a header")
}

/// How many outcome rows an answer was made from.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Says how many outcome rows an answer was made from.
fn with_rows(mut response: Response, rows: usize) -> Response {
    let value = HeaderValue::from_str(&format!("rows;desc={rows}")).expect("digits are good in a header");
    response.headers_mut().insert(SERVER_TIMING, value);
    response
}

fn with_revision(mut response: Response, revision: u32) -> Response {
    response.headers_mut().insert(ETAG, etag(revision));
    response
}

/// The revision that `If-Match` insists on, given the present one.
fn insisted(headers: &HeaderMap, present: u32) -> Option<u32> {
    let text = headers.get(IF_MATCH)?.to_str().unwrap_or_default();
    if text.trim() == "*" {
        return None;
    }
    let read = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse::<u32>().ok();
    // A tag that we never gave, a weak one among them, matches nothing: revisions begin at 1.
    let tags: Vec<u32> = text.split(',').map(|tag| read(tag).unwrap_or(0)).collect();
    Some(if tags.contains(&present) { present } else { tags[0] })
}

/// The id in a path: a number, or the sentence that it is none.
pub(crate) struct Id(pub i64);

impl Id {
    fn monitor(&self) -> MonitorId {
        MonitorId(self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<i64>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Id(id)),
            Err(rejection) => Err(not_an_id(&rejection)),
        }
    }
}

fn not_an_id(rejection: &PathRejection) -> Refusal {
    tracing::debug!(%rejection, "an id could not be read");
    Refusal::bad_request("invalid-id", "ids are whole numbers, such as 17")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match() {
        for (header, insisted_on) in [
            (None, None),
            (Some("*"), None),
            (Some("\"3\""), Some(3)),
            (Some("\"1\", \"3\""), Some(3)),
            (Some("\"2\""), Some(2)),
            (Some("W/\"3\""), Some(0)),
            (Some("3"), Some(0)),
            (Some(""), Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|text| (IF_MATCH, HeaderValue::from_static(text))));
            assert_eq!(insisted(&headers, 3), insisted_on, "{header:?}");
        }
    }
}
