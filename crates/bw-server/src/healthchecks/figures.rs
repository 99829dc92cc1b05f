//! Checks as figures for Prometheus, by the names of the original: dashboards and alerts of people hold them. Ours are at
//! `/metrics`.

use super::mistake::Mistake;
use super::unique::unique_key;
use super::{check, labels};
use crate::App;
use bw_domain::beat::Status;
use bw_engine::usecase::{UseError, monitors};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The media type.
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The document of one scrape.
pub async fn exposition(app: &App) -> Result<String, Mistake> {
    let now = app.services.clock.now();
    let mut families: [(&str, &str, String); 4] = [
        ("hc_check_up", "Whether the check is not down", String::new()),
        ("hc_check_started", "Whether a run of the check is under way", String::new()),
        ("hc_check_grace", "Whether the check is late", String::new()),
        ("hc_check_paused", "Whether the check is paused", String::new()),
    ];
    let (mut total, mut down) = (0u64, 0u64);
    let mut tags: BTreeMap<String, bool> = BTreeMap::new();
    for view in monitors::all(&app.services).await? {
        let Some(standing) = view.standing(now) else { continue };
        let (spec, shown) = (&view.spec, labels::shown(&view.spec.declared));
        let is_down = standing.status == Status::Down;
        total += 1;
        down += u64::from(is_down);
        for tag in labels::tags(&shown) {
            *tags.entry(tag.to_owned()).or_insert(true) &= !is_down;
        }
        let series = format!(
            "{{name=\"{}\",tags=\"{}\",unique_key=\"{}\"}}",
            escaped(&check::name(spec)),
            escaped(&shown),
            unique_key(spec.uuid)
        );
        let values = [
            !is_down,
            check::is_started(spec, &standing),
            standing.status == Status::Grace,
            standing.status == Status::Paused,
        ];
        for ((family, _, lines), value) in families.iter_mut().zip(values) {
            line(lines, &format!("{family}{series}"), u64::from(value));
        }
    }
    let mut out = String::new();
    for (family, help, lines) in &families {
        head(&mut out, family, &format!("{help} (1 for yes, 0 for no)."));
        out.push_str(lines);
    }
    head(&mut out, "hc_tag_up", "Whether all checks with this tag are not down (1 for yes, 0 for no).");
    for (tag, up) in &tags {
        line(&mut out, &format!("hc_tag_up{{tag=\"{}\"}}", escaped(tag)), u64::from(*up));
    }
    head(&mut out, "hc_checks_total", "The total number of checks.");
    line(&mut out, "hc_checks_total", total);
    head(&mut out, "hc_checks_down_total", "The number of checks that are down.");
    line(&mut out, "hc_checks_down_total", down);
    Ok(out)
}

fn head(out: &mut String, family: &str, help: &str) {
    writeln!(out, "# HELP {family} {help}\n# TYPE {family} gauge").expect("a string takes everything");
}

fn line(out: &mut String, series: &str, value: u64) {
    writeln!(out, "{series} {value}").expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What the original says of its own work, at `/api/v…/metrics/`.
#[derive(Serialize)]
pub struct Work {
    ts: i64,
    max_ping_id: u64,
    /// Notifications have no numbers here.
    max_notification_id: Option<u64>,
    num_unprocessed_flips: u64,
}

/// The same of ours: the last beat, and deliveries that wait.
pub async fn work(app: &App) -> Result<Work, Mistake> {
    let services = &app.services;
    let max_ping_id = services.store.beats.tail(None, 1).await.map_err(UseError::from)?.1;
    let (waiting, _) = services.store.deliveries.backlog().await.map_err(UseError::from)?;
    let ts = services.clock.now().ms().div_euclid(1_000);
    Ok(Work { ts, max_ping_id, max_notification_id: None, num_unprocessed_flips: waiting })
}
