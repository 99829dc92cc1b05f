//! The heartbeat service's table as exported JSON: what the AWS command line prints of a scan (`{"Items": [{"host":
//! {"S": "…"}, …}]}`), or a plain array of flat objects. Half a table is refused: what is missing in it would never be
//! missed.

use bw_domain::time::Duration;
use serde_json::Value;

/// The original's threshold where a row has none.
const THRESHOLD_DEFAULT: &str = "24";
/// Hours of a year: the longest that a heartbeat here may wait.
const HOURS_MAX: f64 = 8_760.0;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Host, category, type and name.
    pub key: [String; 4],
    pub threshold: Duration,
    pub saturday: bool,
    /// When it pulsed last, as it is written there; empty where it is not.
    pub last: String,
}

/// A row that cannot be taken over: what it is, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub name: String,
    pub why: String,
}

/// Reads a whole export.
pub fn read(text: &str) -> Result<Vec<Result<Item, Refused>>, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    for key in ["LastEvaluatedKey", "NextToken"] {
        if !document[key].is_null() {
            return Err(format!(
                "the export ends before the table does (it has a {key}): export it without --max-items and without --no-paginate"
            ));
        }
    }
    let rows = match &document {
        Value::Array(rows) => rows,
        Value::Object(_) => document["Items"]
            .as_array()
            .ok_or("it has no Items: export the table with `aws dynamodb scan --table-name Heartbeat`")?,
        _ => return Err("it is neither an array of rows nor the result of a scan".to_owned()),
    };
    Ok(rows.iter().enumerate().map(|(index, row)| item(index, row)).collect())
}

fn item(index: usize, row: &Value) -> Result<Item, Refused> {
    // Names that DynamoDB reserves have an F at their end.
    let text = |names: &[&str]| names.iter().find_map(|name| attribute(&row[*name]));
    let key = [&["host"][..], &["category"], &["typeF", "type"], &["nameF", "name"]]
        .map(|names| text(names).unwrap_or_default());
    let name = if key.iter().all(String::is_empty) { format!("row {}", index + 1) } else { key.join(" / ") };
    let refused = |why: String| Refused { name: name.clone(), why };
    let missing =
        ["host", "category", "type", "name"].into_iter().zip(&key).find(|(_, part)| part.is_empty());
    if let Some((part, _)) = missing {
        return Err(refused(format!("it has no {part}")));
    }
    let hours = text(&["thresholdF", "threshold"]).unwrap_or_else(|| THRESHOLD_DEFAULT.to_owned());
    let threshold = hours.trim().parse::<f64>().ok().filter(|hours| *hours > 0.0 && *hours <= HOURS_MAX);
    let threshold = threshold.ok_or_else(|| {
        refused(format!("its threshold `{hours}` is no number of hours from more than 0 to {HOURS_MAX}"))
    })?;
    let saturday = match text(&["saturday"]).as_deref().map(str::trim) {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => return Err(refused(format!("its saturday is `{other}`, neither 0 nor 1"))),
    };
    Ok(Item {
        key,
        threshold: Duration::from_millis((threshold * 3_600_000.0).round() as u64),
        saturday,
        last: text(&["timestampF", "timestamp"]).unwrap_or_default(),
    })
}

/// `{"S": "…"}`, `{"N": "…"}`, a text or a number.
fn attribute(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(typed) => {
            ["S", "N"].iter().find_map(|kind| typed.get(*kind)?.as_str()).map(str::to_owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(row: Value) -> Result<Item, Refused> {
        read(&json!([row]).to_string()).expect("it is read").remove(0)
    }

    #[test]
    fn a_scan_and_a_flat_array_are_the_same() {
        let scan = json!({
            "Items": [{
                "_id": {"S": "0a"}, "host": {"S": "web1"}, "category": {"S": "backup"}, "typeF": {"S": "nightly"},
                "nameF": {"S": "db"}, "thresholdF": {"S": "1.5"}, "saturday": {"S": "1"},
                "timestampF": {"S": "2026-11-20T18:00:00.000Z"}
            }],
            "Count": 1, "ScannedCount": 1, "ConsumedCapacity": null
        });
        let flat = json!([{
            "host": "web1", "category": "backup", "type": "nightly", "name": "db", "threshold": 1.5,
            "saturday": 1, "timestamp": "2026-11-20T18:00:00.000Z"
        }]);
        let expected = Item {
            key: ["web1", "backup", "nightly", "db"].map(str::to_owned),
            threshold: Duration::from_secs(5_400),
            saturday: true,
            last: "2026-11-20T18:00:00.000Z".to_owned(),
        };
        for document in [scan, flat] {
            assert_eq!(read(&document.to_string()), Ok(vec![Ok(expected.clone())]));
        }
    }

    #[test]
    fn what_a_row_lacks() {
        let row = |more: Value| {
            let mut row = json!({"host": "h", "category": "c", "type": "t", "name": "n"});
            for (key, value) in more.as_object().expect("an object") {
                row[key] = value.clone();
            }
            one(row)
        };
        let usual = row(json!({})).expect("a row");
        assert_eq!((usual.threshold, usual.saturday), (Duration::from_secs(86_400), false));
        for (more, why) in [
            (json!({"host": ""}), "it has no host"),
            (json!({"name": null}), "it has no name"),
            (json!({"thresholdF": ""}), "its threshold ``"),
            (json!({"thresholdF": "a day"}), "its threshold `a day`"),
            (json!({"thresholdF": "0"}), "its threshold `0`"),
            (json!({"thresholdF": "NaN"}), "its threshold `NaN`"),
            (json!({"thresholdF": "9000"}), "its threshold `9000`"),
            (json!({"saturday": "2"}), "its saturday is `2`"),
        ] {
            let refused = row(more.clone()).expect_err("it is refused");
            assert!(refused.why.starts_with(why), "{more}: {}", refused.why);
        }
        assert_eq!(one(json!({})).expect_err("nothing is there").name, "row 1");
    }

    #[test]
    fn half_a_table_is_none() {
        for (document, says) in [
            (json!({"Items": [], "LastEvaluatedKey": {"_id": {"S": "0a"}}}).to_string(), "ends before"),
            (json!({"Items": [], "NextToken": "x"}).to_string(), "ends before"),
            ("{".to_owned(), "not JSON"),
            ("{}".to_owned(), "no Items"),
            ("7".to_owned(), "neither"),
        ] {
            let sentence = read(&document).expect_err("it is refused");
            assert!(sentence.contains(says), "{document}: {sentence}");
        }
    }
}
