//! The one table of everything that `bellwether.yaml` may say. The reader takes its known keys from here, and so
//! do the schema, the annotated default file and the reference: none of them can forget a key.

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `self_test.need`; below `monitors[]` and `actions[]` the item's own keys.
    pub path: &'static str,
    pub kind: Kind,
    /// As it would be written; empty where there is none.
    pub default: &'static str,
    /// As it would be written.
    pub example: &'static str,
    /// The variable that wins over the file, and the flag that wins over both.
    pub env: &'static str,
    pub flag: &'static str,
    /// Whether a change of the file counts without a restart.
    pub live: bool,
    pub doc: &'static str,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One text or a list.
    Texts,
    Truth,
    /// Whole, from … to ….
    Number(u64, u64),
    Span,
    Words(&'static [&'static str]),
    /// Keys that the user chooses, with texts.
    TextMap,
    /// Keys of this table.
    Map,
    /// A list of such maps.
    Maps,
    /// A text or a map of keys of this table.
    TextOrMap,
    /// A number or a text.
    TextOrNumber,
}

/// A key without a default, variable or flag, whose change counts at once.
const fn key(path: &'static str, kind: Kind, example: &'static str, doc: &'static str) -> Key {
    Key { path, kind, default: "", example, env: "", flag: "", live: true, doc }
}

impl Key {
    const fn default(self, default: &'static str) -> Key {
        Key { default, example: default, ..self }
    }

    const fn outside(self, env: &'static str, flag: &'static str) -> Key {
        Key { env, flag, ..self }
    }

    /// Read once, at the start.
    const fn fixed(self) -> Key {
        Key { live: false, ..self }
    }

    /// The last step of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// The path without its last step; empty at the top.
    pub fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }
}

