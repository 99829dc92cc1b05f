//! Every expectation that can be written, what it says of an answer, and what is said of mistakes.

use super::ast::{Ast, FIELDS, Field, Operator, Value};
use super::*;
use crate::outcome::Phase;
use crate::time::{Duration, Span};
use proptest::prelude::*;

fn certificate() -> Certificate {
    let day = |day: i64| Instant::from_ms(day * 86_400_000);
    Certificate {
        subject: "CN=shop.example.com".to_owned(),
        issuer: "CN=R11, O=Let's Encrypt, C=US".to_owned(),
        names: vec!["shop.example.com".to_owned(), "*.example.com".to_owned()],
        not_before: day(100),
        not_after: day(190),
        chain_not_after: day(190),
        fingerprint: "00".repeat(32),
        key: "EC P-256".to_owned(),
        protocol: "TLS 1.3".to_owned(),
        problem: String::new(),
    }
}

/// Judges one expectation against a fixed answer: `Ok`, or code and sentence.
fn check(text: &str, expected: Result<(), (&str, &str)>) {
    let mut phases = Phases::default();
    phases.add(Phase::Resolve, 12_000);
    phases.add(Phase::Tls, 61_500);
    let headers = [
        ("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned()),
        ("x-shard".to_owned(), "a".to_owned()),
        ("X-Shard".to_owned(), "b".to_owned()),
    ];
    let certificate = certificate();
    let seen = Seen {
        status: Some(503),
        body: Some(b"Welcome to v42 of \xff\"us\""),
        headers: &headers,
        latency_us: 1_034_500,
        phases: &phases,
        certificate: Some(&certificate),
        now: Instant::from_ms(160 * 86_400_000 + 1),
    };
    let expectation = Expectation::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
    let unmet = judge(&[expectation], &seen);
    let found = unmet.as_ref().map(|unmet| (unmet.code.name(), unmet.text.as_str()));
    assert_eq!(found, expected.err(), "{text}");
}

#[test]
fn judging() {
    for text in [
        "status == 503",
        "status != 200",
        "status < 504",
        "status <= 503",
        "status > 502",
        "status >= 503",
        "status in 500..599",
        "status in [200, 503]",
        "status in [200..299, 500..504]",
        "status in [503]",
        "  status==503  ",
        "body contains \"Welcome\"",
        "body contains 'Welcome'",
        "body contains \"\\\"us\\\"\"",
        "body not contains \"Goodbye\"",
        "body matches \"v\\d+\"",
        "body matches \"v\\\\d+\"",
        "body matches '^Welcome'",
        "body not matches \"v\\d{3}\"",
        "header \"content-type\" contains \"html\"",
        "header.content-type contains \"html\"",
        "header.Content-Type matches \"charset=.*8$\"",
        "header \"x-shard\" == \"a\"",
        "header \"x-shard\" == \"b\"",
        "header \"x-shard\" exists",
        "header \"x-other\" not exists",
        "header \"x-other\" not contains \"a\"",
        "latency < 2s",
        "latency <= 1.1s",
        "resolve < 50ms",
        "connect < 50ms",
        "tls < 1m",
        "certificate.days_left > 14",
        "certificate.days_left == 29",
        "certificate.issuer contains \"Let's Encrypt\"",
        "certificate.subject == \"CN=shop.example.com\"",
        "certificate.names contains \"SHOP.example.com\"",
        "certificate.names not contains \"example.com\"",
        "certificate.lifetime_left > 33%",
        "certificate.lifetime_left < 33.4%",
    ] {
        check(text, Ok(()));
    }
}

#[test]
fn explaining() {
    for (text, code, sentence) in [
        ("status == 200", "expect.status", "expected status == 200, saw 503"),
        ("body contains \"Bye\"", "expect.body", "expected body contains \"Bye\", saw 23 bytes without it"),
        (
            "body not matches \"v\\d\"",
            "expect.body",
            "expected body not matches \"v\\d\", saw 23 bytes with it",
        ),
        (
            "header.content-type == \"x\"",
            "expect.header",
            "expected header.content-type == \"x\", saw \"text/html; charset=utf-8\"",
        ),
        (
            "header \"x-shard\" != \"b\"",
            "expect.header",
            "expected header \"x-shard\" != \"b\", saw \"a\", \"b\"",
        ),
        ("header \"a\" exists", "expect.header", "expected header \"a\" exists, saw no such header"),
        ("latency < 800ms", "expect.latency", "expected latency < 800ms, saw 1034.5ms"),
        ("tls < 50ms", "expect.tls", "expected tls < 50ms, saw 61.5ms"),
        ("resolve < 5ms", "expect.resolve", "expected resolve < 5ms, saw 12ms"),
        ("certificate.days_left > 30", "expect.certificate", "expected certificate.days_left > 30, saw 29"),
        (
            "certificate.lifetime_left > 50%",
            "expect.certificate",
            "expected certificate.lifetime_left > 50%, saw 33.33%",
        ),
    ] {
        check(text, Err((code, sentence)));
    }
}

#[test]
fn what_cannot_be_seen_does_not_hold() {
    let phases = Phases::default();
    let seen = Seen {
        status: None,
        body: None,
        headers: &[],
        latency_us: 1,
        phases: &phases,
        certificate: None,
        now: Instant::ZERO,
    };
    for (text, saw) in [
        ("status != 200", "no status"),
        ("body not contains \"a\"", "no body"),
        ("header.a not exists", "no answer"),
        ("certificate.days_left > 1", "no certificate"),
        ("certificate.names not contains \"a\"", "no certificate"),
    ] {
        let expectation = Expectation::parse(text).expect(text);
        let unmet = judge(&[expectation], &seen).expect(text);
        assert_eq!(unmet.text, format!("expected {text}, saw {saw}"));
    }
}

#[test]
fn slowness_hides_nothing() {
    let rules: Vec<Expectation> = ["latency < 1ms", "wait < 1ms", "body contains \"ok\"", "status == 200"]
        .iter()
        .map(|text| Expectation::parse(text).expect(text))
        .collect();
    let mut phases = Phases::default();
    phases.add(Phase::Wait, 5_000);
    let mut seen = Seen {
        status: Some(500),
        body: Some(b"oops"),
        headers: &[],
        latency_us: 6_000,
        phases: &phases,
        certificate: None,
        now: Instant::ZERO,
    };
    assert_eq!(judge(&rules, &seen).map(|unmet| unmet.code), Some(Code::EXPECT_BODY));
    seen.body = Some(b"ok");
    assert_eq!(judge(&rules, &seen).map(|unmet| unmet.code), Some(Code::EXPECT_STATUS));
    seen.status = Some(200);
    assert_eq!(judge(&rules, &seen).map(|unmet| unmet.code), Some(Code::EXPECT_LATENCY));
    seen.latency_us = 10;
    assert_eq!(judge(&rules, &seen).map(|unmet| unmet.code), Some(Code::EXPECT_WAIT));
}

#[test]
fn mistakes_name_the_place_and_the_remedy() {
    for (text, at, part) in [
        ("", 0, "begins with what is looked at"),
        ("statuss == 200", 0, "did you mean `status`?"),
        ("certificate.daysleft > 3", 0, "did you mean `certificate.days_left`?"),
        ("frobnicate == 1", 0, "write status, body"),
        ("status", 6, "a comparison is missing"),
        ("status = 200", 7, "write `==`"),
        ("status =~ \"2..\"", 7, "write `matches`"),
        ("body contain \"x\"", 5, "did you mean `contains`?"),
        ("status ==", 9, "a value is missing"),
        ("status == 2xx", 10, "`2xx` is not a number"),
        ("status == 200..299", 10, "write `in 200..299`"),
        ("status == \"200\"", 10, "compares with a number"),
        ("status in 299..200", 10, "the smaller number first"),
        ("status in [200, ", 16, "`in` takes a range or a list"),
        ("status in [200", 14, "the list has no end"),
        ("status == 99999", 10, "from 100 to 599"),
        ("status in 200..2999", 10, "from 100 to 599"),
        ("status contains 2", 7, "`contains` does not compare a number"),
        ("status == 200 and body contains \"x\"", 14, "one condition a line"),
        ("body contains Welcome", 14, "text stands in quotes: write \"Welcome\""),
        ("body contains \"x", 14, "the text has no end"),
        ("body < 3", 5, "`<` does not compare text"),
        ("body exists", 5, "`exists` does not compare text"),
        ("body matches \"(\"", 13, "unclosed group"),
        ("body matches \"\\w{500}{500}\"", 13, "too large"),
        ("header content-type exists", 7, "name the header in quotes"),
        ("header \"a b\" exists", 7, "no name of a header"),
        ("latency < 800", 10, "a duration with its unit"),
        ("latency == 800ms", 8, "`==` does not compare a measured time"),
        ("certificate.lifetime_left > 14", 28, "a share from 0% to 100%"),
        ("certificate.lifetime_left > 140%", 28, "is not a number"),
        ("certificate.names == \"x\"", 18, "write `certificate.names contains"),
    ] {
        let mistake = Expectation::parse(text).expect_err(text);
        assert!(mistake.message.contains(part), "{text}: {}", mistake.message);
        assert_eq!(mistake.at, at, "{text}: {}", mistake.message);
    }
    let long = format!("body contains \"{}\"", "x".repeat(1_000));
    assert!(Expectation::parse(&long).expect_err("too long").message.contains("at most 1000"));
}

#[test]
fn the_default_is_shared_and_costs_are_ordered() {
    assert!(Arc::ptr_eq(&Expectation::default_http(), &Expectation::default_http()));
    let cost = |text: &str| Expectation::parse(text).expect(text).cost();
    assert!(cost("status < 400") < cost("header.a exists"));
    assert!(cost("header.a exists") < cost("body contains \"a\""));
    assert!(cost("body contains \"a\"") < cost("body matches \"a\""));
    assert!(std::mem::size_of::<Expectation>() <= 72, "{}", std::mem::size_of::<Expectation>());
}

fn trees() -> impl Strategy<Value = Ast> {
    let header = "[a-z][a-z0-9-]{0,12}".prop_map(Field::Header);
    let field = prop_oneof![proptest::sample::select(FIELDS.to_vec()).prop_map(|(_, field)| field), header];
    let range = (0..1_000i64, 0..100i64).prop_map(|(low, more)| (low, low + more));
    let value = prop_oneof![
        any::<i64>().prop_map(Value::Number),
        ".{0,40}".prop_map(Value::Text),
        (1..100_000_000u64).prop_map(|ms| Value::Time(Span(Duration::from_millis(ms)))),
        (0..=10_000u32).prop_map(Value::Share),
    ];
    let operator = proptest::sample::select(Operator::ALL.to_vec());
    (field, operator, value, proptest::collection::vec(range, 1..4)).prop_map(
        |(field, operator, value, set)| {
            let value = match operator {
                Operator::Exists | Operator::NotExists => Value::Nothing,
                Operator::In => Value::Set(set),
                _ => value,
            };
            Ast { field, operator, value }
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_at_a_place_in_it(text in ".{0,80}") {
        if let Err(mistake) = Expectation::parse(&text) {
            prop_assert!(mistake.at <= text.len());
        }
    }

    #[test]
    fn text_of_the_right_shape_is_parsed_or_refused(
        text in "(status|body|header|latency|certificate\\.names)( (==|in|not|matches|contains)){0,2} [\\[\"'0-9.,\\\\msd%\\] ]{0,20}"
    ) {
        if let Err(mistake) = Expectation::parse(&text) {
            prop_assert!(text.is_char_boundary(mistake.at));
        }
    }

    #[test]
    fn a_printed_tree_parses_to_itself(tree in trees()) {
        let text = tree.to_string();
        match parse::parse(&text) {
            Ok(parsed) => prop_assert_eq!(parsed.ast, tree),
            Err(mistake) => prop_assert!(false, "{}: {}", text, mistake),
        }
    }
}
