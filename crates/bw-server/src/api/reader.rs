//! The document of the interface, and a page that people can read it on: no scripts, nothing from elsewhere.

use axum::response::{Html, IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<String> = LazyLock::new(super::openapi);
static PAGE: LazyLock<String> = LazyLock::new(|| render(&DOCUMENT));

/// `GET /openapi.json`.
pub async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// `GET /api`.
pub async fn page() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(PAGE.as_str())).into_response()
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bellwether: interface</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; text-transform: capitalize }
h3 { font: 600 1rem ui-monospace, monospace; margin: 1.5rem 0 .25rem }
code, dt { font-family: ui-monospace, monospace }
p, dl { margin: .25rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; padding-left: 1rem }
dd { margin: 0 }
</style>
<main>
<h1>Bellwether: interface</h1>
"#;

fn render(document: &str) -> String {
    let document: Value = serde_json::from_str(document).expect("our own document is JSON");
    let mut page = HEAD.to_owned();
    let about = document["info"]["description"].as_str().unwrap_or_default();
    put(
        &mut page,
        format_args!(
            "<p>{}</p>\n<p>For programs: <a href=\"/openapi.json\">openapi.json</a></p>\n",
            escape(about)
        ),
    );
    let none = Map::new();
    let mut tag = String::new();
    for (path, item) in document["paths"].as_object().unwrap_or(&none) {
        for (method, operation) in item.as_object().unwrap_or(&none) {
            let here = operation["tags"][0].as_str().unwrap_or("other");
            if here != tag {
                tag = here.to_owned();
                put(&mut page, format_args!("<h2>{}</h2>\n", escape(here)));
            }
            operation_block(&mut page, method, path, operation);
        }
    }
    page.push_str("</main>\n");
    page
}

fn operation_block(page: &mut String, method: &str, path: &str, operation: &Value) {
    put(page, format_args!("<h3>{} {}</h3>\n", method.to_uppercase(), escape(path)));
    let said = operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
    put(page, format_args!("<p>{}</p>\n", escape(said)));
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let described = parameters.iter().filter(|parameter| parameter["in"] != "path");
    let answers = operation["responses"].as_object().into_iter().flatten();
    page.push_str("<dl>\n");
    for parameter in described {
        let (name, about) = (parameter["name"].as_str(), parameter["description"].as_str());
        term(page, name.unwrap_or_default(), about.unwrap_or_default());
    }
    let body = operation["requestBody"]["content"].as_object().into_iter().flatten();
    for (media, content) in body {
        term(page, "body", &format!("{} ({media})", type_of(&content["schema"])));
    }
    for (status, answer) in answers {
        let schemas = answer["content"].as_object().into_iter().flatten();
        let types: Vec<&str> = schemas.map(|(_, content)| type_of(&content["schema"])).collect();
        term(page, &format!("→ {status}"), &types.join(", "));
    }
    page.push_str("</dl>\n");
}

fn term(page: &mut String, name: &str, about: &str) {
    put(page, format_args!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(about)));
}

fn type_of(schema: &Value) -> &str {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or("object")
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
