//! From the document to a [`Declaration`]: shapes and types. What the values mean is checked by `compile`.

use super::declaration::{
    Auth, ConfirmDeclared, Declaration, HttpOptions, ProbingDeclared, TargetDeclared, TellDeclared,
};
use super::heartbeat::HeartbeatDeclared;
use super::vantage::Families;
use crate::probe::RedirectPolicy;
use crate::read::{Fields, Problem, join};
use crate::secret::Secret;
use serde_json::Value;

/// The keys of a monitor, in the order of the documentation.
pub const KNOWN_KEYS: &[&str] = &[
    "id",
    "name",
    "http",
    "tcp",
    "tls",
    "heartbeat",
    "method",
    "headers",
    "body",
    "auth",
    "every",
    "timeout",
    "family",
    "from",
    "expect",
    "confirm",
    "tell",
    "webhook_url",
    "labels",
    "enabled",
    "slug",
];

const LATER: &[(&str, &str)] = &[
    ("dns", "DNS probes come later; http, tcp, tls and heartbeat are there"),
    ("icmp", "ICMP probes come later; http, tcp, tls and heartbeat are there"),
    ("depends_on", "dependencies come later"),
];
const HTTP_KEYS: &[&str] = &["url", "redirects", "verify", "resolver"];
const HTTP_LATER: &[(&str, &str)] =
    &[("proxy", "proxies come later"), ("client_certificate", "client certificates come later")];
const FAMILIES: &[(&str, Families)] =
    &[("any", Families::Any), ("v4", Families::V4), ("v6", Families::V6), ("both", Families::Both)];
const REDIRECTS: &[(&str, RedirectPolicy)] = &[
    ("follow", RedirectPolicy::Follow),
    ("same-host", RedirectPolicy::SameHost),
    ("none", RedirectPolicy::None),
];

impl Declaration {
    /// Reads a document; all mistakes at once, with paths below `path`.
    pub fn read(value: &Value, path: &str) -> Result<Declaration, Vec<Problem>> {
        let mut fields = Fields::new(value, path, KNOWN_KEYS, LATER);
        let (target, http) = target(&mut fields, path);
        let name = match fields.text("name") {
            Some(name) => name,
            None => default_name(&target).unwrap_or_default(),
        };
        let mut nested = Vec::new();
        let (id, slug) = (fields.text("id"), fields.text("slug"));
        let probing = ProbingDeclared {
            http,
            method: fields.text("method"),
            headers: fields.text_map("headers").into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
            body: fields.text("body"),
            auth: fields.get("auth").and_then(|value| auth(value, &join(path, "auth"), &mut nested)),
            every: fields.span("every"),
            timeout: fields.span("timeout"),
            family: fields.word("family", FAMILIES),
            from: fields.texts("from"),
            expect: fields.texts("expect"),
            confirm: fields
                .get("confirm")
                .map(|value| ConfirmDeclared::read(value, &join(path, "confirm"), &mut nested))
                .unwrap_or_default(),
        };
        let declared = Declaration {
            id,
            name,
            slug,
            target,
            probing: probing.shared(),
            tell: fields
                .get("tell")
                .map(|value| tell(value, &join(path, "tell"), &mut nested))
                .unwrap_or_default(),
            webhook_url: fields.text("webhook_url").filter(|url| !url.is_empty()).map(Secret::new),
            labels: fields.text_map("labels").into(),
            enabled: fields.truth("enabled"),
        };
        let mut problems = fields.problems;
        problems.append(&mut nested);
        if problems.is_empty() { Ok(declared) } else { Err(problems) }
    }

    /// Reads a document of its own.
    pub fn from_json(value: &Value) -> Result<Declaration, Vec<Problem>> {
        Declaration::read(value, "")
    }
}

