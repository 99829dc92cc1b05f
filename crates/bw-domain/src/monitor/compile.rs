//! From a [`Declaration`] to a [`Spec`]: every rule between the fields, all mistakes at once.

use super::declaration::{Auth, ConfirmDeclared, Declaration, TargetDeclared};
use super::heartbeat::EVERY_DEFAULT;
use super::policy::{Agree, Confirm, Tell};
use super::spec::{Policy, Spec, Vantages, Watch};
use super::vantage::{LOCAL, Vantage};
use crate::assert::Expectation;
use crate::beat::Agreement;
use crate::limits;
use crate::outcome::Code;
use crate::port::store::Revision;
use crate::probe::{HttpProbe, Probe, Scheme, TcpProbe, TlsProbe};
use crate::read::{Problem, join};
use crate::secret::Secret;
use crate::time::{Duration, Span};
use base64::Engine;
use std::sync::Arc;

/// What a declaration does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Defaults {
    pub every: Duration,
    /// `None`: 5 s, at most the cadence.
    pub timeout: Option<Duration>,
    pub failures: u16,
    pub recoveries: u16,
    pub after: Duration,
    pub min: u16,
}

impl Default for Defaults {
    fn default() -> Self {
        let s = Duration::from_secs;
        Defaults { every: s(60), timeout: None, failures: 2, recoveries: 2, after: s(5), min: 2 }
    }
}

/// Compiles a stored revision. The declaration of a deleted monitor does not compile.
pub fn compile(revision: &Revision, defaults: &Defaults) -> Result<Spec, Vec<Problem>> {
    compile_taking(revision.clone(), defaults)
}

/// The same without a copy: at a start a million are compiled.
pub fn compile_taking(revision: Revision, defaults: &Defaults) -> Result<Spec, Vec<Problem>> {
    let declared = revision.declared.ok_or_else(|| vec![Problem::new("", "the monitor is deleted")])?;
    let checked = check(&declared, defaults, "")?;
    Ok(Spec {
        id: revision.id,
        uuid: revision.uuid,
        revision: revision.revision,
        effective_from: revision.effective_from,
        created_at: revision.created_at,
        owner: revision.owner,
        watch: checked.watch,
        policy: Arc::new(checked.policy),
        tell: Tell { first_up: declared.tell.first_up.unwrap_or(false) },
        enabled: declared.enabled.unwrap_or(true),
        declared: Box::new(declared),
    })
}

/// What a good declaration means.
#[derive(Clone, Debug)]
pub struct Checked {
    pub watch: Watch,
    pub policy: Policy,
}

/// Checks a declaration; mistakes carry paths below `path`.
pub fn check(declared: &Declaration, defaults: &Defaults, path: &str) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut wrong = |key: &str, message: String| problems.push(Problem::new(join(path, key), message));

    names(declared, &mut wrong);
    labels(declared, &mut wrong);
    webhook(declared, &mut wrong);
    if let TargetDeclared::Heartbeat(heartbeat) = &declared.target {
        not_of_heartbeats(declared, &mut wrong);
        let agreement = heartbeat.compile(&mut wrong);
        return match agreement {
            Some(agreement) if problems.is_empty() => Ok(of_beats(agreement)),
            _ => Err(problems),
        };
    }
    let every = declared.probing.every.map_or(defaults.every, Duration::from);
    let timeout = declared
        .probing
        .timeout
        .map_or_else(|| defaults.timeout.unwrap_or(Duration::from_secs(5)).min(every), Duration::from);
    times(every, timeout, declared, &mut wrong);
    let vantages = vantages(declared, &mut wrong);
    let confirm = confirm(declared, defaults, every, vantages.len(), &mut wrong);
    let expect = expectations(declared, &mut wrong);
    let probe = probe(declared, &mut wrong);
    match probe {
        Some(probe) if problems.is_empty() => {
            let watch = Watch::Probe(Arc::new(probe));
            Ok(Checked { watch, policy: Policy { every, timeout, vantages, expect, confirm } })
        }
        _ => Err(problems),
    }
}

/// One beat decides: there is nobody else to ask.
fn of_beats(agreement: Agreement) -> Checked {
    let once = Duration::from_secs(1);
    let policy = Policy {
        every: agreement.terms.cadence.period().unwrap_or(EVERY_DEFAULT),
        timeout: once,
        vantages: Vantages::new(),
        expect: Arc::new([]),
        confirm: Confirm { failures: 1, recoveries: 1, after: once, agree: Agree::Majority, min: 1 },
    };
    Checked { watch: Watch::Beats(Arc::new(agreement)), policy }
}

