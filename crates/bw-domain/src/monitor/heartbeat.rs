//! `heartbeat:` as it is written, and what it means: when beats are expected, and which count.

use crate::beat::{Agreement, Cadence, Counted, Counting, Keywords, Kind, PulseKey, Schedule, Terms};
use crate::id::Uuid;
use crate::limits;
use crate::read::{Fields, Problem, join};
use crate::time::{Day, Duration, Span, Zone};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What was said: the agreement, which is the same for many, and what belongs to this one alone.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HeartbeatDeclared {
    pub terms: Arc<TermsDeclared>,
    /// Absent where it would say nothing.
    own: Option<Box<OwnDeclared>>,
}

/// When beats are expected, and which count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct TermsDeclared {
    pub every: Option<Span>,
    /// Cron and OnCalendar expressions.
    pub schedule: Vec<String>,
    pub zone: Option<String>,
    pub grace: Option<Span>,
    pub count: Option<Counted>,
    /// Dates that do not count, as `2026-12-25`. Names of calendars are put in their place where the file is read.
    pub holidays: Vec<String>,
    /// How long a run may take.
    pub run_limit: Option<Span>,
    pub post_only: Option<bool>,
    pub manual_resume: Option<bool>,
    pub keywords: Option<KeywordsDeclared>,
    /// By whose rules: `healthchecks` and `pulse` are those of the clients that came with them.
    pub rules: Option<Kind>,
}

/// By what one heartbeat is known, and what people should know of it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OwnDeclared {
    /// The four texts that the heartbeat service's clients send.
    pub pulse: Option<PulseKey>,
    /// Its address, where it has one already: kept, so that no job must be edited.
    pub uuid: Option<Uuid>,
    pub description: Option<String>,
    /// Tags as another system has them; what fits is a label besides.
    pub tags: Option<String>,
}

/// Words in a body that say how a job went, lists with commas.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct KeywordsDeclared {
    pub failure: String,
    pub success: String,
    pub start: String,
    /// A body without any of them is a failure.
    pub otherwise_fail: bool,
    /// Kept for those who switched them off, and not looked for.
    pub off: bool,
    /// Where else another system looks for them: in the subject and in the text of e-mails. Kept as it was told.
    pub mail_subject: bool,
    pub mail_text: bool,
}

const KEYS: &[&str] = &[
    "every",
    "schedule",
    "zone",
    "grace",
    "count",
    "holidays",
    "run_limit",
    "post_only",
    "manual_resume",
    "keywords",
    "rules",
    "pulse",
    "uuid",
    "description",
    "tags",
];
const COUNTS: &[(&str, Counted)] = &[
    ("all", Counted::All),
    ("weekdays", Counted::Weekdays),
    ("weekdays+saturday", Counted::WeekdaysAndSaturday),
];
const RULES: &[(&str, Kind)] =
    &[("own", Kind::Own), ("pulse", Kind::Pulse), ("healthchecks", Kind::Healthchecks)];

/// What a heartbeat is expected to do when nothing is said: a beat a day.
pub const EVERY_DEFAULT: Duration = Duration::from_secs(86_400);
/// The shortest grace and run time of Healthchecks; ours may be shorter.
const TEXT_MAX: usize = 10_000;

impl HeartbeatDeclared {
    /// Of its two parts.
    pub fn new(terms: TermsDeclared, own: OwnDeclared) -> Self {
        let mut declared = HeartbeatDeclared { terms: Arc::new(terms), own: None };
        declared.edit_own(|held| *held = own);
        declared
    }

    /// The four texts that the heartbeat service's clients send.
    pub fn pulse(&self) -> Option<&PulseKey> {
        self.own.as_ref()?.pulse.as_ref()
    }

    /// The address that it had already.
    pub fn uuid(&self) -> Option<Uuid> {
        self.own.as_ref()?.uuid
    }

    /// What people should know.
    pub fn description(&self) -> Option<&str> {
        self.own.as_ref()?.description.as_deref()
    }

    /// Tags as another system has them.
    pub fn tags(&self) -> Option<&str> {
        self.own.as_ref()?.tags.as_deref()
    }

    /// To agree on something else with this one alone.
    pub fn terms_mut(&mut self) -> &mut TermsDeclared {
        Arc::make_mut(&mut self.terms)
    }

    /// To say something else of this one.
    pub fn edit_own(&mut self, edit: impl FnOnce(&mut OwnDeclared)) {
        let mut own = self.own.take().unwrap_or_default();
        edit(&mut own);
        self.own = (*own != OwnDeclared::default()).then_some(own);
    }

