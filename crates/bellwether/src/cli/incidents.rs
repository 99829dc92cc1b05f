//! `incidents list|show|ack`.

use super::args::{IncidentListArgs, IncidentsCommand, OneArgs};
use super::client::{Missing, ask};
use super::show;
use super::table::table;
use crate::answer::{Answer, Outcome};
use http::Method;
use serde_json::Value;

/// Runs one of them.
pub fn run(command: IncidentsCommand) -> Outcome {
    match command {
        IncidentsCommand::List(args) => list(&args),
        IncidentsCommand::Show(OneArgs { id, list }) => {
            let incident =
                ask(&list.place, Missing::Refuse, Method::GET, &format!("/api/v1/incidents/{id}"), None)?;
            show(&incident, list.json)
        }
        IncidentsCommand::Ack(args) => acknowledge(&args),
    }
}

fn list(args: &IncidentListArgs) -> Outcome {
    let IncidentListArgs { open, list } = args;
    let state = if *open { "open" } else { "all" };
    let path = format!("/api/v1/incidents?state={state}&limit=100");
    let page = ask(&list.place, Missing::Refuse, Method::GET, &path, None)?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    if list.json {
        return Ok(Answer::good(format!("{:#}", Value::Array(items))));
    }
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    Ok(Answer::good(table(&["ID", "STATE", "OPENED", "CLOSED", "MONITOR", "CAUSE"], &rows)))
}

fn row(incident: &Value) -> Vec<String> {
    let text =
        |pointer: &str| incident.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = match (incident["closed_at"].is_null(), incident["acknowledged"].is_null()) {
        (false, _) => "closed",
        (true, true) => "open",
        (true, false) => "acknowledged",
    };
    let id = incident["id"].to_string();
    vec![
        id,
        state.to_owned(),
        text("/opened_at"),
        text("/closed_at"),
        text("/subject/name"),
        text("/cause/text"),
    ]
}

fn acknowledge(args: &OneArgs) -> Outcome {
    let OneArgs { id, list } = args;
    let path = format!("/api/v1/incidents/{id}/acknowledge");
    let incident = ask(&list.place, Missing::Refuse, Method::POST, &path, None)?;
    if list.json {
        return show(&incident, true);
    }
    Ok(Answer::good(format!("incident {id} is acknowledged")))
}
