//! Every statement is prepared by the server on a fresh schema: those of the sources, so that none can be forgotten, and
//! those of every schema before this one, because a node of the release before runs while the schema is already new.

use super::database::{connection, database};
use crate::statements;
use bw_store::postgres::SCHEMA;
use std::fs;
use std::path::Path;

/// What is sent as text, with names in it that are made at run time.
const TEXT_ONLY: &str = "{name}";
/// Between the statements of a level.
const BETWEEN: &str = "\n;\n";

/// The statements of the sources, each once.
fn present() -> Vec<String> {
    let statements = statements::of("src/postgres").into_iter().map(|(_, sql)| sql);
    let mut statements: Vec<String> = statements.filter(|sql| !sql.contains(TEXT_ONLY)).collect();
    statements.sort_unstable();
    statements.dedup();
    statements
}

/// Kept for the day when there is a newer schema: from then on this file does not change any more.
#[test]
fn the_statements_of_this_schema_are_written_down() {
    insta::assert_snapshot!(format!("level_{SCHEMA}"), present().join(BETWEEN));
}

#[tokio::test]
async fn every_statement_is_prepared() {
    let database = database!();
    let client = connection(&database.url()).await;
    let present = present();
    assert!(present.len() > 75, "only {} statements were found", present.len());
    for sql in &present {
        if let Err(error) = client.prepare(sql).await {
            panic!("{error:?}\n{sql}");
        }
    }
    for level in 1..=SCHEMA {
        let file = format!("tests/it/postgres/snapshots/it__postgres__statements__level_{level}.snap");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(&file).expect("each level is written down");
        let (_, statements) =
            text.trim_start_matches("---").split_once("---\n").expect("a snapshot has a head");
        for sql in statements.split(BETWEEN) {
            if let Err(error) = client.prepare(sql).await {
                panic!("a node of schema {level} could not run on schema {SCHEMA}: {error:?}\n{sql}");
            }
        }
    }
}
