//! A check as clients see it: the members in their order, some of them only for those who may write.

use super::badge_keys::BadgeKeys;
use super::keys::Access;
use super::names::{nameless, slugless};
use super::unique::unique_key;
use super::{channels, labels, times};
use crate::App;
use bw_domain::beat::{Standing, Status};
use bw_domain::id::Uuid;
use bw_domain::monitor::{KeywordsDeclared, Spec};
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;
use serde::Serialize;

/// The timeout of a check that has a schedule, where one is asked for.
pub const TIMEOUT_DEFAULT: u64 = 86_400;

/// In which version, for whom, and below which address the links are.
pub struct Reader<'a> {
    pub app: &'a App,
    pub version: u8,
    access: Access,
    pub site: String,
    /// Made once for a whole list.
    badges: Option<BadgeKeys>,
    channels: String,
}

/// The object.
#[derive(Serialize)]
pub struct Check {
    pub name: String,
    pub slug: String,
    pub tags: String,
    desc: String,
    pub grace: u64,
    n_pings: u64,
    status: &'static str,
    started: bool,
    last_ping: Option<String>,
    next_ping: Option<String>,
    manual_resume: bool,
    methods: &'static str,
    subject: String,
    subject_fail: String,
    start_kw: String,
    success_kw: String,
    failure_kw: String,
    filter_subject: bool,
    filter_body: bool,
    filter_http_body: bool,
    filter_default_fail: bool,
    badge_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ping_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tz: Option<String>,
}

impl<'a> Reader<'a> {
    /// A reader whose links begin with `site`.
    pub fn new(app: &'a App, version: u8, access: Access, site: String) -> Self {
        let (badges, channels) = (BadgeKeys::of(&app.beats), channels::all(app));
        Reader { app, version, access, site, badges, channels }
    }

    /// Where a check is.
    pub fn address(&self, uuid: Uuid) -> String {
        format!("{}/api/v{}/checks/{uuid}", self.site, self.version)
    }

    /// The check; nothing for a monitor that is probed.
    pub fn check(&self, view: &MonitorView) -> Option<Check> {
        let now = self.app.services.clock.now();
        let (spec, standing) = (&view.spec, view.standing(now)?);
        let (agreement, heartbeat) = (spec.beats()?, spec.declared.heartbeat()?);
        let terms = &agreement.terms;
        let none = KeywordsDeclared { off: true, ..KeywordsDeclared::default() };
        let keywords = heartbeat.terms.keywords.as_ref().unwrap_or(&none).clone();
        let in_subject = |words: &str| if keywords.mail_subject { words.to_owned() } else { String::new() };
        let writes = self.access == Access::Write;
        let writer = |text: String| writes.then_some(text);
        let one = self.address(spec.uuid);
        let every = terms.cadence.interval();
        Some(Check {
            name: name(spec),
            slug: slug(spec),
            tags: labels::shown(&spec.declared),
            desc: heartbeat.description().unwrap_or_default().to_owned(),
            grace: terms.grace.as_secs(),
            n_pings: view.track.as_ref().map_or(0, |track| track.count),
            status: self.status(spec, &standing, now).word(),
            started: is_started(spec, &standing),
            last_ping: standing.last.map(times::whole),
            next_ping: standing.expected.filter(|_| waits(standing.status)).map(times::whole),
            manual_resume: agreement.manual_resume,
            methods: if agreement.post_only { "POST" } else { "" },
            subject: in_subject(&keywords.success),
            subject_fail: in_subject(&keywords.failure),
            filter_subject: keywords.mail_subject,
            filter_body: keywords.mail_text,
            filter_http_body: !keywords.off,
            filter_default_fail: keywords.otherwise_fail,
            start_kw: keywords.start,
            success_kw: keywords.success,
            failure_kw: keywords.failure,
            badge_url: self
                .badges
                .as_ref()
                .map(|keys| format!("{}/b/2/{}.svg", self.site, keys.check(spec.id))),
            last_duration: view.track.as_ref().and_then(|track| track.duration).map(|took| took.as_secs()),
            uuid: writes.then_some(spec.uuid),
            ping_url: writer(format!("{}/ping/{}", self.site, spec.uuid)),
            pause_url: writer(format!("{one}/pause")),
            resume_url: writer(format!("{one}/resume")),
            update_url: writer(one),
            channels: writes.then(|| self.channels.clone()),
            unique_key: (!writes).then(|| unique_key(spec.uuid)),
            timeout: every.map(|every| every.as_secs()),
            schedule: every.is_none().then(|| heartbeat.terms.schedule.join("\n")),
            tz: every.is_none().then(|| terms.cadence.counting().zone().name().to_owned()),
        })
    }

    /// The first version has a run under way for a status.
    fn status(&self, spec: &Spec, standing: &Standing, now: Instant) -> Status {
        let overrun = |started| {
            let end = spec.beats().and_then(|agreement| agreement.terms.overrun(started));
            end.is_some_and(|end| now >= end)
        };
        match standing.started {
            Some(started) if self.version == 1 && spec.enabled && !overrun(started) => Status::Started,
            _ => standing.status,
        }
    }
}

/// A beat is waited for.
fn waits(status: Status) -> bool {
    matches!(status, Status::Up | Status::Grace)
}

/// Whether a run is under way. Pausing ends them.
pub fn is_started(spec: &Spec, standing: &Standing) -> bool {
    spec.enabled && standing.started.is_some()
}

/// Its name; empty where it has none.
pub fn name(spec: &Spec) -> String {
    if spec.name() == nameless(spec.uuid) { String::new() } else { spec.name().to_owned() }
}

/// Its slug; empty where it has none.
fn slug(spec: &Spec) -> String {
    let slug = spec.declared.slug_shown().unwrap_or_default();
    if slug == slugless(spec.uuid) { String::new() } else { slug.into_owned() }
}
