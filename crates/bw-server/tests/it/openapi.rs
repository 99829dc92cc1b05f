//! The document of the interface.

use crate::house::House;
use http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn the_document_is_locked() {
    let committed = include_str!("../../../../docs/openapi.json");
    assert!(
        bw_server::openapi() == committed,
        "the interface has changed: `cargo xtask generate` writes docs/openapi.json"
    );
}

#[test]
fn every_reference_has_its_schema_and_every_operation_says_what_it_does() {
    let document: Value = serde_json::from_str(&bw_server::openapi()).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} has no schema");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            assert!(
                ids.insert(operation["operationId"].to_string()),
                "{method} {path} has a name of its own"
            );
            let said = operation["summary"].as_str().unwrap_or_default();
            assert!(said.len() > 10, "{method} {path} says what it does");
        }
    }
}

#[tokio::test]
async fn it_is_served_for_programs_and_for_people() {
    let house = House::new().await;
    let served = house.get("/openapi.json").await;
    assert_eq!((served.status, served.text()), (StatusCode::OK, bw_server::openapi().as_str()));
    let page = house.get("/api").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text().contains("POST /api/v1/monitors/{id}/probe") && !page.text().contains("<script"));
}