/// Settings: they belong to the process that reads them.
pub const SETTINGS: &[Key] = &[
    key("listen", Kind::Texts, "", "Addresses to serve pages and interface on, one or a list, each as `IP:port`; port 0 takes a free one. Beyond loopback the server wants credentials.")
        .default("127.0.0.1:8080").outside("BELLWETHER_LISTEN", "--listen").fixed(),
    key("data", Kind::Text, "", "Directory of the database, its lock and the secret key. One process at a time.")
        .default("./bellwether-data").outside("BELLWETHER_DATA", "--data").fixed(),
    key("store", Kind::Text, "postgres://bellwether:…@db.example.com/bellwether", "PostgreSQL instead of SQLite below `data`: what a fleet shares; prepared by `bellwether db-init`, kept secret.")
        .outside("DATABASE_URL", "").fixed(),
    key("queue", Kind::Map, "", "A broker instead of the queue in this process: one of the two.").fixed(),
    key("queue.nats", Kind::Text, "nats://nats.example.com:4222", "NATS JetStream: one address or several with commas; kept secret.")
        .outside("NATS_URL", "").fixed(),
    key("queue.sqs", Kind::Text, "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs", "The URL of an SQS queue; region and credentials come from where AWS' own tools take them.")
        .outside("SQS_QUEUE_URL", "").fixed(),
    key("auth", Kind::Words(&["default", "none"]), "", "`none` asks nobody for anything on any address, which is logged at each start and shown on every page. `default`: loopback asks nothing, every other address wants a token or a password.")
        .default("default").outside("BELLWETHER_AUTH", "--auth").fixed(),
    key("log", Kind::Words(&["human", "json"]), "", "Form of the log lines on standard error.")
        .default("human").outside("BELLWETHER_LOG", "--log").fixed(),
    key("metrics", Kind::Words(&["token", "public"]), "", "Who may read `/metrics` beyond loopback: whoever holds a token, or everybody.")
        .default("token").fixed(),
    key("self_test", Kind::Map, "", "How this observer finds out that its own network is gone. While it is, outcomes are inconclusive and nobody is paged.").fixed(),
    key("self_test.anchors", Kind::Texts, "[\"tcp:127.0.0.1:9001\"]", "Places that can be reached whenever the network works, each as `tcp:host:port`, `https://host` or `dns:name`.").fixed(),
    key("self_test.need", Kind::Number(1, 100), "", "How many anchors must answer.").default("1").fixed(),
    key("guard", Kind::Map, "", "Which addresses probes and actions may contact. Cloud metadata and link-local addresses never are.").fixed(),
    key("guard.strict", Kind::Truth, "", "Refuse loopback and private ranges too.").default("false").fixed(),
    key("retention", Kind::Map, "", "How long history is kept; it goes by whole periods.").fixed(),
    key("retention.outcomes", Kind::Span, "", "Outcomes of probes.").default("30d").fixed(),
    key("retention.incidents", Kind::Span, "", "Closed incidents with their timelines and evidence.").default("730d").fixed(),
    key("retention.deliveries", Kind::Span, "", "Events and the ledger of their deliveries.").default("90d").fixed(),
    key("defaults", Kind::Map, "", "What a monitor does not say itself.").fixed(),
    key("defaults.every", Kind::Span, "", "Time from slot to slot.").default("60s").fixed(),
    key("defaults.timeout", Kind::Span, "5s", "Longest time of one probe; 5 s, at most `every`, unless said here.").fixed(),
    key("defaults.confirm", Kind::Map, "", "The counting rule, as in a monitor.").fixed(),
    key("defaults.confirm.failures", Kind::Number(1, 1_000), "", "Failing rounds in a row until DOWN.").default("2").outside("FAIL_THRESHOLD", "").fixed(),
    key("defaults.confirm.recoveries", Kind::Number(1, 1_000), "", "Passing rounds in a row until UP.").default("2").outside("SUCCESS_THRESHOLD", "").fixed(),
    key("defaults.confirm.after", Kind::Span, "", "From a first failure to its repeat; never more than `every`.").default("5s").fixed(),
    key("defaults.confirm.min", Kind::Number(1, 100), "", "With several vantages asked, fewer than this able to see means UNKNOWN.").default("2").fixed(),
    key("outbound_heartbeat", Kind::Map, "", "A sign of life to somebody else's monitoring, while the store works: it stops when the store is away longer than 30 s, the only honest voice left then."),
    key("outbound_heartbeat.url", Kind::Text, "https://hc.example.com/ping/…", "The address that is fetched; kept secret."),
    key("outbound_heartbeat.every", Kind::Span, "", "Time between two signs.").default("60s"),
    key("healthchecks", Kind::Map, "", "For jobs and tools that speak with Healthchecks: pings under `/ping`, the management interface under `/api/v1` to `/api/v3`.").fixed(),
    key("healthchecks.ping_key", Kind::Text, "${PING_KEY}", "With it jobs report as `/ping/{key}/{slug}`, and `?create=1` makes a heartbeat that is not there; kept secret. Without it only `/ping/{uuid}` works.").fixed(),
    key("healthchecks.api_key", Kind::Text, "${HEALTHCHECKS_API_KEY}", "`X-Api-Key` of the management interface, 32 characters; kept secret. Without keys it answers nobody.").fixed(),
    key("healthchecks.read_only_key", Kind::Text, "${HEALTHCHECKS_READ_ONLY_KEY}", "The same for reading, 32 characters; kept secret.").fixed(),
    key("heartbeat_service", Kind::Map, "", "For jobs and people that know the heartbeat service: `pulse`, `dashboard`, `edit` and `monitor`.").fixed(),
    key("heartbeat_service.secret", Kind::Text, "${HEARTBEAT_SECRET}", "What `dashboard`, `edit` and `monitor` ask for; kept secret. Without it they are open to whoever may see the pages.").fixed(),
    key("heartbeat_service.bases", Kind::Texts, "[/heartbeat, /v1/heartbeat]", "Below which paths it is served; `/heartbeat` and `/v1/heartbeat` unless given.").fixed(),
    key("heartbeat_service.slack_url", Kind::Text, "${SLACK_URL}", "Where `monitor` tells of overdue pulses; kept secret.").fixed(),
];

/// Declarations: they belong to the installation and are applied as one transaction.
pub const DECLARATIONS: &[Key] = &[
    key("monitors", Kind::Maps, "", "What is watched."),
    key("actions", Kind::Maps, "", "Where messages go. Every action hears `incident.*`."),
    key(
        "calendars",
        Kind::Maps,
        "",
        "Holidays for heartbeats: each has a `name` and an iCalendar `file` beside this one.",
    ),
];

