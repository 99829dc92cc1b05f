//! `config check|show|schema|default`: the file by itself, without a server.

use super::args::{ConfigCommand, PlaceArgs};
use super::{Setup, setup_at};
use crate::answer::{Answer, Outcome};
use crate::config::{default_file, reference, schema, show};

/// Runs one of them.
pub fn run(command: ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Check(place) => check(&place),
        ConfigCommand::Show(place) => shown(&place),
        ConfigCommand::Schema => Ok(Answer::good(format!("{:#}", schema()))),
        ConfigCommand::Default => Ok(Answer::good(default_file())),
        ConfigCommand::Reference => Ok(Answer::good(reference())),
    }
}

fn check(place: &PlaceArgs) -> Outcome {
    let Setup { file, .. } = setup_at(place)?;
    if file.path.is_none() {
        return Ok(Answer::good("there is no bellwether.yaml here, and none is needed: the defaults hold"));
    }
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let (monitors, actions) = (file.declared.monitors.len(), file.declared.actions.len());
    Ok(Answer::good(format!(
        "{}: good, {}, {}",
        file.shown(),
        count(monitors, "monitor"),
        count(actions, "action")
    )))
}

fn shown(place: &PlaceArgs) -> Outcome {
    let Setup { file, settings, .. } = setup_at(place)?;
    super::show(&show(&settings, &file.declared), false)
}
