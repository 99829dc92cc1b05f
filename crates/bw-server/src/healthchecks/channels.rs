//! Channels are declared actions. Routes decide which of them are told, of every check the same; so a check has all of
//! them, and what a client writes there is read and changes nothing.

use super::mistake::Mistake;
use crate::App;
use bw_domain::action::Action;
use bw_domain::id::Uuid;
use serde::Serialize;

/// A channel.
#[derive(Serialize)]
pub struct Channel {
    id: Uuid,
    name: String,
    kind: &'static str,
}

/// `{"channels": […]}`.
#[derive(Serialize)]
pub struct Channels {
    channels: Vec<Channel>,
}

/// Every action.
pub fn list(app: &App) -> Channels {
    let channel = |action: &Action| Channel {
        id: uuid_of(action),
        name: action.name.clone(),
        kind: action.kind.word(),
    };
    Channels { channels: app.services.catalog.actions().iter().map(channel).collect() }
}

/// The ids of all, as a check has them.
pub fn all(app: &App) -> String {
    let mut ids: Vec<String> =
        app.services.catalog.actions().iter().map(|action| uuid_of(action).to_string()).collect();
    ids.sort_unstable();
    ids.join(",")
}

/// Whether what was written names channels: `""`, `"*"`, or ids and names with commas between.
pub fn known(app: &App, written: &str) -> Result<(), Mistake> {
    if written.is_empty() || written == "*" {
        return Ok(());
    }
    let actions = app.services.catalog.actions();
    for wanted in written.split(',') {
        if wanted.is_empty() {
            return Err(Mistake::Sentence("empty channel identifier".to_owned()));
        }
        let is_it = |action: &&Action| action.name == wanted || uuid_of(action).to_string() == wanted;
        match actions.iter().filter(is_it).count() {
            0 => return Err(Mistake::Sentence(format!("invalid channel identifier: {wanted}"))),
            1 => {}
            _ => return Err(Mistake::Sentence(format!("non-unique channel identifier: {wanted}"))),
        }
    }
    Ok(())
}

/// An id for those who have only seen UUIDs: made of what the action is called here.
fn uuid_of(action: &Action) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("bellwether 2026-11-21 channels");
    hasher.update(&action.id.0.to_be_bytes());
    for part in [action.name.as_str(), action.kind.word()] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    let mut bits = [0; 16];
    bits.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Uuid::from_random(u128::from_be_bytes(bits))
}