    /// Reads the map.
    pub fn read(value: &Value, path: &str, problems: &mut Vec<Problem>) -> HeartbeatDeclared {
        let mut fields = Fields::new(value, path, KEYS, &[]);
        let keywords = fields.get("keywords").map(|value| {
            let path = join(path, "keywords");
            let known = ["failure", "success", "start", "otherwise", "off", "mail_subject", "mail_text"];
            let mut fields = Fields::new(value, &path, &known, &[]);
            let read = KeywordsDeclared {
                failure: list(&mut fields, "failure"),
                success: list(&mut fields, "success"),
                start: list(&mut fields, "start"),
                otherwise_fail: fields
                    .word("otherwise", &[("fail", true), ("ignore", false)])
                    .unwrap_or(false),
                off: fields.truth("off").unwrap_or(false),
                mail_subject: fields.truth("mail_subject").unwrap_or(false),
                mail_text: fields.truth("mail_text").unwrap_or(false),
            };
            problems.append(&mut fields.problems);
            read
        });
        let pulse = fields.get("pulse").map(|value| {
            let path = join(path, "pulse");
            let mut fields = Fields::new(value, &path, &["host", "category", "type", "name"], &[]);
            let [host, category, r#type, name] = ["host", "category", "type", "name"].map(|key| {
                let text = fields.text(key).unwrap_or_default();
                if text.is_empty() || text.chars().count() > limits::BEAT_TEXT_MAX {
                    fields.wrong(key, format!("is a text of 1 to {} characters", limits::BEAT_TEXT_MAX));
                }
                text.into_boxed_str()
            });
            problems.append(&mut fields.problems);
            PulseKey { host, category, r#type, name }
        });
        let uuid = fields.text("uuid").and_then(|text| {
            let read = Uuid::parse(&text);
            if read.is_none() {
                fields.wrong("uuid", "is written as 8-4-4-4-12 hexadecimal digits in lower case");
            }
            read
        });
        let terms = TermsDeclared {
            every: fields.span("every"),
            schedule: match fields.get("schedule") {
                Some(Value::String(one)) => vec![one.clone()],
                _ => fields.texts("schedule"),
            },
            zone: fields.text("zone"),
            grace: fields.span("grace"),
            count: fields.word("count", COUNTS),
            holidays: match fields.get("holidays") {
                Some(Value::String(one)) => vec![one.clone()],
                _ => fields.texts("holidays"),
            },
            run_limit: fields.span("run_limit"),
            post_only: fields.truth("post_only"),
            manual_resume: fields.truth("manual_resume"),
            keywords,
            rules: fields.word("rules", RULES),
        };
        let (description, tags) = (fields.text("description"), fields.text("tags"));
        problems.append(&mut fields.problems);
        HeartbeatDeclared::new(terms, OwnDeclared { pulse, uuid, description, tags })
    }