/// What is said of probes would be passed over, and so is a mistake.
fn not_of_heartbeats(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) {
    for (key, given) in [
        ("method", declared.probing.method.is_some()),
        ("headers", !declared.probing.headers.is_empty()),
        ("body", declared.probing.body.is_some()),
        ("auth", declared.probing.auth.is_some()),
        ("every", declared.probing.every.is_some()),
        ("timeout", declared.probing.timeout.is_some()),
        ("family", declared.probing.family.is_some()),
        ("from", !declared.probing.from.is_empty()),
        ("expect", !declared.probing.expect.is_empty()),
        ("confirm", declared.probing.confirm != ConfirmDeclared::default()),
    ] {
        if given {
            let hint = if key == "every" { ": write it inside heartbeat" } else { "" };
            wrong(key, format!("belongs to monitors that are probed{hint}"));
        }
    }
}

fn names(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) {
    if declared.name.trim().is_empty() {
        wrong("name", "is missing: give the monitor a name".to_owned());
    } else if declared.name.chars().count() > limits::NAME_MAX || declared.name.chars().any(char::is_control)
    {
        wrong("name", format!("must be one line of at most {} characters", limits::NAME_MAX));
    }
    if let Some(slug) = &declared.slug {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if slug.is_empty() || slug.len() > limits::NAME_MAX || !slug.chars().all(good) {
            wrong("slug", "is made of a-z, 0-9, - and _".to_owned());
        }
    }
}

fn labels(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) {
    if declared.labels.len() > limits::LABELS_MAX {
        wrong("labels", format!("at most {} labels", limits::LABELS_MAX));
    }
    for (key, value) in declared.labels.iter() {
        let first = key.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let rest = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if !first || !rest || key.len() > limits::LABEL_KEY_MAX {
            wrong(&format!("labels.{key}"), "a label's key begins with a letter or _ and goes on with letters, digits, _ . -, at most 63 in all".to_owned());
        }
        if value.chars().count() > limits::LABEL_VALUE_MAX {
            wrong(
                &format!("labels.{key}"),
                format!("a label's value has at most {} characters", limits::LABEL_VALUE_MAX),
            );
        }
    }
}

fn times(every: Duration, timeout: Duration, declared: &Declaration, wrong: &mut impl FnMut(&str, String)) {
    if !(limits::EVERY_MIN..=limits::EVERY_MAX).contains(&every) {
        wrong("every", format!("must be from {} to {}", Span(limits::EVERY_MIN), Span(limits::EVERY_MAX)));
    } else if !every.subsec_nanos().is_multiple_of(1_000_000) {
        wrong("every", "must be whole milliseconds".to_owned());
    }
    if timeout > every {
        let key = if declared.probing.timeout.is_some() { "timeout" } else { "every" };
        wrong(
            key,
            format!("the timeout ({}) must not be longer than every ({})", Span(timeout), Span(every)),
        );
    } else if !(limits::TIMEOUT_MIN..=limits::TIMEOUT_MAX).contains(&timeout) {
        wrong(
            "timeout",
            format!("must be from {} to {}", Span(limits::TIMEOUT_MIN), Span(limits::TIMEOUT_MAX)),
        );
    }
}

fn vantages(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) -> Vantages {
    for (index, place) in declared.probing.from.iter().enumerate() {
        if place != "local" {
            wrong(
                &format!("from[{index}]"),
                format!(
                    "there is no location `{place}`: further locations come later, `local` is this machine"
                ),
            );
        }
    }
    declared
        .probing
        .family
        .unwrap_or_default()
        .each()
        .iter()
        .map(|family| Vantage { location: LOCAL, family: *family })
        .collect()
}

fn confirm(
    declared: &Declaration,
    defaults: &Defaults,
    every: Duration,
    vantages: usize,
    wrong: &mut impl FnMut(&str, String),
) -> Confirm {
    let said = &declared.probing.confirm;
    let agree = said.agree.as_deref().and_then(|text| {
        let agree = agreement(text, vantages);
        if let Err(sentence) = &agree {
            wrong("confirm.agree", sentence.clone());
        }
        agree.ok()
    });
    let after = said.after.map(Duration::from);
    if after.is_some_and(|after| after > every) {
        wrong("confirm.after", format!("must not be longer than every ({})", Span(every)));
    }
    Confirm {
        failures: said.failures.unwrap_or(defaults.failures),
        recoveries: said.recoveries.unwrap_or(defaults.recoveries),
        after: after.unwrap_or(defaults.after).min(every),
        agree: agree.unwrap_or(Agree::Majority),
        min: said.min.unwrap_or(defaults.min),
    }
}