/// The keys of one item of `monitors`, in the order of the domain's own list.
pub const MONITOR: &[Key] = &[
    key(
        "id",
        Kind::Text,
        "shop",
        "Its key in this file; its name unless given. Renaming without it is delete and create.",
    ),
    key("name", Kind::Text, "Shop", "The name that people see; the target's host unless given."),
    key(
        "http",
        Kind::TextOrMap,
        "https://shop.example.com/",
        "The URL to request, or a map with `url` and options.",
    ),
    key("http.url", Kind::Text, "https://shop.example.com/", "The URL to request."),
    key(
        "http.redirects",
        Kind::Words(&["follow", "same-host", "none"]),
        "",
        "Go on, go on while the host stays, or take the redirect for the answer.",
    )
    .default("follow"),
    key(
        "http.verify",
        Kind::Truth,
        "",
        "Whether an untrusted certificate fails the probe. Its facts are read in either case.",
    )
    .default("true"),
    key(
        "http.resolver",
        Kind::Text,
        "192.0.2.53",
        "Name servers to ask instead of the system's, `IP` or `IP:port`, separated by commas.",
    ),
    key("tcp", Kind::Text, "mail.example.com:25", "`host:port` to connect to."),
    key(
        "tls",
        Kind::Text,
        "shop.example.com:443",
        "`host:port` to connect to and shake hands with; 443 unless given.",
    ),
    key(
        "heartbeat",
        Kind::Map,
        "",
        "Nothing is probed: the job reports itself, and its silence is what is told.",
    ),
    key("heartbeat.every", Kind::Span, "", "A beat is expected so long after the last, in counted time.")
        .default("24h"),
    key(
        "heartbeat.schedule",
        Kind::Texts,
        "\"0 3 * * 1-5\"",
        "Or a beat is expected at these times: cron or systemd OnCalendar expressions.",
    ),
    key("heartbeat.zone", Kind::Text, "Europe/Berlin", "The IANA time zone of schedule and days.")
        .default("UTC"),
    key(
        "heartbeat.grace",
        Kind::Span,
        "30m",
        "How late a beat may be; a fifth of the period unless given, at least a minute.",
    ),
    key(
        "heartbeat.count",
        Kind::Words(&["all", "weekdays", "weekdays+saturday"]),
        "",
        "Which days count; on others no beat is expected and no time passes.",
    )
    .default("all"),
    key(
        "heartbeat.holidays",
        Kind::Texts,
        "[bavaria, 2026-12-24]",
        "Days that do not count: names of `calendars`, and dates.",
    ),
    key(
        "heartbeat.run_limit",
        Kind::Span,
        "2h",
        "How long a run may take from its start; only where the job reports starts.",
    ),
    key(
        "heartbeat.post_only",
        Kind::Truth,
        "",
        "Only POST counts; what else comes is kept and changes nothing.",
    )
    .default("false"),
    key(
        "heartbeat.manual_resume",
        Kind::Truth,
        "",
        "Once paused, a person must resume it; else the next beat does.",
    )
    .default("false"),
    key("heartbeat.keywords", Kind::Map, "", "Words in a beat's body that say how the job went."),
    key("heartbeat.keywords.failure", Kind::Texts, "[ERROR, FATAL]", "It failed."),
    key("heartbeat.keywords.success", Kind::Texts, "[done]", "It succeeded."),
    key("heartbeat.keywords.start", Kind::Texts, "[begin]", "It began."),
    key(
        "heartbeat.keywords.otherwise",
        Kind::Words(&["ignore", "fail"]),
        "",
        "What a body without any of them means.",
    )
    .default("ignore"),
    key("heartbeat.keywords.off", Kind::Truth, "", "Keeps the words and looks for none of them.")
        .default("false"),
    key(
        "heartbeat.keywords.mail_subject",
        Kind::Truth,
        "",
        "Kept for clients of Healthchecks, which looks for them in the subjects of e-mails, too.",
    )
    .default("false"),
    key("heartbeat.keywords.mail_text", Kind::Truth, "", "The same for the texts of e-mails.")
        .default("false"),
    key(
        "heartbeat.rules",
        Kind::Words(&["own", "healthchecks", "pulse"]),
        "",
        "Whose rules: ours, or exactly those of Healthchecks or of the heartbeat service.",
    )
    .default("own"),
    key("heartbeat.pulse", Kind::Map, "", "The four texts by which the heartbeat service's clients know it."),
    key("heartbeat.pulse.host", Kind::Text, "db1", "Host."),
    key("heartbeat.pulse.category", Kind::Text, "backup", "Category."),
    key("heartbeat.pulse.type", Kind::Text, "nightly", "Type."),
    key("heartbeat.pulse.name", Kind::Text, "orders", "Name."),
    key(
        "heartbeat.uuid",
        Kind::Text,
        "7f9b0c9e-63a5-4c53-9d49-7d2b37a3b0a1",
        "Its address, where jobs have one already; counts when it is made.",
    ),
    key("heartbeat.description", Kind::Text, "Dumps the order database", "What people should know."),
    key("heartbeat.tags", Kind::Text, "prod db", "Tags as Healthchecks has them, separated by spaces."),
    key("method", Kind::Text, "", "The HTTP method.").default("GET"),
    key(
        "headers",
        Kind::TextMap,
        "{ accept: application/json }",
        "Request headers; their values are kept secret.",
    ),
    key("body", Kind::Text, "'{\"ping\": true}'", "The request's body."),
    key(
        "auth",
        Kind::Map,
        "",
        "Credentials of the request, kept secret: `username` and `password`, or `bearer`.",
    ),
    key("auth.username", Kind::Text, "probe", "User of basic authentication."),
    key("auth.password", Kind::Text, "${SHOP_PASSWORD}", "Its password."),
    key("auth.bearer", Kind::Text, "${SHOP_TOKEN}", "A bearer token."),
    key("every", Kind::Span, "", "Time from slot to slot.").default("60s"),
    key("timeout", Kind::Span, "5s", "Longest time of one probe, at most `every`."),
    key(
        "family",
        Kind::Words(&["any", "v4", "v6", "both"]),
        "",
        "Address family; `both` probes each on its own.",
    )
    .default("any"),
    key("from", Kind::Texts, "[local]", "Locations to probe from; `local` is this machine."),
    key(
        "expect",
        Kind::Texts,
        "[status == 200, latency < 800ms]",
        "What the answer must be, all of it; for HTTP any status below 400 unless said.",
    ),
    key("confirm", Kind::Map, "", "The counting rule."),
    key("confirm.failures", Kind::Number(1, 1_000), "", "Failing rounds in a row until DOWN.").default("2"),
    key("confirm.recoveries", Kind::Number(1, 1_000), "", "Passing rounds in a row until UP.").default("2"),
    key("confirm.after", Kind::Span, "", "From a first failure to its repeat; never more than `every`.")
        .default("5s"),
    key(
        "confirm.agree",
        Kind::TextOrNumber,
        "2 of 3",
        "How many vantages must say fail; a strict majority unless given.",
    ),
    key(
        "confirm.min",
        Kind::Number(1, 100),
        "",
        "With several vantages asked, fewer than this able to see means UNKNOWN.",
    )
    .default("2"),
    key("tell", Kind::Map, "", "What is said unasked."),
    key("tell.first_up", Kind::Truth, "", "Speak when it is seen UP for the first time.").default("false"),
    key(
        "webhook_url",
        Kind::Text,
        "${SLACK_URL}",
        "A Slack-like address that hears every change of this monitor; kept secret.",
    ),
    key("labels", Kind::TextMap, "{ team: web }", "Words to filter and group by."),
    key("enabled", Kind::Truth, "", "`false` pauses it.").default("true"),
    key("slug", Kind::Text, "shop", "A short name for addresses."),
];

