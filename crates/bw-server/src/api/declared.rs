//! A declaration as JSON, both ways: written as in YAML with secrets as `***`, and read from a monitor that was read
//! here before.

use bw_domain::monitor::{Auth, Declaration, Families, Labels, TargetDeclared};
use bw_domain::read::Problem;
use bw_domain::secret::{MASK, Secret};
use bw_domain::time::Span;
use bw_engine::usecase::UseError;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What was declared: as in `bellwether.yaml`, secrets as `***`.
#[derive(Serialize, ToSchema)]
#[schema(as = Declaration)]
pub struct DeclaredOut<'a> {
    /// The key in its file, where it is not the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<HttpOut<'a>>,
    /// `host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<&'a str>,
    /// `host:port`, 443 when no port is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<&'a str>,
    /// The job reports itself: `every` or `schedule` with `zone`, `grace`, `count`, … as in `bellwether.yaml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    heartbeat: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "masked")]
    #[schema(value_type = BTreeMap<String, String>)]
    headers: &'a BTreeMap<String, Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<AuthOut<'a>>,
    /// A duration such as `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    every: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(any|v4|v6|both)$")]
    family: Option<Families>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    from: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    expect: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<ConfirmOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tell: Option<TellOut>,
    /// A secret: `***` when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_url: Option<&'static str>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    labels: &'a Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

/// A URL, or a map with options.
#[derive(Serialize, ToSchema)]
#[schema(as = Http)]
#[serde(untagged)]
enum HttpOut<'a> {
    Url(&'a str),
    Options(HttpOptionsOut<'a>),
}

#[derive(Serialize, ToSchema)]
#[schema(as = HttpOptions)]
struct HttpOptionsOut<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(follow|same-host|none)$")]
    redirects: Option<bw_domain::probe::RedirectPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<bool>,
    /// Name servers to ask instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolver: Option<&'a str>,
}

/// Either `username` and `password`, or `bearer`.
#[derive(Serialize, ToSchema)]
#[schema(as = Auth)]
struct AuthOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Confirm)]
struct ConfirmOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recoveries: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    after: Option<Span>,
    /// `2 of 3`, or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    agree: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u16>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tell)]
struct TellOut {
    first_up: bool,
}

impl<'a> DeclaredOut<'a> {
    /// What was said and nothing else: the same as `Declaration::to_json`.
    pub fn of(declared: &'a Declaration) -> Self {
        let probing = &*declared.probing;
        let (mut http, mut tcp, mut tls, mut heartbeat) = (None, None, None, None);
        match &declared.target {
            TargetDeclared::Missing => {}
            TargetDeclared::Heartbeat(said) => heartbeat = Some(said.to_json()),
            TargetDeclared::Tcp(address) => tcp = Some(address.as_str()),
            TargetDeclared::Tls(address) => tls = Some(address.as_str()),
            TargetDeclared::Http(url) if probing.http == Default::default() => http = Some(HttpOut::Url(url)),
            TargetDeclared::Http(url) => {
                let options = &probing.http;
                let (redirects, verify, resolver) =
                    (options.redirects, options.verify, options.resolver.as_deref());
                http = Some(HttpOut::Options(HttpOptionsOut { url, redirects, verify, resolver }));
            }
        }
        let confirm = &probing.confirm;
        DeclaredOut {
            key: declared.id.as_deref(),
            name: &declared.name,
            slug: declared.slug.as_deref(),
            http,
            tcp,
            tls,
            heartbeat,
            method: probing.method.as_deref(),
            headers: &probing.headers,
            body: probing.body.as_deref(),
            auth: probing.auth.as_ref().map(|auth| match auth {
                Auth::Basic { username, .. } => {
                    AuthOut { username: Some(username), password: Some(MASK), bearer: None }
                }
                Auth::Bearer(_) => AuthOut { username: None, password: None, bearer: Some(MASK) },
            }),
            every: probing.every,
            timeout: probing.timeout,
            family: probing.family,
            from: &probing.from,
            expect: &probing.expect,
            confirm: (*confirm != Default::default()).then_some(ConfirmOut {
                failures: confirm.failures,
                recoveries: confirm.recoveries,
                after: confirm.after,
                agree: confirm.agree.as_deref(),
                min: confirm.min,
            }),
            tell: declared.tell.first_up.map(|first_up| TellOut { first_up }),
            webhook_url: declared.webhook_url.as_ref().map(|_| MASK),
            labels: &declared.labels,
            enabled: declared.enabled,
        }
    }
}

