//! Settings of this process: what the file says, what the environment says, what the flags say, in this order;
//! the last word wins. Nothing is read from anywhere else afterwards.

use super::environment::{Environment, threshold};
use super::keys;
use bw_domain::guard::Policy;
use bw_domain::monitor::{ConfirmDeclared, Defaults};
use bw_domain::read::{Fields, Problem};
use bw_domain::secret::Secret;
use bw_domain::time::{Duration, Span};
use bw_probe::Anchors;
use bw_server::beat::BeatSettings;
use bw_store::Retention;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything that `serve` needs to know before it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub listen: Vec<SocketAddr>,
    pub data: PathBuf,
    /// PostgreSQL instead of SQLite.
    pub database: Option<Secret>,
    /// Instead of the queue in this process.
    pub broker: Option<Broker>,
    /// `--auth none`: nobody is asked for anything.
    pub open: bool,
    pub log: LogForm,
    pub metrics_public: bool,
    pub self_test: SelfTest,
    pub guard: Policy,
    pub retention: Retention,
    pub defaults: Defaults,
    pub outbound_heartbeat: Option<OutboundHeartbeat>,
    pub beats: BeatSettings,
}

/// What carries the jobs of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broker {
    Nats(Secret),
    Sqs(String),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogForm {
    #[default]
    Human,
    Json,
}

/// `self_test:`; without anchors there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    pub anchors: Vec<String>,
    pub need: usize,
}

/// `outbound_heartbeat:`.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundHeartbeat {
    pub url: Secret,
    pub every: Duration,
}

/// The settings as a file states them; what it does not say stays `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stated {
    pub listen: Vec<String>,
    pub data: Option<String>,
    pub store: Option<Secret>,
    pub nats: Option<Secret>,
    pub sqs: Option<String>,
    pub auth: Option<String>,
    pub log: Option<String>,
    pub metrics: Option<String>,
    pub anchors: Vec<String>,
    pub need: Option<u64>,
    pub strict: Option<bool>,
    pub keep_outcomes: Option<Span>,
    pub keep_incidents: Option<Span>,
    pub keep_deliveries: Option<Span>,
    pub every: Option<Span>,
    pub timeout: Option<Span>,
    pub confirm: ConfirmDeclared,
    pub heartbeat_url: Option<Secret>,
    pub heartbeat_every: Option<Span>,
    pub beats: BeatSettings,
}

/// What was said on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub listen: Vec<String>,
    pub data: Option<String>,
    pub auth: Option<String>,
    pub log: Option<String>,
    /// Where a role listens that serves no pages, unless flags or environment say otherwise: the file's address is that
    /// of the pages.
    pub without_pages: Option<&'static str>,
}