    /// The document: what was said and nothing else.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                map.insert(key.to_owned(), value);
            }
        };
        put("every", json!(self.terms.every));
        put("schedule", texts(&self.terms.schedule));
        put("zone", json!(self.terms.zone));
        put("grace", json!(self.terms.grace));
        put("count", json!(self.terms.count.map(Counted::word)));
        put("holidays", texts(&self.terms.holidays));
        put("run_limit", json!(self.terms.run_limit));
        put("post_only", json!(self.terms.post_only));
        put("manual_resume", json!(self.terms.manual_resume));
        put(
            "keywords",
            self.terms.keywords.as_ref().map_or(Value::Null, |keywords| {
                let mut map = json!({
                    "failure": keywords.failure,
                    "success": keywords.success,
                    "start": keywords.start,
                    "otherwise": if keywords.otherwise_fail { "fail" } else { "ignore" },
                });
                let flags = [
                    ("off", keywords.off),
                    ("mail_subject", keywords.mail_subject),
                    ("mail_text", keywords.mail_text),
                ];
                for (key, _) in flags.iter().filter(|(_, set)| *set) {
                    map[*key] = Value::Bool(true);
                }
                map
            }),
        );
        put("rules", json!(self.terms.rules.and_then(word_of)));
        put(
            "pulse",
            self.pulse().map_or(Value::Null, |pulse| {
                let [host, category, r#type, name] = pulse.parts();
                json!({"host": host, "category": category, "type": r#type, "name": name})
            }),
        );
        put("uuid", json!(self.uuid()));
        put("description", json!(self.description()));
        put("tags", json!(self.tags()));
        Value::Object(map)
    }

    /// By whose rules.
    pub fn kind(&self) -> Kind {
        self.terms.rules.unwrap_or(if self.pulse().is_some() { Kind::Pulse } else { Kind::Own })
    }

    /// What it means; mistakes are told to `wrong` with their key below `heartbeat`.
    pub fn compile(&self, wrong: &mut impl FnMut(&str, String)) -> Option<Agreement> {
        let cadence = self.cadence(self.counting(wrong), wrong);
        let keywords = self.keywords(wrong);
        for (key, span) in [("grace", self.terms.grace), ("run_limit", self.terms.run_limit)] {
            if span.is_some_and(|span| Duration::from(span) > limits::BEAT_EVERY_MAX) {
                wrong(&format!("heartbeat.{key}"), format!("is at most {}", Span(limits::BEAT_EVERY_MAX)));
            }
        }
        for (key, text) in [("description", self.description()), ("tags", self.tags())] {
            if text.is_some_and(|text| text.chars().count() > TEXT_MAX) {
                wrong(&format!("heartbeat.{key}"), format!("has at most {TEXT_MAX} characters"));
            }
        }
        let mut terms = Terms::new(self.kind(), cadence?, self.terms.grace.map(Duration::from));
        if let Some(limit) = self.terms.run_limit {
            terms.run_limit = Some(limit.into());
        }
        Some(Agreement {
            terms,
            post_only: self.terms.post_only.unwrap_or(false),
            manual_resume: self.terms.manual_resume.unwrap_or(false),
            keywords,
        })
    }

    fn cadence(&self, counting: Counting, wrong: &mut impl FnMut(&str, String)) -> Option<Cadence> {
        let texts = &self.terms.schedule[..];
        if texts.is_empty() {
            let every = self.terms.every.map_or(EVERY_DEFAULT, Duration::from);
            return Cadence::every(every, counting)
                .map_err(|mistake| wrong("heartbeat.every", mistake.message))
                .ok();
        }
        if self.terms.every.is_some() {
            wrong("heartbeat.schedule", "write either every or schedule, not both".to_owned());
            return None;
        }
        let key = |index: usize| match texts.len() {
            1 => "heartbeat.schedule".to_owned(),
            _ => format!("heartbeat.schedule[{index}]"),
        };
        let mut good = true;
        for (index, text) in texts.iter().enumerate().take(limits::SCHEDULES_MAX) {
            if let Err(mistake) = Schedule::parse(text) {
                wrong(&key(index), mistake.to_string());
                good = false;
            }
        }
        let cadence = good.then(|| Cadence::at(texts.iter().map(String::as_str), counting))?;
        cadence.map_err(|(index, mistake)| wrong(&key(index), mistake.to_string())).ok()
    }

    /// What is wrong is told and left out, so that the rest can be looked at, too.
    fn counting(&self, wrong: &mut impl FnMut(&str, String)) -> Counting {
        let named = self.terms.zone.as_deref().map(Zone::parse);
        let zone = named.unwrap_or(Ok(Zone::UTC)).unwrap_or_else(|error| {
            wrong("heartbeat.zone", error.to_string());
            Zone::UTC
        });
        let holidays = &self.terms.holidays;
        if holidays.len() > limits::HOLIDAYS_MAX {
            wrong("heartbeat.holidays", format!("at most {} days", limits::HOLIDAYS_MAX));
        }
        let mut days = Vec::with_capacity(holidays.len().min(limits::HOLIDAYS_MAX));
        for (index, text) in holidays.iter().enumerate().take(limits::HOLIDAYS_MAX) {
            match Day::parse(text) {
                Some(day) => days.push(day),
                None => wrong(
                    &format!("heartbeat.holidays[{index}]"),
                    format!("`{text}` is neither a date such as 2026-12-25 nor the name of a calendar"),
                ),
            }
        }
        Counting::new(self.terms.count.unwrap_or_default(), zone, days)
    }

    fn keywords(&self, wrong: &mut impl FnMut(&str, String)) -> Option<Box<Keywords>> {
        let said = self.terms.keywords.as_ref()?;
        match Keywords::new(&said.failure, &said.success, &said.start, said.otherwise_fail) {
            Ok(keywords) => (!said.off).then(|| Box::new(keywords)),
            Err(mistake) => {
                wrong("heartbeat.keywords", mistake.message);
                None
            }
        }
    }
}

/// A list of words: a text with commas, or a list.
fn list(fields: &mut Fields<'_>, key: &str) -> String {
    match fields.get(key) {
        Some(Value::Array(_)) => fields.texts(key).join(","),
        _ => fields.text(key).unwrap_or_default(),
    }
}

fn word_of(kind: Kind) -> Option<&'static str> {
    RULES.iter().find(|(_, rule)| *rule == kind).map(|(word, _)| *word)
}

fn texts(texts: &[String]) -> Value {
    match texts {
        [] => Value::Null,
        [one] => json!(one),
        many => json!(many),
    }
}

/// A name as it stands in addresses: lower case, everything but letters and digits a hyphen.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