/// `2 of 3`, or `2`: so many of the vantages.
fn agreement(text: &str, vantages: usize) -> Result<Agree, String> {
    let shape = || "is written as `2 of 3`, or as a number".to_owned();
    let (need, of) = match text.split_once(" of ") {
        Some((need, of)) => (need, Some(of.trim().parse::<usize>().map_err(|_| shape())?)),
        None => (text, None),
    };
    let need: u16 = need.trim().parse().map_err(|_| shape())?;
    if of.is_some_and(|of| of != vantages) {
        return Err(format!(
            "the monitor has {vantages} vantages (locations × families), not {}",
            of.unwrap_or(0)
        ));
    }
    if need == 0 || usize::from(need) > vantages {
        return Err(format!("must be from 1 to {vantages}, the number of vantages (locations × families)"));
    }
    Ok(Agree::AtLeast(need))
}

fn expectations(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) -> Arc<[Expectation]> {
    let is_http = matches!(declared.target, TargetDeclared::Http(_));
    if declared.probing.expect.is_empty() {
        return if is_http { Expectation::default_http() } else { Arc::new([]) };
    }
    if declared.probing.expect.len() > limits::EXPECT_MAX {
        wrong("expect", format!("at most {} expectations", limits::EXPECT_MAX));
    }
    let mut compiled = Vec::with_capacity(declared.probing.expect.len());
    for (index, text) in declared.probing.expect.iter().enumerate() {
        let key = || format!("expect[{index}]");
        match Expectation::parse(text) {
            Ok(expectation) => match never_seen(&declared.target, expectation.code()) {
                Some(sentence) => wrong(&key(), sentence.to_owned()),
                None => compiled.push(expectation),
            },
            Err(mistake) => wrong(&key(), mistake.to_string()),
        }
    }
    compiled.into()
}

/// Why the probe never sees what an expectation looks at. It would hold always or never, and either is a lie.
fn never_seen(target: &TargetDeclared, code: Code) -> Option<&'static str> {
    let of_http = [Code::EXPECT_STATUS, Code::EXPECT_BODY, Code::EXPECT_HEADER];
    let of_exchange = [Code::EXPECT_SEND, Code::EXPECT_WAIT, Code::EXPECT_RECEIVE];
    let of_tls = [Code::EXPECT_TLS, Code::EXPECT_CERTIFICATE];
    match target {
        TargetDeclared::Missing | TargetDeclared::Http(_) => None,
        _ if of_http.contains(&code) => Some("status, body and headers are seen by http monitors only"),
        _ if of_exchange.contains(&code) => Some(
            "nothing is sent or received after connecting: send, wait and receive belong to http monitors",
        ),
        TargetDeclared::Tcp(_) if of_tls.contains(&code) => {
            Some("a tcp monitor makes no TLS handshake: write tls: instead of tcp: to see the certificate")
        }
        _ => None,
    }
}

fn webhook(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) {
    let Some(url) = declared.webhook_url.as_ref().filter(|url| !url.is_mask()) else { return };
    let good = url::Url::parse(url.expose())
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !good || url.expose().len() > limits::URL_MAX {
        wrong("webhook_url", "is not an address: write http:// or https:// and a host".to_owned());
    }
}

fn probe(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) -> Option<Probe> {
    let http_only = [
        ("method", declared.probing.method.is_some()),
        ("headers", !declared.probing.headers.is_empty()),
        ("body", declared.probing.body.is_some()),
        ("auth", declared.probing.auth.is_some()),
    ];
    if matches!(declared.target, TargetDeclared::Tcp(_) | TargetDeclared::Tls(_)) {
        for (key, _) in http_only.iter().filter(|(_, given)| *given) {
            wrong(key, "belongs to http monitors".to_owned());
        }
    }
    match &declared.target {
        TargetDeclared::Missing | TargetDeclared::Heartbeat(_) => {
            wrong("http", "is missing: say what to watch with http, tcp, tls or heartbeat".to_owned());
            None
        }
        TargetDeclared::Http(url) => http(declared, url, wrong).map(Probe::Http),
        TargetDeclared::Tcp(target) => {
            let (host, port) = address(target, None).map_err(|sentence| wrong("tcp", sentence)).ok()?;
            Some(Probe::Tcp(TcpProbe { target: target.as_str().into(), host, port }))
        }
        TargetDeclared::Tls(target) => {
            let (host, port) = address(target, Some(443)).map_err(|sentence| wrong("tls", sentence)).ok()?;
            Some(Probe::Tls(TlsProbe { target: target.as_str().into(), host, port, verify: true }))
        }
    }
}

