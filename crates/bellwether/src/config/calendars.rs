//! `calendars:` of the file. Their days are put where heartbeats name them, so that what is declared says everything that
//! counts, wherever it goes; the files stay here.

use bw_domain::beat::holidays;
use bw_domain::read::{Fields, Problem};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

/// The years whose days are taken from a calendar: rules without an end must end somewhere.
const YEARS: RangeInclusive<i32> = 2020..=2040;

/// Puts the days of calendars in the place of their names.
pub fn resolve(document: &mut Value, file: Option<&Path>, problems: &mut Vec<Problem>) {
    let Some(calendars) = document.get("calendars") else { return };
    let Some(calendars) = read(calendars, file, problems) else { return };
    let Some(Value::Array(monitors)) = document.get_mut("monitors") else { return };
    for monitor in monitors {
        let named = monitor.get_mut("heartbeat").and_then(|heartbeat| heartbeat.get_mut("holidays"));
        let Some(named) = named else { continue };
        let names = match &*named {
            Value::String(one) => vec![Value::String(one.clone())],
            Value::Array(many) => many.clone(),
            _ => continue,
        };
        let days = |name: &Value| name.as_str().and_then(|name| calendars.get(name)).cloned();
        *named = Value::Array(
            names.into_iter().flat_map(|name| days(&name).unwrap_or_else(|| vec![name])).collect(),
        );
    }
}

/// The days of each calendar by its name, as texts.
fn read(
    calendars: &Value,
    file: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Option<BTreeMap<String, Vec<Value>>> {
    let Value::Array(items) = calendars else {
        problems.push(Problem::new("calendars", "is a list of maps with `name` and `file`"));
        return None;
    };
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let mut found = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("calendars[{index}]");
        let mut fields = Fields::new(item, &path, &["name", "file"], &[]);
        let (name, named) = (fields.text("name"), fields.text("file"));
        for (key, given) in [("name", &name), ("file", &named)] {
            if given.is_none() && fields.get(key).is_none() {
                fields.wrong(key, "is missing");
            }
        }
        if let (Some(name), Some(named)) = (name, named) {
            match days(&folder.join(named)) {
                Ok(_) if found.contains_key(&name) => {
                    fields.wrong("name", format!("`{name}` is there already"))
                }
                Ok(days) => drop(found.insert(name, days)),
                Err(sentence) => fields.wrong("file", sentence),
            }
        }
        problems.append(&mut fields.problems);
    }
    Some(found)
}

fn days(file: &Path) -> Result<Vec<Value>, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let days = holidays(&text, YEARS).map_err(|mistake| format!("{shown}, {mistake}"))?;
    Ok(days.into_iter().map(|day| Value::String(day.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_become_days_and_dates_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\nEND:VCALENDAR\n";
        std::fs::write(folder.path().join("c.ics"), text).expect("a file");
        let mut document = json!({
            "calendars": [{"name": "xmas", "file": "c.ics"}],
            "monitors": [{"heartbeat": {"holidays": ["xmas", "2026-01-01"]}}, {"heartbeat": {"holidays": "xmas"}}],
        });
        let mut problems = Vec::new();
        resolve(&mut document, Some(&folder.path().join("bellwether.yaml")), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(document["monitors"][0]["heartbeat"]["holidays"], json!(["2026-12-25", "2026-01-01"]));
        assert_eq!(document["monitors"][1]["heartbeat"]["holidays"], json!(["2026-12-25"]));
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_place() {
        let mut document = json!({"calendars": [{"name": "x", "file": "nowhere.ics"}, {"nme": "y"}]});
        let mut problems = Vec::new();
        resolve(&mut document, None, &mut problems);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            told.iter().any(|line| line.starts_with("calendars[0].file: nowhere.ics cannot be read")),
            "{told:?}"
        );
        assert!(told.iter().any(|line| line.contains("calendars[1].nme: unknown key")), "{told:?}");
    }
}
