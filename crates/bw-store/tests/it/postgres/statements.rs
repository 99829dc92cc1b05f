//! Every statement is prepared by the server on a fresh schema.

use super::database::database;
use crate::statements;
use tokio_postgres::NoTls;

/// What is sent as text, with names in it that are made at run time.
const TEXT_ONLY: [&str; 1] = ["{name}"];

#[tokio::test]
async fn every_statement_is_prepared() {
    let database = database!();
    let (client, connection) =
        tokio_postgres::connect(&database.url(), NoTls).await.expect("the server is there");
    let mut connection = Box::pin(connection);
    let work = async {
        let mut prepared = 0;
        for (file, sql) in statements::of("src/postgres") {
            if TEXT_ONLY.iter().any(|hole| sql.contains(hole)) {
                continue;
            }
            if let Err(error) = client.prepare(&sql).await {
                panic!("{file}: {error:?}\n{sql}");
            }
            prepared += 1;
        }
        assert!(prepared > 75, "only {prepared} statements were found");
    };
    tokio::select! {
        () = work => {}
        ended = &mut connection => panic!("the connection ended: {ended:?}"),
    }
}