fn http(declared: &Declaration, url: &str, wrong: &mut impl FnMut(&str, String)) -> Option<HttpProbe> {
    let options = &declared.probing.http;
    let method = declared.probing.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
    if method.is_empty() || method.len() > 32 || !method.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    {
        wrong("method", format!("`{method}` is no HTTP method"));
    }
    if declared.probing.body.as_ref().is_some_and(|body| body.len() > limits::REQUEST_BODY_MAX) {
        wrong("body", format!("has at most {} bytes", limits::REQUEST_BODY_MAX));
    }
    if let Some(servers) = &options.resolver
        && !servers.split(',').all(|server| is_server(server.trim()))
    {
        wrong(
            "http.resolver",
            "is an IP address, with :port if it is not 53; several are separated by commas".to_owned(),
        );
    }
    let headers = headers(declared, wrong);
    let (scheme, host, port, path, shown) = parts(url).map_err(|sentence| wrong("http", sentence)).ok()?;
    Some(HttpProbe {
        url: shown,
        scheme,
        host,
        port,
        path,
        method: method.into(),
        headers,
        body: declared.probing.body.as_deref().map(Into::into),
        redirects: options.redirects.unwrap_or_default(),
        verify: options.verify.unwrap_or(true),
        resolver: options.resolver.as_deref().map(Into::into),
    })
}

fn is_server(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || text.parse::<std::net::SocketAddr>().is_ok()
}

type Parts = (Scheme, Box<str>, u16, Box<str>, Box<str>);

fn parts(text: &str) -> Result<Parts, String> {
    if text.len() > limits::URL_MAX {
        return Err(format!("has at most {} characters", limits::URL_MAX));
    }
    let mut url = url::Url::parse(text).map_err(|error| {
        format!("`{text}` is not a URL ({error}): write it with its scheme, such as https://example.com/")
    })?;
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => {
            return Err(format!("the scheme `{other}` is not probed over HTTP: write http:// or https://"));
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds a user or password: write them under `auth`, where they are kept secret".to_owned()
        );
    }
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || url.port() == Some(0) {
        return Err(format!("`{text}` names no host and port to go to"));
    }
    let port = url.port().unwrap_or(scheme.port());
    let path = &url[url::Position::BeforePath..];
    Ok((scheme, host.into(), port, path.into(), url.as_str().into()))
}

fn headers(declared: &Declaration, wrong: &mut impl FnMut(&str, String)) -> Box<[(Box<str>, Secret)]> {
    let mut headers: Vec<(Box<str>, Secret)> = Vec::with_capacity(declared.probing.headers.len() + 1);
    for (name, value) in &declared.probing.headers {
        let path = format!("headers.{name}");
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            wrong(&path, "is no header name".to_owned());
        } else if ["content-length", "transfer-encoding", "connection"]
            .contains(&name.to_ascii_lowercase().as_str())
        {
            wrong(&path, "is set by the probe itself".to_owned());
        }
        if value.expose().chars().any(|c| c.is_control() && c != '\t') {
            wrong(&path, "must be one line without control characters".to_owned());
        }
        headers.push((name.to_ascii_lowercase().into(), value.clone()));
    }
    let authorization = match &declared.probing.auth {
        None => None,
        Some(Auth::Basic { username, .. }) if username.contains(':') => {
            wrong("auth.username", "must not contain a colon".to_owned());
            None
        }
        Some(Auth::Basic { username, password }) => {
            let pair = format!("{username}:{}", password.expose());
            Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
        }
        Some(Auth::Bearer(token)) => Some(format!("Bearer {}", token.expose())),
    };
    if let Some(value) = authorization {
        if headers.iter().any(|(name, _)| &**name == "authorization") {
            wrong("auth", "is given twice: here and as the header authorization".to_owned());
        }
        headers.push(("authorization".into(), Secret::new(value)));
    }
    headers.into()
}

fn address(text: &str, default_port: Option<u16>) -> Result<(Box<str>, u16), String> {
    let sentence = || format!("`{text}` is not host:port, such as mail.example.com:25 or [2001:db8::1]:25");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse::<u16>().map_err(|_| sentence())?)
        }
        None => (text, default_port.ok_or_else(sentence)?),
        Some(_) => return Err(sentence()),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || port == 0 || !host.chars().all(good) || host.len() > 255 {
        return Err(sentence());
    }
    Ok((host.to_lowercase().into(), port))
}