fn masked<S: Serializer>(headers: &BTreeMap<String, Secret>, out: S) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(headers.len()))?;
    for name in headers.keys() {
        map.serialize_entry(name, MASK)?;
    }
    map.end()
}

/// Members of a monitor that are ours to say: what was read may be written back with them in it.
const READ_ONLY: &[&str] = &[
    "uuid",
    "owner",
    "revision",
    "health",
    "mode",
    "state",
    "since",
    "last_slot",
    "created_at",
    "observed",
    "beats",
];

/// Leaves what a writer may say, with the names that declarations have.
pub fn writable(mut document: Value) -> Result<Value, UseError> {
    let Value::Object(members) = &mut document else {
        return Err(UseError::Invalid(vec![Problem::new("", "a monitor is a JSON object")]));
    };
    for name in READ_ONLY {
        members.remove(*name);
    }
    if members.get("id").is_some_and(Value::is_number) {
        members.remove("id");
    }
    if let Some(key) = members.remove("key") {
        members.insert("id".to_owned(), key);
    }
    Ok(document)
}

/// The declaration in a body.
pub fn declaration(document: Value) -> Result<Declaration, UseError> {
    Declaration::from_json(&writable(document)?).map_err(UseError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn is_the_document_of_the_domain() {
        for document in [
            json!({"name": "a", "http": "https://a.example/"}),
            json!({"name": "a", "tcp": "a.example:25", "enabled": false, "family": "both"}),
            json!({"name": "a", "heartbeat": {"schedule": "0 3 * * 1-5", "zone": "Europe/Berlin", "grace": "30m"}}),
            json!({"name": "a", "tls": "a.example", "labels": {"team": "web"}, "from": ["local"]}),
            json!({
                "id": "k", "name": "a", "slug": "s", "method": "POST", "body": "x", "every": "30s", "timeout": "800ms",
                "http": {"url": "https://a.example/", "redirects": "same-host", "verify": false, "resolver": "9.9.9.9"},
                "headers": {"x-key": "s3cret"}, "auth": {"username": "u", "password": "s3cret"},
                "expect": ["status == 200", "latency < 1s"], "tell": {"first_up": true},
                "confirm": {"failures": 3, "recoveries": 1, "after": "2s", "agree": "1", "min": 1},
                "webhook_url": "https://hooks.example/s3cret",
            }),
            json!({"name": "a", "http": "https://a.example/", "auth": {"bearer": "s3cret"}}),
        ] {
            let declared = declaration(document).expect("a declaration");
            let mut expected = declared.to_json();
            if let Some(key) = expected.as_object_mut().and_then(|map| map.remove("id")) {
                expected["key"] = key;
            }
            let seen = serde_json::to_value(DeclaredOut::of(&declared)).expect("JSON");
            assert_eq!(seen, expected);
            assert!(!seen.to_string().contains("s3cret"));
            assert_eq!(declaration(seen).expect("reads back").key(), declared.key());
        }
    }

    #[test]
    fn what_was_read_may_be_written_back() {
        let document = json!({"id": 7, "uuid": "x", "revision": 3, "state": "UP", "observed": [], "name": "a", "http": "https://a.example/"});
        assert_eq!(declaration(document).expect("a declaration").id, None);
        let wrong = declaration(json!({"name": "a", "http": "https://a.example/", "evry": "1s"}));
        assert!(matches!(wrong, Err(UseError::Invalid(problems)) if problems[0].path == "evry"));
        assert!(declaration(json!([])).is_err());
    }
}
