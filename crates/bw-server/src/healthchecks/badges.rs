//! Badges: one for each tag, one for all, one for each check; as an image, as JSON, and for shields.io; with two states,
//! where a late check is up, or with three. Anybody may see them who has their address.

use super::badge_keys::BadgeKeys;
use super::{check, labels, svg};
use crate::App;
use axum::response::{IntoResponse, Response};
use bw_domain::beat::Status;
use bw_engine::usecase::monitors::MonitorView;
use bw_engine::usecase::{UseError, monitors};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the badge of all checks is called.
const ALL: &str = "Bellwether";
/// The tag that stands for all checks.
const EVERY_TAG: &str = "*";

/// The addresses of one tag's badges.
#[derive(Serialize)]
pub struct Links {
    svg: String,
    svg3: String,
    json: String,
    json3: String,
    shields: String,
    shields3: String,
}

/// `{"badges": {tag: …}}`.
#[derive(Serialize)]
pub struct Badges {
    badges: BTreeMap<String, Links>,
}

/// The badges of every tag, and of all checks.
pub fn links(app: &App, site: &str) -> Badges {
    let mut badges = BTreeMap::new();
    let Some(keys) = BadgeKeys::of(&app.beats) else { return Badges { badges } };
    let project = keys.project();
    let mut add = |tag: &str| {
        let signature = keys.sign(tag);
        let path = |states: &str, format: &str| {
            let name = if tag == EVERY_TAG { String::new() } else { format!("/{}", encoded(tag)) };
            format!("{site}/badge/{project}/{signature}{states}{name}.{format}")
        };
        badges.entry(tag.to_owned()).or_insert_with(|| Links {
            svg: path("-2", "svg"),
            svg3: path("", "svg"),
            json: path("-2", "json"),
            json3: path("", "json"),
            shields: path("-2", "shields"),
            shields3: path("", "shields"),
        });
    };
    add(EVERY_TAG);
    for spec in app.services.catalog.all().iter().filter(|spec| spec.beats().is_some()) {
        labels::tags(&labels::shown(&spec.declared)).into_iter().for_each(&mut add);
    }
    Badges { badges }
}

