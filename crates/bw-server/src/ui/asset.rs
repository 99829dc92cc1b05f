//! Style sheet, scripts and icons: part of the binary, served under the hash of all of them, so that browsers keep
//! them for ever and a new release is seen at once.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

#[derive(rust_embed::RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The hash of every asset with its name: modules import each other by name, so they change together.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Assets::iter().collect();
    names.sort();
    let mut hasher = blake3::Hasher::new();
    for name in names {
        hasher.update(name.as_bytes());
        if let Some(file) = Assets::get(&name) {
            hasher.update(&file.metadata.sha256_hash());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
});

/// Where an asset is found.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// `GET /assets/{hash}/{name}`. An old hash is answered too, but then not kept: a page of the release before may
/// still ask while it is replaced.
pub async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let Some(file) = Assets::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let kept = if hash == *HASH { "public, max-age=31536000, immutable" } else { "no-store" };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind(&name))),
        (CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    (headers, file.data).into_response()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_scripts_stay_small() {
        let bytes: usize =
            Assets::iter().filter_map(|name| Assets::get(&name)).map(|file| file.data.len()).sum();
        assert!(bytes <= 40_000, "CSS, JS and icons are {bytes} bytes together");
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for name in Assets::iter() {
            let file = Assets::get(&name).expect("it was listed");
            let text = String::from_utf8(file.data.into_owned()).expect("assets are text");
            let outside = text.replace("http://www.w3.org/2000/svg", "").contains("://");
            assert!(!outside, "{name} names another origin");
        }
    }
}
