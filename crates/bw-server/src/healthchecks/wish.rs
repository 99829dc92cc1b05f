//! What a client wants a check to be: the members of a body, read by the rules of the original, with the first mistake in
//! its words. Members that it does not know are passed over, `null` is no value, and `true` is the number 1.

use super::mistake::Mistake;
use super::zones;
use bw_domain::beat::{Cadence, Counted, Counting, OnCalendar};
use bw_domain::time::Zone;
use serde_json::{Map, Value};

/// A JSON object.
pub type Body = Map<String, Value>;

/// Seconds of timeout and grace.
const SECONDS: std::ops::RangeInclusive<i64> = 60..=31_536_000;

/// The members that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    pub channels: Option<String>,
    pub desc: Option<String>,
    pub failure_kw: Option<String>,
    pub filter_body: Option<bool>,
    pub filter_default_fail: Option<bool>,
    pub filter_http_body: Option<bool>,
    pub filter_subject: Option<bool>,
    pub grace: Option<u64>,
    pub manual_resume: Option<bool>,
    pub post_only: Option<bool>,
    pub name: Option<String>,
    /// Lines of expressions.
    pub schedule: Option<Vec<String>>,
    pub slug: Option<String>,
    pub start_kw: Option<String>,
    pub subject: Option<String>,
    pub subject_fail: Option<String>,
    pub success_kw: Option<String>,
    pub tags: Option<String>,
    pub timeout: Option<u64>,
    pub tz: Option<String>,
    pub unique: Vec<Unique>,
}

/// A member by which a check that is there is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    Name,
    Slug,
    Tags,
    Timeout,
    Grace,
}

impl Wish {
    /// Reads a body. The order is that in which the original looks, so the first mistake is the same.
    pub fn read(body: &Body) -> Result<Wish, Mistake> {
        let reader = Reader(body);
        Ok(Wish {
            channels: reader.text("channels", usize::MAX)?,
            desc: reader.text("desc", usize::MAX)?,
            failure_kw: reader.text("failure_kw", 200)?,
            filter_body: reader.truth("filter_body")?,
            filter_default_fail: reader.truth("filter_default_fail")?,
            filter_http_body: reader.truth("filter_http_body")?,
            filter_subject: reader.truth("filter_subject")?,
            grace: reader.seconds("grace")?,
            manual_resume: reader.truth("manual_resume")?,
            post_only: reader.methods()?,
            name: reader.text("name", 100)?,
            schedule: reader.schedule()?,
            slug: reader.slug()?,
            start_kw: reader.text("start_kw", 200)?,
            subject: reader.text("subject", 200)?,
            subject_fail: reader.text("subject_fail", 200)?,
            success_kw: reader.text("success_kw", 200)?,
            tags: reader.text("tags", usize::MAX)?,
            timeout: reader.seconds("timeout")?,
            tz: reader.zone()?,
            unique: reader.unique()?,
        })
    }
}

struct Reader<'a>(&'a Body);

impl Reader<'_> {
    fn text(&self, member: &str, most: usize) -> Result<Option<String>, Mistake> {
        match self.0.get(member) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() > most => {
                Err(Mistake::of(member, "is too long"))
            }
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Mistake::of(member, "is not a string")),
        }
    }

    fn truth(&self, member: &str) -> Result<Option<bool>, Mistake> {
        match self.0.get(member) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(_) => Err(Mistake::of(member, "is not a boolean")),
        }
    }

    fn seconds(&self, member: &str) -> Result<Option<u64>, Mistake> {
        let number = match self.0.get(member) {
            None => return Ok(None),
            Some(Value::Bool(truth)) => i64::from(*truth),
            // A whole number beyond all bounds is one all the same.
            Some(Value::Number(number)) if !number.is_f64() => number.as_i64().unwrap_or(i64::MAX),
            Some(_) => return Err(Mistake::of(member, "is not a number")),
        };
        if number < *SECONDS.start() {
            return Err(Mistake::of(member, "is too small"));
        }
        if number > *SECONDS.end() {
            return Err(Mistake::of(member, "is too large"));
        }
        Ok(u64::try_from(number).ok())
    }

    fn methods(&self) -> Result<Option<bool>, Mistake> {
        match self.0.get("methods") {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(Some(false)),
            Some(Value::String(text)) if text == "POST" => Ok(Some(true)),
            Some(_) => Err(Mistake::of("methods", "has unexpected value")),
        }
    }

    fn slug(&self) -> Result<Option<String>, Mistake> {
        let slug = self.text("slug", 100)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        match slug {
            Some(slug) if !slug.chars().all(good) => Err(Mistake::of("slug", "does not match pattern")),
            slug => Ok(slug),
        }
    }

    fn schedule(&self) -> Result<Option<Vec<String>>, Mistake> {
        let Some(text) = self.text("schedule", 100)? else { return Ok(None) };
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // Five words on one line are cron, everything else is OnCalendar: our own reader takes more.
        let good = match lines[..] {
            [one] if one.split_ascii_whitespace().count() == 5 => true,
            ref lines => lines.iter().all(|line| OnCalendar::parse(line).is_ok()),
        };
        let counting = Counting::new(Counted::All, Zone::UTC, []);
        if good && Cadence::at(lines.iter().copied(), counting).is_ok() {
            return Ok(Some(lines.into_iter().map(str::to_owned).collect()));
        }
        Err(Mistake::of("schedule", "is not a valid cron or OnCalendar expression"))
    }

    fn zone(&self) -> Result<Option<String>, Mistake> {
        let Some(name) = self.text("tz", usize::MAX)? else { return Ok(None) };
        let zone = zones::canonical(&name);
        zone.map(Some).ok_or_else(|| Mistake::of("tz", "is not a valid timezone"))
    }

    fn unique(&self) -> Result<Vec<Unique>, Mistake> {
        let items = match self.0.get("unique") {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Mistake::of("unique", "is not an array")),
        };
        let read = |item: &Value| match item.as_str() {
            Some("name") => Ok(Unique::Name),
            Some("slug") => Ok(Unique::Slug),
            Some("tags") => Ok(Unique::Tags),
            Some("timeout") => Ok(Unique::Timeout),
            Some("grace") => Ok(Unique::Grace),
            _ => Err(Mistake::of("an item in 'unique'", "has unexpected value")),
        };
        items.iter().map(read).collect()
    }
}
