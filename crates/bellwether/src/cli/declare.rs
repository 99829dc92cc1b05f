//! `apply`: the declarations of a file, as one transaction under its owner's name, by a running server or directly.

use super::args::ApplyArgs;
use super::client::{Missing, ask};
use crate::answer::{Answer, Outcome, Stop};
use crate::config::{self, variable};
use http::Method;
use serde_json::{Value, json};

/// Reads, checks, and hands over.
pub fn run(args: ApplyArgs) -> Outcome {
    let file =
        config::read(Some(&args.file), &variable).map_err(|mistakes| Stop::failed(mistakes.to_string()))?;
    let owner = args.owner.clone().unwrap_or_else(|| file.owner.clone());
    let body = json!({ "owner": owner, "plan": args.plan, "document": file.declarations(&variable) });
    let answer =
        ask(&args.place, Missing::Make, Method::POST, "/api/v1/apply", Some(body)).map_err(|stop| {
            // The server knows paths; only the file knows lines.
            Stop { sentence: file.with_lines(&stop.sentence), ..stop }
        })?;
    Ok(Answer::good(told(&answer, args.plan)))
}

/// One line for each object, and a sum.
fn told(answer: &Value, plan: bool) -> String {
    let mut lines = Vec::new();
    for (key, sign) in [("create", '+'), ("replace", '~'), ("delete", '-')] {
        for item in answer[key].as_array().into_iter().flatten() {
            let text = |key: &str| item[key].as_str().unwrap_or_default();
            let fields: Vec<&str> =
                item["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
            lines.push(format!("{sign} {} {}{fields}", text("kind"), text("key")));
        }
    }
    lines.extend(
        answer["notes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|note| format!("! {note}")),
    );
    let count = |key: &str| answer[key].as_array().map_or(0, Vec::len);
    let (new, changed, gone) = (count("create"), count("replace"), count("delete"));
    let unchanged = answer["unchanged"].as_u64().unwrap_or(0);
    let would = if plan { "would be" } else { "applied:" };
    lines.push(format!("{would} {new} new, {changed} changed, {gone} deleted, {unchanged} unchanged"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_at_a_glance() {
        let answer = json!({
            "create": [{"kind": "monitor", "key": "Shop", "id": 0, "fields": []}],
            "replace": [{"kind": "monitor", "key": "Mail", "id": 3, "fields": ["every", "timeout"]}],
            "delete": [], "unchanged": 5, "notes": ["`A` is deleted and `B` created"],
        });
        assert_eq!(
            told(&answer, true),
            "+ monitor Shop\n~ monitor Mail: every, timeout\n! `A` is deleted and `B` created\n\
             would be 1 new, 1 changed, 0 deleted, 5 unchanged"
        );
    }
}
