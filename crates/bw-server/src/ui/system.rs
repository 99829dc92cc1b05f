//! `/ui/system`: is Bellwether itself well?

use super::evidence::place;
use super::frame::{Frame, Here};
use super::markup::{Markup, escape};
use super::shape;
use super::words;
use bw_domain::limits;
use bw_domain::monitor::Vantage;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::system::SystemReport;

/// The page.
#[derive(askama::Template)]
#[template(path = "system.html")]
pub struct System {
    frame: Frame,
    shape: &'static str,
    headline: String,
    detail: String,
    parts: Vec<Part>,
}

/// One part of it: its name, and facts that say themselves whether they are bad.
struct Part {
    name: &'static str,
    facts: Vec<Fact>,
}

struct Fact {
    name: &'static str,
    value: Markup,
    bad: bool,
}

impl System {
    /// Shows a report.
    pub fn of(frame: Frame, report: &SystemReport) -> Self {
        let (headline, detail) = headline(report);
        let well = detail.is_empty();
        let now = report.at;
        System {
            frame: frame.titled(Some(Here::System), &headline).moving().wide("read"),
            shape: if well { "up" } else { "down" },
            headline,
            detail,
            parts: vec![
                schedule(report, now),
                work(report),
                store(report, now),
                told(report, now),
                process(report, now),
            ],
        }
    }
}

fn headline(report: &SystemReport) -> (String, String) {
    let trouble = [report.unhealthy.clone(), report.unready.clone(), report.config.error.clone()];
    let mut sentences: Vec<String> =
        trouble.into_iter().flatten().map(|sentence| words::sentence(&sentence)).collect();
    if report.blind {
        sentences
            .insert(0, "This observer has lost its own network: it abstains until that is back".to_owned());
    }
    if report.schedule_lag > limits::LAG_BOUND {
        sentences.push(format!("The schedule is {} behind", words::long(report.schedule_lag)));
    }
    match sentences.is_empty() {
        true => ("Bellwether is well".to_owned(), String::new()),
        false => ("Bellwether is not well".to_owned(), format!("{}.", sentences.join(". "))),
    }
}

fn fact(name: &'static str, value: impl Into<String>) -> Fact {
    Fact { name, value: Markup(escape(&value.into())), bad: false }
}

fn at(name: &'static str, at: Option<Instant>, now: Instant) -> Fact {
    let value = at.map_or_else(|| Markup("none".to_owned()), |at| words::ago(at, now));
    Fact { name, value, bad: false }
}

impl Fact {
    fn bad_if(mut self, bad: bool) -> Self {
        self.bad = bad;
        self
    }
}

fn schedule(report: &SystemReport, now: Instant) -> Part {
    let (schedule, accounted) = (report.schedule_lag, report.accounted_lag);
    let silent = |at: Option<Instant>| at.is_none_or(|at| now.since(at) > limits::LOOP_SILENT);
    let mut facts = vec![
        fact("Monitors", words::number(report.monitors as u64)),
        fact("Schedule lag", lag(schedule)).bad_if(schedule > limits::LAG_BOUND),
        fact("Accounted lag", lag(accounted)),
        fact("Shards owned", format!("{} of {}", report.shards, limits::SHARDS)).bad_if(report.shards == 0),
        fact("Clock beside the store's", format!("{} ms", report.clock_offset_ms))
            .bad_if(report.clock_offset_ms.unsigned_abs() > limits::CLOCK_OFFSET.as_millis() as u64),
        fact("Sees from", place(Vantage::default())).bad_if(report.blind),
    ];
    facts.extend(report.loops.iter().filter(|(_, last)| silent(*last)).map(|(name, last)| {
        let mut fact = at("Silent loop", *last, now);
        fact.value = Markup(format!("{}, last seen {}", name.word(), fact.value));
        fact.bad_if(true)
    }));
    Part { name: "Schedule", facts }
}

fn lag(lag: Duration) -> String {
    if lag < Duration::from_secs(1) { format!("{} ms", lag.as_millis()) } else { words::exact(lag) }
}

fn work(report: &SystemReport) -> Part {
    let probes = &report.probes;
    let queue = match &report.queue {
        Some(depth) => fact(
            "Jobs waiting",
            format!("{} now, {} planned, the oldest for {}", depth.now, depth.planned, lag(depth.oldest)),
        ),
        None => fact("Jobs waiting", "the queue does not answer").bad_if(true),
    };
    Part {
        name: "Probes",
        facts: vec![
            queue,
            fact(
                "Under way",
                format!("{} of at most {}", words::number(probes.running), words::number(probes.bound)),
            ),
            fact(
                "Since the start",
                format!(
                    "{} passed, {} failed, {} inconclusive",
                    words::number(probes.passes),
                    words::number(probes.fails),
                    words::number(probes.inconclusive)
                ),
            ),
        ],
    }
}

fn store(report: &SystemReport, now: Instant) -> Part {
    let store = &report.store;
    let mut facts = vec![
        fact("Kind", store.kind),
        fact("Place", store.place.as_str()),
        fact(
            "Commits",
            format!("{}, {:.1} ms on average", words::number(report.commits.count), report.commits.mean_ms),
        ),
    ];
    if let Some(bytes) = store.bytes {
        facts.insert(2, fact("Size", words::bytes(bytes)));
    }
    if let Some(since) = report.store_away_since {
        facts.push(at("Away since", Some(since), now).bad_if(true));
    }
    Part { name: "Store", facts }
}

fn told(report: &SystemReport, now: Instant) -> Part {
    let backlog = &report.deliveries;
    let oldest = backlog.oldest.filter(|_| backlog.waiting > 0);
    Part {
        name: "Deliveries",
        facts: vec![
            fact("Waiting", words::number(backlog.waiting)),
            at("Oldest waiting", oldest, now),
            fact(
                "Since the start",
                format!(
                    "{} sent, {} attempts failed, {} dead",
                    words::number(backlog.sent),
                    words::number(backlog.failed),
                    words::number(backlog.dead)
                ),
            )
            .bad_if(backlog.dead > 0),
        ],
    }
}

fn process(report: &SystemReport, now: Instant) -> Part {
    let (process, config) = (&report.process, &report.config);
    let mut facts = vec![
        fact("Version", process.version),
        fact("Roles", process.roles.join(", ")),
        fact(
            "Features",
            if process.features.is_empty() {
                "none beyond the default".to_owned()
            } else {
                process.features.join(", ")
            },
        ),
        fact("Node", process.node.as_str()),
        at("Started", Some(process.started_at), now),
        fact("Configuration", config.file.as_deref().unwrap_or("no file")),
    ];
    if config.file.is_some() {
        facts.push(at("Taken over", config.loaded_at, now));
    }
    if let Some(error) = &config.error {
        facts.push(fact("Refused", format!("{error}; the one before is in force")).bad_if(true));
    }
    Part { name: "Process", facts }
}