impl Stated {
    /// Reads the settings of a document; declarations are not looked at.
    pub fn read(document: &Value, problems: &mut Vec<Problem>) -> Self {
        let mut stated = Stated::default();
        area(document, "", problems, |fields, problems| {
            stated.listen = fields.texts("listen");
            stated.data = fields.text("data");
            stated.store = fields.text("store").map(Secret::new);
            if stated.store.as_ref().is_some_and(|url| !is_postgres(url)) {
                fields.wrong("store", POSTGRES);
            }
            area_below(fields, "queue", problems, |fields, _| {
                stated.nats = fields.text("nats").map(Secret::new);
                stated.sqs = fields.text("sqs");
            });
            stated.auth = words(fields, "auth");
            stated.log = words(fields, "log");
            stated.metrics = words(fields, "metrics");
            area_below(fields, "self_test", problems, |fields, _| {
                stated.anchors = fields.texts("anchors");
                stated.need = fields.number("need", 1, 100);
                for (index, anchor) in stated.anchors.iter().enumerate() {
                    if let Err(sentence) = Anchors::parse(std::slice::from_ref(anchor), 1) {
                        fields.wrong(&format!("anchors[{index}]"), sentence);
                    }
                }
            });
            area_below(fields, "guard", problems, |fields, _| stated.strict = fields.truth("strict"));
            area_below(fields, "retention", problems, |fields, _| {
                stated.keep_outcomes = kept(fields, "outcomes");
                stated.keep_incidents = kept(fields, "incidents");
                stated.keep_deliveries = kept(fields, "deliveries");
            });
            area_below(fields, "defaults", problems, |fields, problems| {
                stated.every = fields.span("every");
                stated.timeout = fields.span("timeout");
                if let Some(confirm) = fields.get("confirm") {
                    stated.confirm = ConfirmDeclared::read(confirm, "defaults.confirm", problems);
                    if stated.confirm.agree.is_some() {
                        fields.wrong("confirm.agree", "depends on a monitor's vantages: write it there");
                    }
                }
            });
            area_below(fields, "healthchecks", problems, |fields, _| {
                stated.beats.ping_key = key_of(fields, "ping_key", 8..=64);
                stated.beats.api_key = key_of(fields, "api_key", 32..=32);
                stated.beats.read_only_key = key_of(fields, "read_only_key", 32..=32);
            });
            area_below(fields, "heartbeat_service", problems, |fields, _| {
                stated.beats.secret = fields.text("secret").filter(|text| !text.is_empty()).map(Secret::new);
                if fields.get("bases").is_some() {
                    stated.beats.bases = bases(fields);
                }
                stated.beats.slack_url =
                    fields.text("slack_url").filter(|url| !url.is_empty()).map(Secret::new);
                let good = |url: &Secret| {
                    ["http://", "https://"].iter().any(|scheme| url.expose().starts_with(scheme))
                };
                if stated.beats.slack_url.as_ref().is_some_and(|url| !good(url)) {
                    fields.wrong("slack_url", "is not an address: write https:// and a host");
                }
            });
            area_below(fields, "outbound_heartbeat", problems, |fields, _| {
                stated.heartbeat_url = address(fields);
                stated.heartbeat_every = fields.span("every");
                if stated.heartbeat_every.is_some_and(|every| every.0 < Duration::from_secs(1)) {
                    fields.wrong("every", "must be at least 1s");
                }
            });
        });
        stated
    }
}

/// Reads one map whose known keys are those of the table.
fn area(
    value: &Value,
    path: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&mut Fields<'_>, &mut Vec<Problem>),
) {
    let later = if path.is_empty() { keys::LATER } else { &[] };
    let mut fields = Fields::new(value, path, &keys::below(path), later);
    let mut nested = Vec::new();
    read(&mut fields, &mut nested);
    problems.append(&mut fields.problems);
    problems.append(&mut nested);
}

fn area_below(
    fields: &Fields<'_>,
    key: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&mut Fields<'_>, &mut Vec<Problem>),
) {
    if let Some(value) = fields.get(key) {
        area(value, key, problems, read);
    }
}

/// What the address of a database looks like.
pub const POSTGRES: &str = "must be postgres://user:password@host/database";

/// Whether it looks so.
pub fn is_postgres(url: &Secret) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.expose().starts_with(scheme))
}

/// One of the words that the table allows for a key.
fn words(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let key = keys::SETTINGS.iter().find(|key| key.path == name)?;
    let keys::Kind::Words(allowed) = key.kind else { return None };
    let pairs: Vec<(&str, &str)> = allowed.iter().map(|word| (*word, *word)).collect();
    fields.word(name, &pairs).map(str::to_owned)
}

/// History is dropped by whole days, so less than one would keep nothing.
fn kept(fields: &mut Fields<'_>, key: &str) -> Option<Span> {
    let span = fields.span(key)?;
    if span.0 < Duration::from_secs(86_400) {
        fields.wrong(key, "must be at least 1d");
    }
    Some(span)
}

/// A key that stands in addresses or headers.
fn key_of(fields: &mut Fields<'_>, key: &str, length: std::ops::RangeInclusive<usize>) -> Option<Secret> {
    let text = fields.text(key)?;
    let good = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !good || !length.contains(&text.len()) {
        let (low, high) = (length.start(), length.end());
        let count = if low == high { low.to_string() } else { format!("{low} to {high}") };
        fields.wrong(key, format!("is made of {count} letters, digits, - and _"));
    }
    Some(Secret::new(text))
}

