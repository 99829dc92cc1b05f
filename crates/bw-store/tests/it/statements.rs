//! Every statement is prepared, on both databases. They are taken from the sources, so none can be forgotten.

use crate::directory::{FILES, open, temporary};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// The beginnings by which a text in a source is known as SQL.
const VERBS: [&str; 6] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "PRAGMA "];

#[tokio::test]
async fn every_statement_is_prepared() {
    let directory = temporary();
    let opened = open(directory.path()).expect("it opens");
    opened.handle.close().await.expect("it was open");
    let conn = Connection::open(directory.path().join(FILES[0])).expect("it is a database");
    conn.execute_batch(
        "CREATE TABLE outcomes_1 (id INTEGER PRIMARY KEY, monitor, seq, back, effect, vantage, try, slot,
        at, revision, result, status, latency, phases, evidence);
        CREATE TABLE beats_1 (id INTEGER PRIMARY KEY, monitor, number, back, leap, at, track, beat, body)",
    )
    .expect("there is room");

    let mut prepared = 0;
    for (file, text) in of("src/sqlite") {
        for sql in filled(&text).split(';').filter(|sql| !sql.trim().is_empty()) {
            if let Err(error) = conn.prepare(sql) {
                panic!("{file}: {error}\n{sql}");
            }
        }
        prepared += 1;
    }
    assert!(prepared > 80, "only {prepared} statements were found");
}

/// Every statement of a folder, with its file.
pub fn of(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in fs::read_dir(sources).expect("the sources are here") {
        let path = entry.expect("the sources are here").path();
        let source = fs::read_to_string(&path).expect("a source is text");
        let statements = texts(&source).into_iter();
        let statements = statements.filter(|text| VERBS.iter().any(|verb| text.starts_with(verb)));
        found.extend(statements.map(|text| (path.display().to_string(), text)));
    }
    found
}

/// The texts of a source, without the breaks that the compiler takes out.
fn texts(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let code =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rest = code.as_str();
    while let Some(begin) = rest.find('"') {
        rest = &rest[begin + 1..];
        let mut text = String::new();
        let mut characters = rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    rest = &rest[at + 1..];
                    break;
                }
                '\\' => text.extend(characters.next().map(|(_, next)| if next == '\n' { ' ' } else { next })),
                other => text.push(other),
            }
        }
        texts.push(text);
    }
    texts
}

/// What is put in at run time, in one of its forms.
fn filled(text: &str) -> String {
    let forms = [
        ("{period}", "1"),
        ("{day}", "1"),
        ("{BEAT}", "*"),
        ("{table}", "outcomes_1"),
        ("{STEP}", "10"),
        ("{mode}", "PASSIVE"),
        ("{wanted}", "r.change > ?1 AND ?2 IS NOT NULL"),
        ("{of}", "monitor = ?1 AND ?2 IS NULL"),
        ("{monitor}", "monitor = ?1"),
        ("{open}", "AND closed_at IS NULL"),
        ("({HEADS})", "deliveries"),
        ("{REVISION}", "r.*, m.*"),
        ("{EVIDENCE}", "*"),
        ("{COLUMNS}, e.document", "d.*, e.document"),
        ("{COLUMNS}", "*"),
        ("SELECT {}, ", "SELECT "),
        ("{}", "1"),
    ];
    forms.iter().fold(text.to_owned(), |sql, (hole, form)| sql.replace(hole, form))
}
