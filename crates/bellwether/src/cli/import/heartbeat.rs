//! `import heartbeat FILE.json`: the rows of the heartbeat service's table as heartbeats of ours.
//!
//! A pulse is known by its four texts. One that is here already stays as it is; one that cannot be taken over is told with
//! its reason, and the others are made. When a pulse came last cannot be imported: no silence is told of a heartbeat
//! before its first pulse here, so the times are shown.

use super::export::{self, Item, Refused};
use crate::answer::{Answer, Outcome, Status, Stop};
use crate::cli::args::ImportFileArgs;
use crate::cli::block_on;
use crate::cli::client::{Missing, Server};
use crate::cli::monitors::all;
use bw_domain::access;
use bw_domain::limits;
use bw_domain::time::{Duration, Span};
use bw_server::limits::{REQUESTS_BURST, REQUESTS_PER_SECOND};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// After so many requests the pace is kept, so that a server on another machine never finds us too fast.
const FREE: usize = REQUESTS_BURST as usize / 2;
/// That pace: four fifths of what it takes.
const PACE: Duration = Duration::from_millis(1_250 / REQUESTS_PER_SECOND as u64);

/// What became of one row, in the order of the file.
enum Fate {
    Made(Item),
    /// What is here, where it is not the same.
    There(Item, Option<String>),
    Refused(Refused),
}

/// Every pulse that is here: its texts, and its threshold and days.
type Here = BTreeMap<[String; 4], String>;

/// Reads, compares, makes.
pub fn run(args: &ImportFileArgs) -> Outcome {
    let refused = |why: String| Stop::failed(format!("{}: {why}", args.file.display()));
    let text = std::fs::read_to_string(&args.file).map_err(|error| refused(error.to_string()))?;
    let rows = export::read(&text).map_err(refused)?;
    let missing = if args.plan { Missing::Refuse } else { Missing::Make };
    let fates = block_on(async {
        let server = Server::reach(&args.place, missing).await?;
        let fates = take_over(&server, rows, args.plan).await;
        server.close().await;
        fates
    })?;
    let any_refused = fates.iter().any(|fate| matches!(fate, Fate::Refused(_)));
    let status = if any_refused { Status::Failed } else { Status::Good };
    Ok(Answer { text: told(&fates, args.plan), status })
}

async fn take_over(server: &Server, rows: Vec<Result<Item, Refused>>, plan: bool) -> Outcome<Vec<Fate>> {
    let here: Here = all(server, "/api/v1/monitors?limit=10000").await?.iter().filter_map(pulse).collect();
    let mut seen = Here::new();
    let mut fates = Vec::with_capacity(rows.len());
    for row in rows {
        let item = match row {
            Ok(item) => item,
            Err(refused) => {
                fates.push(Fate::Refused(refused));
                continue;
            }
        };
        let agreed = agreed(&item);
        let fate = if let Some(known) = here.get(&item.key) {
            let other = (*known != agreed).then(|| known.clone());
            Fate::There(item, other)
        } else if seen.insert(item.key.clone(), agreed).is_some() {
            Fate::Refused(Refused {
                name: item.key.join(" / "),
                why: "it stands twice in the file".to_owned(),
            })
        } else if plan {
            Fate::Made(item)
        } else {
            if seen.len() > FREE {
                tokio::time::sleep(PACE).await;
            }
            match server.make("/api/v1/monitors", declared(&item), &key(&item)).await {
                Ok(_) => Fate::Made(item),
                Err(stop) => Fate::Refused(Refused { name: item.key.join(" / "), why: stop.sentence }),
            }
        };
        fates.push(fate);
    }
    Ok(fates)
}

/// A monitor of the interface, where it is a pulse.
fn pulse(monitor: &Value) -> Option<([String; 4], String)> {
    let heartbeat = &monitor["heartbeat"];
    let text = |key: &str| heartbeat["pulse"][key].as_str().map(str::to_owned);
    let key = [text("host")?, text("category")?, text("type")?, text("name")?];
    let word = |key: &str| heartbeat[key].as_str().unwrap_or("?");
    Some((key, format!("{} of {}", word("every"), word("count"))))
}

fn count(item: &Item) -> &'static str {
    if item.saturday { "weekdays+saturday" } else { "weekdays" }
}

/// `24h of weekdays`, as [`pulse`] writes what is here.
fn agreed(item: &Item) -> String {
    format!("{} of {}", Span(item.threshold), count(item))
}

fn declared(item: &Item) -> Value {
    let [host, category, r#type, name] = &item.key;
    let shown: String =
        item.key.join(" / ").chars().filter(|c| !c.is_control()).take(limits::NAME_MAX).collect();
    json!({
        "name": shown,
        "heartbeat": {
            "rules": "pulse",
            "every": Span(item.threshold),
            "count": count(item),
            "pulse": {"host": host, "category": category, "type": r#type, "name": name},
        },
    })
}

/// The same for the same four texts, however often this runs.
fn key(item: &Item) -> String {
    let digest = access::digest(&format!("import heartbeat\0{}", item.key.join("\u{1f}")));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line for each row, and a sum.
fn told(fates: &[Fate], plan: bool) -> String {
    let mut lines: Vec<String> = fates.iter().map(line).collect();
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
    let made = count(|fate| matches!(fate, Fate::Made(_)));
    let there = count(|fate| matches!(fate, Fate::There(..)));
    let refused = count(|fate| matches!(fate, Fate::Refused(_)));
    let word = if plan { "would be made" } else { "made" };
    lines.push(format!("{made} {word}, {there} were there, {refused} refused"));
    if made > 0 {
        let sentence =
            "The times of last pulses are not imported: silence counts from each one's first pulse here on.";
        lines.push(sentence.to_owned());
    }
    lines.join("\n")
}

fn line(fate: &Fate) -> String {
    let whole = |item: &Item| {
        let last = if item.last.is_empty() { String::new() } else { format!(", last pulse {}", item.last) };
        format!("{}: {}{last}", item.key.join(" / "), agreed(item))
    };
    match fate {
        Fate::Made(item) => format!("+ {}", whole(item)),
        Fate::There(item, None) => format!("= {}", whole(item)),
        Fate::There(item, Some(here)) => {
            format!("= {}; it is here with {here} and stays so", whole(item))
        }
        Fate::Refused(refused) => format!("! {}: {}", refused.name, refused.why),
    }
}
