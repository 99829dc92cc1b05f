//! `tokens create|list|revoke`.

use super::args::{ListArgs, OneArgs, PlaceArgs, TokensCommand};
use super::client::{Missing, ask};
use super::table::table;
use crate::answer::{Answer, Outcome};
use http::Method;
use serde_json::{Value, json};

/// Runs one of them.
pub fn run(command: TokensCommand) -> Outcome {
    match command {
        TokensCommand::Create { name, read, place } => create(&place, &name, read),
        TokensCommand::List(args) => list(&args),
        TokensCommand::Revoke(OneArgs { id, list }) => {
            ask(&list.place, Missing::Refuse, Method::DELETE, &format!("/api/v1/tokens/{id}"), None)?;
            Ok(Answer::good(format!("token {id} is revoked")))
        }
    }
}

/// The token alone, so that a script can take it as it is. It is not shown again.
fn create(place: &PlaceArgs, name: &str, read: bool) -> Outcome {
    let body = json!({ "name": name, "scope": if read { "read" } else { "write" } });
    let answer = ask(place, Missing::Make, Method::POST, "/api/v1/tokens", Some(body))?;
    Ok(Answer::good(answer["token"].as_str().unwrap_or_default()))
}

fn list(args: &ListArgs) -> Outcome {
    let page = ask(&args.place, Missing::Refuse, Method::GET, "/api/v1/tokens", None)?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    if args.json {
        return Ok(Answer::good(format!("{:#}", Value::Array(items))));
    }
    let text = |token: &Value, key: &str| token[key].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|token| {
            let head = [token["id"].to_string()].into_iter();
            head.chain(["name", "scope", "prefix", "created_at", "revoked_at"].map(|key| text(token, key)))
                .collect()
        })
        .collect();
    Ok(Answer::good(table(&["ID", "NAME", "SCOPE", "BEGINS", "CREATED", "REVOKED"], &rows)))
}