fn target(fields: &mut Fields<'_>, path: &str) -> (TargetDeclared, HttpOptions) {
    let given: Vec<&str> =
        ["http", "tcp", "tls", "heartbeat"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    for extra in given.iter().skip(1) {
        fields.wrong(extra, format!("a monitor has one target: `{}` is given already", given[0]));
    }
    let mut options = HttpOptions::default();
    let target = match given.first() {
        None => TargetDeclared::Missing,
        Some(&"tcp") => fields.text("tcp").map(TargetDeclared::Tcp).unwrap_or_default(),
        Some(&"heartbeat") => {
            let mut problems = Vec::new();
            let heartbeat = fields.get("heartbeat").unwrap_or(&Value::Null);
            let declared = HeartbeatDeclared::read(heartbeat, &join(path, "heartbeat"), &mut problems);
            fields.problems.append(&mut problems);
            TargetDeclared::Heartbeat(declared)
        }
        Some(&"tls") => fields.text("tls").map(TargetDeclared::Tls).unwrap_or_default(),
        Some(_) => match fields.get("http") {
            Some(map @ Value::Object(_)) => {
                let path = join(path, "http");
                let mut http = Fields::new(map, &path, HTTP_KEYS, HTTP_LATER);
                options = HttpOptions {
                    redirects: http.word("redirects", REDIRECTS),
                    verify: http.truth("verify"),
                    resolver: http.text("resolver"),
                };
                let url = http.text("url");
                if url.is_none() && map.get("url").is_none() {
                    http.wrong("url", "is missing: write the address, such as https://example.com/");
                }
                fields.problems.append(&mut http.problems);
                TargetDeclared::Http(url.unwrap_or_default())
            }
            _ => fields.text("http").map(TargetDeclared::Http).unwrap_or_default(),
        },
    };
    (target, options)
}

/// A URL is enough for a monitor: its host is its name.
fn default_name(target: &TargetDeclared) -> Option<String> {
    match target {
        TargetDeclared::Http(url) => url::Url::parse(url).ok()?.host_str().map(str::to_owned),
        TargetDeclared::Tcp(address) | TargetDeclared::Tls(address) => Some(address.clone()),
        TargetDeclared::Heartbeat(heartbeat) => heartbeat.pulse().map(|pulse| pulse.parts().join(" / ")),
        TargetDeclared::Missing => None,
    }
}

fn auth(value: &Value, path: &str, problems: &mut Vec<Problem>) -> Option<Auth> {
    let mut fields = Fields::new(value, path, &["username", "password", "bearer"], &[]);
    let (username, password, bearer) =
        (fields.text("username"), fields.text("password"), fields.text("bearer"));
    let auth = match (username, password, bearer) {
        (Some(username), Some(password), None) => {
            Some(Auth::Basic { username, password: Secret::new(password) })
        }
        (None, None, Some(token)) => Some(Auth::Bearer(Secret::new(token))),
        _ => {
            if fields.problems.is_empty() {
                fields.problems.push(Problem::new(path, "write either username and password, or bearer"));
            }
            None
        }
    };
    problems.append(&mut fields.problems);
    auth
}

impl ConfirmDeclared {
    /// Reads a `confirm:` map; the installation's defaults have one too.
    pub fn read(value: &Value, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::new(value, path, &["failures", "recoveries", "after", "agree", "min"], &[]);
        let agree = match fields.get("agree") {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => fields.text("agree"),
        };
        let declared = ConfirmDeclared {
            failures: fields.number("failures", 1, 1_000).map(|n| n as u16),
            recoveries: fields.number("recoveries", 1, 1_000).map(|n| n as u16),
            after: fields.span("after"),
            agree,
            min: fields.number("min", 1, 100).map(|n| n as u16),
        };
        problems.append(&mut fields.problems);
        declared
    }
}

fn tell(value: &Value, path: &str, problems: &mut Vec<Problem>) -> TellDeclared {
    let mut fields = Fields::new(value, path, &["first_up"], &[]);
    let declared = TellDeclared { first_up: fields.truth("first_up") };
    problems.append(&mut fields.problems);
    declared
}
