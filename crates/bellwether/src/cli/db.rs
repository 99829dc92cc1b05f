//! `db check|backup|restore`: the database as a file, without the server's interface.

use super::args::{DbCommand, PlaceArgs};
use super::setup_at;
use crate::answer::{Answer, Outcome, Stop, chain};
use bw_store::sqlite;
use std::path::{Path, PathBuf};

/// Runs one of them.
pub fn run(command: DbCommand) -> Outcome {
    match command {
        DbCommand::Check(place) => check(&place),
        DbCommand::Backup { file, place } => backup(&place, &file),
        DbCommand::Restore { file, place } => restore(&place, &file),
    }
}

/// The data directory, if there is a database in it.
fn directory(place: &PlaceArgs) -> Outcome<PathBuf> {
    let data = embedded(place)?;
    if data.join("bellwether.db").exists() {
        return Ok(data);
    }
    Err(Stop::failed(format!(
        "there is no database below {}: name the directory with --data DIR",
        data.display()
    )))
}

/// The data directory, where the database is a file of ours.
fn embedded(place: &PlaceArgs) -> Outcome<PathBuf> {
    let settings = setup_at(place)?.settings;
    match settings.database {
        None => Ok(settings.data),
        Some(_) => Err(Stop::failed(
            "this installation keeps everything in PostgreSQL: back it up and restore it with pg_dump and pg_restore, and keep the secret key beside the copy",
        )),
    }
}

fn check(place: &PlaceArgs) -> Outcome {
    let directory = directory(place)?;
    let shown = directory.join("bellwether.db");
    let report = sqlite::check(&directory).map_err(|error| Stop::failed(chain(&error)))?;
    if report.problems.is_empty() {
        return Ok(Answer::good(format!("{}: whole", shown.display())));
    }
    let lines: Vec<String> =
        report.problems.iter().map(|line| format!("{}: {line}", shown.display())).collect();
    let advice = "put a backup in its place with `bellwether db restore FILE`";
    Err(Stop::failed(format!("{}\n{advice}", lines.join("\n"))))
}

fn backup(place: &PlaceArgs, file: &Path) -> Outcome {
    let directory = directory(place)?;
    if file.exists() {
        return Err(Stop::failed(format!("{} is there already: name a new file", file.display())));
    }
    sqlite::backup(&directory, file).map_err(|error| Stop::failed(chain(&error)))?;
    let key = directory.join("secret.key");
    Ok(Answer::good(format!(
        "{} written; keep {} beside it: without the key its secrets stay sealed",
        file.display(),
        key.display()
    )))
}

fn restore(place: &PlaceArgs, file: &Path) -> Outcome {
    let data = embedded(place)?;
    let kept = sqlite::restore(&data, file).map_err(|error| Stop::failed(chain(&error)))?;
    let mut text = format!("{} restored from {}", data.display(), file.display());
    if let Some(kept) = kept {
        text.push_str(&format!("; what was there is kept as {}", kept.display()));
    }
    let key = data.join("secret.key");
    if !key.exists() {
        text.push_str(&format!("; put the secret.key of the backup back as {}, too", key.display()));
    }
    Ok(Answer::good(text))
}