/// Which badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    of: Of,
    has_late: bool,
    format: Format,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Of {
    Tag { key: String, signature: String, tag: String },
    Check(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Svg,
    Json,
    Shields,
}

impl Wanted {
    /// Reads `/badge/{key}/{signature}[-2][/{tag}].{format}` and `/b/{2|3}/{key}.{format}`.
    pub fn of(path: &str) -> Option<Wanted> {
        let (path, format) = path.rsplit_once('.')?;
        let format = match format {
            "svg" => Format::Svg,
            "json" => Format::Json,
            "shields" => Format::Shields,
            _ => return None,
        };
        let parts: Vec<&str> = path.split('/').collect();
        let (of, has_late) = match parts[..] {
            ["", "badge", key, signature, ref rest @ ..] if rest.len() < 2 => {
                let (signature, has_late) = match signature.strip_suffix("-2") {
                    Some(signature) => (signature, false),
                    None => (signature, true),
                };
                let tag = match rest {
                    [tag] => decoded(tag)?,
                    _ => EVERY_TAG.to_owned(),
                };
                (Of::Tag { key: key.to_owned(), signature: signature.to_owned(), tag }, has_late)
            }
            ["", "b", states @ ("2" | "3"), key] => (Of::Check(key.to_owned()), states == "3"),
            _ => return None,
        };
        Some(Wanted { of, has_late, format })
    }
}

/// The badge; `None` where there is none.
pub async fn badge(app: &App, wanted: &Wanted) -> Result<Option<Response>, UseError> {
    let Some(keys) = BadgeKeys::of(&app.beats) else { return Ok(None) };
    let (label, views) = match &wanted.of {
        Of::Tag { key, signature, tag } => {
            if !keys.is_signed(key, signature, tag) {
                return Ok(None);
            }
            let mut views = monitors::all(&app.services).await?;
            let has =
                |view: &MonitorView| labels::tags(&labels::shown(&view.spec.declared)).contains(&&**tag);
            views.retain(|view| view.spec.beats().is_some() && (tag == EVERY_TAG || has(view)));
            (if tag == EVERY_TAG { ALL.to_owned() } else { tag.clone() }, views)
        }
        Of::Check(key) => {
            let Some(id) = keys.check_of(key) else { return Ok(None) };
            match monitors::get(&app.services, id).await {
                Ok(view) if view.spec.beats().is_some() => (title(&view), vec![view]),
                Ok(_) | Err(UseError::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    };
    let sum = Sum::of(app, &views, wanted.has_late);
    Ok(Some(sum.answer(&label, wanted.format)))
}

/// A check without a name is not called by its address: a badge is public.
fn title(view: &MonitorView) -> String {
    let name = check::name(&view.spec);
    if name.is_empty() { "check".to_owned() } else { name }
}

/// What several checks are together.
#[derive(Serialize)]
struct Sum {
    status: &'static str,
    total: usize,
    grace: usize,
    down: usize,
}

/// As shields.io reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shield<'a> {
    schema_version: u8,
    label: &'a str,
    message: &'static str,
    color: &'static str,
}

impl Sum {
    fn of(app: &App, views: &[MonitorView], has_late: bool) -> Sum {
        let now = app.services.clock.now();
        let count = |status| {
            let is_it =
                |view: &&MonitorView| view.standing(now).is_some_and(|standing| standing.status == status);
            views.iter().filter(is_it).count()
        };
        let (grace, down) = (count(Status::Grace), count(Status::Down));
        let status = match (down, grace) {
            (1.., _) => "down",
            (0, 1..) if has_late => "late",
            _ => "up",
        };
        Sum { status, total: views.len(), grace, down }
    }

    fn answer(&self, label: &str, format: Format) -> Response {
        let mut response = match format {
            Format::Svg => {
                let kind = [(CONTENT_TYPE, "image/svg+xml")];
                (kind, svg::draw(label, self.status)).into_response()
            }
            Format::Json => crate::api::json(StatusCode::OK, self),
            Format::Shields => {
                let color = match self.status {
                    "up" => "success",
                    "late" => "important",
                    _ => "critical",
                };
                let shield = Shield { schema_version: 1, label, message: self.status, color };
                crate::api::json(StatusCode::OK, &shield)
            }
        };
        let never = HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");
        response.headers_mut().insert(CACHE_CONTROL, never);
        response
    }
}

/// A tag as a part of a path.
fn encoded(tag: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    tag.bytes().map(byte).collect()
}

/// The inverse.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?;
                bytes.push(u8::try_from(digits).ok()?);
                rest = tail;
            }
            (b'%', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_through_paths() {
        for tag in ["prod", "a/b", "50%", "team=web", "ü", "v1.2"] {
            assert_eq!(decoded(&encoded(tag)).as_deref(), Some(tag));
        }
        assert_eq!(decoded("%4"), None);
        assert_eq!(decoded("%zz"), None);
    }

    #[test]
    fn paths() {
        let tag = |signature: &str, tag: &str| Of::Tag {
            key: "k".to_owned(),
            signature: signature.to_owned(),
            tag: tag.to_owned(),
        };
        for (path, expected) in [
            ("/badge/k/s.svg", Some((tag("s", "*"), true, Format::Svg))),
            ("/badge/k/s-2.json", Some((tag("s", "*"), false, Format::Json))),
            ("/badge/k/s-2/v1.2.shields", Some((tag("s", "v1.2"), false, Format::Shields))),
            ("/b/2/u.svg", Some((Of::Check("u".to_owned()), false, Format::Svg))),
            ("/b/3/u.svg", Some((Of::Check("u".to_owned()), true, Format::Svg))),
            ("/b/4/u.svg", None),
            ("/badge/k/s.png", None),
            ("/badge/k/s/a/b.svg", None),
            ("/badge/k/s", None),
        ] {
            let expected = expected.map(|(of, has_late, format)| Wanted { of, has_late, format });
            assert_eq!(Wanted::of(path), expected, "{path}");
        }
    }
}