/// Paths that belong to others.
const TAKEN: [&str; 12] = [
    "/api",
    "/assets",
    "/b",
    "/badge",
    "/health",
    "/metrics",
    "/monitors",
    "/ping",
    "/projects",
    "/ui",
    "/-",
    "/in",
];

fn bases(fields: &mut Fields<'_>) -> Vec<String> {
    let mut bases = fields.texts("bases");
    for (index, base) in bases.iter_mut().enumerate() {
        base.truncate(base.trim_end_matches('/').len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let below = |taken: &str| {
            base.strip_prefix(taken).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !base.starts_with('/') || base.contains("//") || !base.bytes().all(plain) {
            fields.wrong(
                &format!("bases[{index}]"),
                "is a path such as /heartbeat, of letters, digits, - _ . and /",
            );
        } else if let Some(taken) = TAKEN.iter().find(|taken| below(taken)) {
            fields.wrong(&format!("bases[{index}]"), format!("lies below {taken}, which is served already"));
        }
    }
    bases
}

fn address(fields: &mut Fields<'_>) -> Option<Secret> {
    let url = fields.text("url");
    match &url {
        None if fields.get("url").is_none() => fields.wrong("url", "is missing: which address to fetch"),
        Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => {
            fields.wrong("url", "is not an address: write http:// or https:// and a host");
        }
        _ => {}
    }
    url.map(Secret::new)
}

impl Settings {
    /// Lays the three layers over the defaults.
    pub fn layered(stated: Stated, environment: &Environment, flags: Flags) -> Result<Self, Vec<Problem>> {
        let mut problems = environment.problems();
        let of_pages =
            || if stated.listen.is_empty() { vec!["127.0.0.1:8080".to_owned()] } else { stated.listen };
        let listen = [flags.listen, environment.listen.clone()]
            .into_iter()
            .find(|said| !said.is_empty())
            .unwrap_or_else(|| flags.without_pages.map_or_else(of_pages, |address| vec![address.to_owned()]));
        let listen = addresses(&listen, &mut problems);
        let last = |flag: Option<String>, variable: &Option<String>, file: Option<String>| {
            flag.or_else(|| variable.clone()).or(file)
        };
        let auth = last(flags.auth, &environment.auth, stated.auth);
        let log = last(flags.log, &environment.log, stated.log);
        let confirm = &stated.confirm;
        let base = Defaults::default();
        let thresholds = [&environment.fail_threshold, &environment.success_threshold]
            .map(|said| said.as_deref().and_then(threshold));
        let keep = Retention::default();
        let kept = |span: Option<Span>, default: Duration| span.map_or(default, Duration::from);
        let settings = Settings {
            listen,
            data: last(flags.data, &environment.data, stated.data)
                .unwrap_or_else(|| "./bellwether-data".to_owned())
                .into(),
            database: environment.database_url.clone().or(stated.store),
            broker: broker(environment, (stated.nats, stated.sqs), &mut problems),
            open: word("auth", auth.as_deref(), &[("default", false), ("none", true)], &mut problems),
            log: word(
                "log",
                log.as_deref(),
                &[("human", LogForm::Human), ("json", LogForm::Json)],
                &mut problems,
            ),
            metrics_public: stated.metrics.as_deref() == Some("public"),
            self_test: SelfTest { anchors: stated.anchors, need: stated.need.unwrap_or(1) as usize },
            guard: Policy { strict: stated.strict.unwrap_or(false) },
            retention: Retention {
                outcomes: kept(stated.keep_outcomes, keep.outcomes),
                incidents: kept(stated.keep_incidents, keep.incidents),
                deliveries: kept(stated.keep_deliveries, keep.deliveries),
            },
            defaults: Defaults {
                every: stated.every.map_or(base.every, Duration::from),
                timeout: stated.timeout.map(Duration::from),
                failures: thresholds[0].or(confirm.failures).unwrap_or(base.failures),
                recoveries: thresholds[1].or(confirm.recoveries).unwrap_or(base.recoveries),
                after: confirm.after.map_or(base.after, Duration::from),
                min: confirm.min.unwrap_or(base.min),
            },
            outbound_heartbeat: stated.heartbeat_url.map(|url| OutboundHeartbeat {
                url,
                every: stated.heartbeat_every.map_or(Duration::from_secs(60), Duration::from),
            }),
            beats: stated.beats,
        };
        across(&settings, &mut problems);
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// Settings that differ and count only after a restart, by name.
    pub fn needs_restart(&self, new: &Settings) -> Vec<&'static str> {
        [
            ("listen", self.listen != new.listen),
            ("data", self.data != new.data),
            ("store", self.database != new.database),
            ("queue", self.broker != new.broker),
            ("auth", self.open != new.open),
            ("log", self.log != new.log),
            ("metrics", self.metrics_public != new.metrics_public),
            ("self_test", self.self_test != new.self_test),
            ("guard", self.guard != new.guard),
            ("retention", self.retention != new.retention),
            ("defaults", self.defaults != new.defaults),
            ("healthchecks", self.beats.keys() != new.beats.keys()),
            ("heartbeat_service", self.beats.service() != new.beats.service()),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

/// The environment's word counts alone, whichever broker it names.
fn broker(
    environment: &Environment,
    (nats, sqs): (Option<Secret>, Option<String>),
    problems: &mut Vec<Problem>,
) -> Option<Broker> {
    let one = |nats: Option<Secret>, sqs: Option<String>| nats.map(Broker::Nats).or(sqs.map(Broker::Sqs));
    let said = one(environment.nats_url.clone(), environment.sqs_queue_url.clone());
    if said.is_none() && nats.is_some() && sqs.is_some() {
        let message = "and nats are both given: jobs take one way, leave one out";
        problems.push(Problem::new("queue.sqs", message));
    }
    said.or_else(|| one(nats, sqs))
}

fn word<T: Copy>(name: &str, said: Option<&str>, words: &[(&str, T)], problems: &mut Vec<Problem>) -> T {
    let Some(said) = said else { return words[0].1 };
    match words.iter().find(|(word, _)| *word == said) {
        Some((_, value)) => *value,
        None => {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            problems.push(Problem::new(name, format!("`{said}` is not one of {}", all.join(", "))));
            words[0].1
        }
    }
}

fn addresses(texts: &[String], problems: &mut Vec<Problem>) -> Vec<SocketAddr> {
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        match address_of(text) {
            Some(address) => found.push(address),
            None => problems.push(Problem::new(
                "listen",
                format!("`{text}` is not IP:port, such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080"),
            )),
        }
    }
    found
}

fn address_of(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse().ok(),
        None => text.parse().ok(),
    }
}

/// Rules between settings.
fn across(settings: &Settings, problems: &mut Vec<Problem>) {
    let SelfTest { anchors, need } = &settings.self_test;
    if !anchors.is_empty() && *need > anchors.len() {
        let message = format!("is {need}, but there are only {} anchors", anchors.len());
        problems.push(Problem::new("self_test.need", message));
    }
    let Defaults { every, timeout, .. } = &settings.defaults;
    if timeout.is_some_and(|timeout| timeout > *every) {
        let message = format!("must not be longer than every ({})", Span(*every));
        problems.push(Problem::new("defaults.timeout", message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn layered(file: Value, variables: &[(&str, &str)], flags: Flags) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        let stated = Stated::read(&file, &mut problems);
        let look =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let settings = Settings::layered(stated, &Environment::read(&look), flags);
        problems.extend(settings.as_ref().err().cloned().unwrap_or_default());
        if problems.is_empty() {
            Ok(settings.expect("there are no problems"))
        } else {
            Err(problems.iter().map(ToString::to_string).collect())
        }
    }

    #[test]
    fn the_last_word_wins() {
        let file = json!({"listen": ["127.0.0.1:1", "[::1]:1"], "log": "json", "data": "file"});
        let ports = |settings: &Settings| settings.listen.iter().map(SocketAddr::port).collect::<Vec<_>>();
        let only_file = layered(file.clone(), &[], Flags::default()).expect("good");
        assert_eq!((ports(&only_file), only_file.log), (vec![1, 1], LogForm::Json));
        let variables = [("BELLWETHER_LISTEN", "127.0.0.1:2, localhost:3"), ("BELLWETHER_DATA", "  ")];
        let over = layered(file.clone(), &variables, Flags::default()).expect("good");
        assert_eq!((ports(&over), over.data), (vec![2, 3], "file".into()), "an empty variable is none");
        let flags = Flags {
            listen: vec!["127.0.0.1:4".to_owned()],
            log: Some("human".to_owned()),
            ..Flags::default()
        };
        let top = layered(file, &variables, flags).expect("good");
        assert_eq!((ports(&top), top.log), (vec![4], LogForm::Human));
    }

    #[test]
    fn nothing_said_is_the_table() {
        let settings = layered(json!({}), &[], Flags::default()).expect("good");
        let mut written = serde_json::Map::new();
        for key in keys::SETTINGS.iter().filter(|key| !key.default.is_empty() && key.parent().is_empty()) {
            written.insert(key.path.to_owned(), Value::String(key.default.to_owned()));
        }
        assert_eq!(layered(Value::Object(written), &[], Flags::default()).expect("good"), settings);
        let default =
            |path| keys::SETTINGS.iter().find(|key| key.path == path).map(|key| key.default.to_owned());
        assert_eq!(default("retention.outcomes"), Some(Span(settings.retention.outcomes).to_string()));
        assert_eq!(default("retention.incidents"), Some(Span(settings.retention.incidents).to_string()));
        assert_eq!(default("retention.deliveries"), Some(Span(settings.retention.deliveries).to_string()));
        assert_eq!((settings.defaults, settings.self_test.need), (Defaults::default(), 1));
    }

    #[test]
    fn thresholds_of_the_environment() {
        let file = json!({"defaults": {"confirm": {"failures": 5, "recoveries": 6}}});
        let settings = layered(file, &[("FAIL_THRESHOLD", "3")], Flags::default()).expect("good");
        assert_eq!((settings.defaults.failures, settings.defaults.recoveries), (3, 6));
        let told = layered(json!({}), &[("SUCCESS_THRESHOLD", "0")], Flags::default()).expect_err("zero");
        assert_eq!(told, ["SUCCESS_THRESHOLD: must be a whole number from 1 to 1000"]);
    }

    #[test]
    fn all_mistakes_at_once() {
        let file = json!({
            "listn": "127.0.0.1:1", "auth": "nobody", "routes": [], "listen": "example.com",
            "self_test": {"anchors": ["icmp:1.1.1.1"], "need": 2}, "retention": {"outcomes": "1h"},
            "defaults": {"every": "1s", "timeout": "2s", "confirm": {"agree": 2}},
            "outbound_heartbeat": {"every": 5}, "guard": true,
        });
        let told = layered(file, &[], Flags::default()).expect_err("a file full of mistakes");
        assert_eq!(
            told,
            [
                "listn: unknown key; did you mean `listen`?",
                "routes: Rego routes come later; until then declared actions hear `incident.*`",
                "auth: `nobody` is not one of default, none",
                "self_test.anchors[0]: `icmp:1.1.1.1` is no anchor: write tcp:host:port, https://host or dns:name",
                "guard: must be a map of keys, not true or false",
                "retention.outcomes: must be at least 1d",
                "defaults.confirm.agree: depends on a monitor's vantages: write it there",
                "outbound_heartbeat.url: is missing: which address to fetch",
                "outbound_heartbeat.every: needs a unit: write 5s for seconds",
                "listen: `example.com` is not IP:port, such as 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080",
                "self_test.need: is 2, but there are only 1 anchors",
                "defaults.timeout: must not be longer than every (1s)",
            ]
        );
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let old = layered(json!({}), &[], Flags::default()).expect("good");
        let new = json!({"data": "elsewhere", "outbound_heartbeat": {"url": "https://x.example/"}});
        let new = layered(new, &[], Flags::default()).expect("good");
        assert_eq!(old.needs_restart(&new), ["data"]);
        let fixed: Vec<&str> = keys::SETTINGS
            .iter()
            .filter(|key| key.parent().is_empty() && !key.live)
            .map(|key| key.path)
            .collect();
        assert_eq!(fixed.len(), 13, "needs_restart compares each of {fixed:?}");
    }
}
