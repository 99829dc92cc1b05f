//! From what is typed to declarations and back, and mistakes beside their fields.

use super::*;
use bw_domain::monitor::TargetDeclared;
use serde_json::json;

fn typed(pairs: &[(&str, &str)]) -> Fields {
    Fields::read(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect::<Vec<_>>())
}

#[test]
fn a_url_is_enough() {
    let declared = read(&typed(&[("target", " https://shop.example.com/ ")]), None, &Defaults::default())
        .expect("it is enough");
    assert_eq!(declared.name, "shop.example.com");
    let bare = read(&typed(&[("target", "shop.example.com"), ("name", "Shop")]), None, &Defaults::default())
        .expect("a host is enough");
    assert!(matches!(&bare.target, TargetDeclared::Http(url) if url == "https://shop.example.com"));
}

#[test]
fn documents_survive_the_form() {
    for document in [
        json!({"name": "a", "http": "https://a.example/"}),
        json!({"name": "a", "tcp": "a.example:25", "every": "30s", "family": "both"}),
        json!({
            "id": "shop", "name": "a", "slug": "a", "enabled": false,
            "http": {"url": "https://a.example/", "redirects": "none", "verify": false, "resolver": "9.9.9.9"},
            "method": "POST", "headers": {"a": "***", "x-b": "***"}, "body": "{}",
            "auth": {"username": "u", "password": "***"}, "every": "30s", "timeout": "2s",
            "expect": ["status == 200", "body contains \"a: b\""], "webhook_url": "***",
            "confirm": {"failures": 3, "recoveries": 1, "after": "2s", "min": 1},
            "labels": {"team": "web", "tier": "gold"}, "tell": {"first_up": true},
        }),
        json!({"name": "a", "http": "https://a.example/", "auth": {"bearer": "***"}}),
    ] {
        assert_eq!(document::write(&Fields::of(&document), Some(document.clone())), document);
    }
}

#[test]
fn mistakes_stand_beside_their_fields() {
    for (path, message, field, sentence) in [
        ("http", "is missing", "target", "Is missing."),
        ("http.resolver", "is an IP address", "resolver", "Is an IP address."),
        ("expect[1]", "unknown field", "expect", "Line 2: unknown field."),
        ("headers.x y", "is no header name", "headers", "x y: is no header name."),
        ("confirm.failures", "must be a number", "failures", "Must be a number."),
        ("auth.username", "must not contain a colon", "auth", "Must not contain a colon."),
        ("every", "`10` is not a duration.", "every", "`10` is not a duration."),
        ("", "must be a map", "", "Must be a map."),
        ("slug", "is odd", "", "Is odd."),
    ] {
        assert_eq!(placed(&Problem::new(path, message)), (field, sentence.to_owned()), "{path}");
    }
}

#[test]
fn a_number_that_is_none_is_said_to_be_none() {
    let error =
        read(&typed(&[("target", "https://a.example/"), ("failures", "two")]), None, &Defaults::default())
            .expect_err("two is a word");
    let UseError::Invalid(problems) = error else { panic!("{error:?}") };
    assert_eq!(placed(&problems[0]).0, "failures");
}
