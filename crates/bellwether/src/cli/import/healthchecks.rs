//! `import healthchecks --url URL --key KEY`: the checks of a project as heartbeats of ours, with their addresses. So jobs
//! go on as they are: only the host in their ping addresses changes.
//!
//! A check that is here already stays as it is here; one that cannot be taken over is told with its reason, and the others
//! are made. Pings and states are not imported: no silence is told of a check before its first ping here.

use super::project::Project;
use crate::answer::{Answer, Outcome, Status, Stop};
use crate::cli::args::ImportProjectArgs;
use crate::cli::block_on;
use crate::cli::client::{Missing, Server};
use crate::cli::monitors::all;
use crate::config::variable;
use bw_domain::id::Uuid;
use bw_domain::secret::Secret;
use http::Method;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Where the key may be instead: keys on command lines are seen by others.
const KEY: &str = "HEALTHCHECKS_API_KEY";

/// What became of one check, in the order in which its server shows them.
enum Fate {
    Made(String),
    /// The other terms that it has here, if so.
    There(String, bool),
    Refused(String, String),
}

/// Reads, compares, makes.
pub fn run(args: &ImportProjectArgs) -> Outcome {
    let given = args.key.clone().or_else(|| variable(KEY)).filter(|key| !key.trim().is_empty());
    let key = given.ok_or_else(|| {
        Stop::usage(format!("name the project's read-write API key: --key KEY, or set {KEY}"))
    })?;
    let project = Project::at(&args.url, Secret::new(key.trim()))?;
    let missing = if args.plan { Missing::Refuse } else { Missing::Make };
    let fates = block_on(async {
        let checks = project.checks().await?;
        let checks = addressed(checks)?;
        let server = Server::reach(&args.place, missing).await?;
        let fates = take_over(&server, checks, args.plan).await;
        server.close().await;
        fates
    })?;
    let any_refused = fates.iter().any(|fate| matches!(fate, Fate::Refused(..)));
    let status = if any_refused { Status::Failed } else { Status::Good };
    Ok(Answer { text: told(&fates, args.plan), status })
}

/// The checks with their addresses; a key that may only read is not shown any.
fn addressed(checks: Vec<Map<String, Value>>) -> Outcome<Vec<(Uuid, Map<String, Value>)>> {
    let addressed = checks.into_iter().map(|check| {
        let uuid = check.get("uuid").and_then(Value::as_str).map(str::to_owned).or_else(|| from_ping_url(&check));
        let uuid = uuid.as_deref().and_then(Uuid::parse).ok_or_else(|| {
            Stop::failed(
                "this key may only read, and the addresses of checks are shown to a read-write key alone: take that one",
            )
        })?;
        Ok((uuid, check))
    });
    addressed.collect()
}

/// Servers before the second version show it only there.
fn from_ping_url(check: &Map<String, Value>) -> Option<String> {
    check.get("ping_url")?.as_str()?.rsplit('/').next().map(str::to_owned)
}

async fn take_over(
    server: &Server,
    checks: Vec<(Uuid, Map<String, Value>)>,
    plan: bool,
) -> Outcome<Vec<Fate>> {
    let here = all(server, "/api/v1/monitors?limit=10000").await?;
    let here: BTreeMap<&str, &Value> =
        here.iter().filter_map(|monitor| Some((monitor["uuid"].as_str()?, monitor))).collect();
    let mut seen = BTreeSet::new();
    let mut fates = Vec::with_capacity(checks.len());
    for (uuid, check) in checks {
        if !seen.insert(uuid) {
            // A list that changed while it was read.
            continue;
        }
        let shown = shown(&check, uuid);
        let declared = match bw_server::healthchecks::declaration(&check, uuid) {
            Ok(declared) => declared.to_json(),
            Err(why) => {
                fates.push(Fate::Refused(shown, why));
                continue;
            }
        };
        let fate = if let Some(monitor) = here.get(uuid.to_string().as_str()) {
            Fate::There(shown, !same(monitor, &declared))
        } else if plan {
            Fate::Made(shown)
        } else {
            match server.ask(Method::POST, "/api/v1/monitors", Some(declared)).await {
                Ok(_) => Fate::Made(shown),
                Err(stop) => Fate::Refused(shown, stop.sentence.replace('\n', "; ")),
            }
        };
        fates.push(fate);
    }
    Ok(fates)
}

