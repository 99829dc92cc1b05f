//! `monitors list|show|pause|resume`.

use super::args::{ListArgs, MonitorsCommand, OneArgs};
use super::client::{Missing, Server, ask};
use super::table::table;
use super::{block_on, show};
use crate::answer::{Answer, Outcome};
use http::Method;
use serde_json::Value;

/// Runs one of them.
pub fn run(command: MonitorsCommand) -> Outcome {
    match command {
        MonitorsCommand::List(args) => list(&args),
        MonitorsCommand::Show(OneArgs { id, list }) => {
            let monitor =
                ask(&list.place, Missing::Refuse, Method::GET, &format!("/api/v1/monitors/{id}"), None)?;
            show(&monitor, list.json)
        }
        MonitorsCommand::Pause(args) => switch(&args, "pause", "paused"),
        MonitorsCommand::Resume(args) => switch(&args, "resume", "watched again"),
    }
}

fn list(args: &ListArgs) -> Outcome {
    let items = block_on(async {
        let server = Server::reach(&args.place, Missing::Refuse).await?;
        let items = all(&server, "/api/v1/monitors?limit=10000").await;
        server.close().await;
        items
    })?;
    if args.json {
        return Ok(Answer::good(format!("{:#}", Value::Array(items))));
    }
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    Ok(Answer::good(table(&["ID", "STATE", "SINCE", "NAME", "TARGET"], &rows)))
}

/// Every page of a list.
pub async fn all(server: &Server, path: &str) -> Outcome<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let mut page = server.ask(Method::GET, &format!("{path}{after}"), None).await?;
        if let Some(list) = page["items"].as_array_mut() {
            items.append(list);
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", escaped(next)),
            None => return Ok(items),
        }
    }
}

/// A cursor within a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn row(monitor: &Value) -> Vec<String> {
    let text = |key: &str| match &monitor[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let target = ["http", "tcp", "tls"].into_iter().map(|key| match &monitor[key] {
        Value::Object(map) => map.get("url").and_then(Value::as_str).unwrap_or_default().to_owned(),
        other => other.as_str().unwrap_or_default().to_owned(),
    });
    let target = target.into_iter().find(|target| !target.is_empty());
    let target = target.or_else(|| expected(&monitor["heartbeat"])).unwrap_or_default();
    vec![text("id"), text("state"), text("since"), text("name"), target]
}

/// When the beats of a heartbeat are expected: `a beat every 1h`, `a beat at 0 3 * * 1-5 Europe/Berlin`.
fn expected(heartbeat: &Value) -> Option<String> {
    let said = heartbeat.as_object()?;
    let text = |key: &str| said.get(key).and_then(Value::as_str);
    let Some(schedule) = said.get("schedule") else {
        return Some(format!("a beat every {}", text("every").unwrap_or("1d")));
    };
    let lines: Vec<&str> = match schedule {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    Some(format!("a beat at {} {}", lines.join(" | "), text("zone").unwrap_or("UTC")))
}

fn switch(args: &OneArgs, verb: &str, done: &str) -> Outcome {
    let OneArgs { id, list } = args;
    let path = format!("/api/v1/monitors/{id}/{verb}");
    let monitor = ask(&list.place, Missing::Refuse, Method::POST, &path, None)?;
    if list.json {
        return show(&monitor, true);
    }
    let name = monitor["name"].as_str().unwrap_or_default();
    Ok(Answer::good(format!("monitor {id} ({name}) is {done}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_expected_of_a_job() {
        use serde_json::json;
        for (said, shown) in [
            (json!({}), Some("a beat every 1d")),
            (json!({"every": "1h"}), Some("a beat every 1h")),
            (json!({"schedule": "0 3 * * 1-5"}), Some("a beat at 0 3 * * 1-5 UTC")),
            (
                json!({"schedule": ["Mon 3:00", "Tue 4:00"], "zone": "Asia/Tokyo"}),
                Some("a beat at Mon 3:00 | Tue 4:00 Asia/Tokyo"),
            ),
            (json!(null), None),
        ] {
            assert_eq!(super::expected(&said).as_deref(), shown, "{said}");
        }
    }

    #[test]
    fn cursors_are_escaped() {
        assert_eq!(super::escaped("a-1_~. /+é"), "a-1_~.%20%2F%2B%C3%A9");
    }
}