/// The keys of one item of `actions`, in the order of the domain's own list.
pub const ACTION: &[Key] = &[
    key("name", Kind::Text, "ops-slack", "Its key and the name that people see."),
    key("type", Kind::Words(&["slack", "webhook", "log"]), "slack", "What kind of deed."),
    key("url", Kind::Text, "${SLACK_URL}", "Where to send; kept secret. For `slack` and `webhook`."),
    key(
        "headers",
        Kind::TextMap,
        "{ x-team: web }",
        "Further headers of a `webhook`; their values are kept secret.",
    ),
    key("secret", Kind::Text, "${HOOK_SECRET}", "With it a `webhook` signs what it sends; kept secret."),
];

/// Keys of the whole file that are known and not there yet, each with the sentence that says so.
pub const LATER: &[(&str, &str)] = &[
    ("routes", "Rego routes come later; until then declared actions hear `incident.*`"),
    ("locations", "further locations come later; until then every probe runs from this machine, `local`"),
    ("maintenance", "maintenance windows come later; until then pause the monitor"),
    ("router", "the event router comes later"),
];

/// The names of the settings directly below a path (empty: the top), for the reader.
pub fn below(parent: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = SETTINGS.iter().filter(|key| key.parent() == parent).map(Key::name).collect();
    if parent.is_empty() {
        names.extend(DECLARATIONS.iter().map(Key::name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(keys: &[Key]) -> Vec<&'static str> {
        keys.iter().filter(|key| key.parent().is_empty()).map(Key::name).collect()
    }

    #[test]
    fn the_table_says_what_the_domain_reads() {
        assert_eq!(top(MONITOR), bw_domain::monitor::KNOWN_KEYS);
        assert_eq!(top(ACTION), bw_domain::action::KNOWN_KEYS);
    }

    #[test]
    fn every_parent_is_a_key_itself() {
        for table in [SETTINGS, MONITOR, ACTION] {
            for key in table.iter().filter(|key| !key.parent().is_empty()) {
                assert!(table.iter().any(|other| other.path == key.parent()), "{}", key.path);
            }
        }
    }
}