/// Whether what is here says the same.
fn same(monitor: &Value, declared: &Value) -> bool {
    ["name", "slug", "labels", "heartbeat"].iter().all(|key| monitor[*key] == declared[*key])
}

/// `Nightly backup (every 3600 s, grace 600 s)`. The address of a check is a secret: it is not shown.
fn shown(check: &Map<String, Value>, uuid: Uuid) -> String {
    let text = |key: &str| check.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| check.get(key).map(Value::to_string).unwrap_or_default();
    let name = match text("name") {
        "" => format!("check {}…", &uuid.to_string()[..8]),
        name => name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    };
    let when = match text("schedule") {
        "" => format!("every {} s", number("timeout")),
        schedule => {
            let lines: Vec<&str> = schedule.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            format!("`{}` in {}", lines.join("`, `"), text("tz"))
        }
    };
    let paused = if text("status") == "paused" { ", paused" } else { "" };
    format!("{name}: {when}, grace {} s{paused}", number("grace"))
}

/// A line for each check, and a sum.
fn told(fates: &[Fate], plan: bool) -> String {
    let mut lines: Vec<String> = fates.iter().map(line).collect();
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
    let made = count(|fate| matches!(fate, Fate::Made(_)));
    let there = count(|fate| matches!(fate, Fate::There(..)));
    let refused = count(|fate| matches!(fate, Fate::Refused(..)));
    let word = if plan { "would be made" } else { "made" };
    lines.push(format!("{made} {word}, {there} were there, {refused} refused"));
    if made > 0 {
        lines.push(
            "Addresses stay: in the ping addresses of jobs only what stands before /ping/ changes. Silence counts from each \
             one's first ping here on. Integrations are not imported: actions are declared in bellwether.yaml."
                .to_owned(),
        );
    }
    lines.join("\n")
}

fn line(fate: &Fate) -> String {
    match fate {
        Fate::Made(shown) => format!("+ {shown}"),
        Fate::There(shown, false) => format!("= {shown}"),
        Fate::There(shown, true) => format!("= {shown}; it is here with other settings and stays so"),
        Fate::Refused(shown, why) => format!("! {shown}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn addresses() {
        let uuid = "728b3763-ea80-4113-9fc0-f49b4adb226e";
        for (shown, good) in [
            (json!({"uuid": uuid}), true),
            (json!({"ping_url": format!("https://hc.example.com/ping/{uuid}")}), true),
            (json!({"unique_key": "a6c7b0a8a66bed0df66abfdab3c77736861703ee"}), false),
            (json!({"uuid": "x"}), false),
        ] {
            let addressed = addressed(vec![check(shown.clone())]);
            assert_eq!(addressed.is_ok(), good, "{shown}");
            match addressed {
                Ok(addressed) => assert_eq!(addressed[0].0.to_string(), uuid),
                Err(stop) => assert!(stop.sentence.contains("read-write"), "{stop}"),
            }
        }
    }

    #[test]
    fn a_line_shows_what_it_is_and_not_its_address() {
        let uuid = Uuid::parse("728b3763-ea80-4113-9fc0-f49b4adb226e").expect("an address");
        let simple = check(json!({"name": "Dump", "timeout": 3600, "grace": 600, "status": "paused"}));
        assert_eq!(shown(&simple, uuid), "Dump: every 3600 s, grace 600 s, paused");
        let calendar = check(
            json!({"name": "", "schedule": "Mon 3:00\nTue 4:00\n", "tz": "UTC", "grace": 60, "status": "up"}),
        );
        assert_eq!(shown(&calendar, uuid), "check 728b3763…: `Mon 3:00`, `Tue 4:00` in UTC, grace 60 s");
    }
}
