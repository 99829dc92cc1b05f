//! What can be wrong with a database, and what is said of it: what, where, what to do, and never the password.

use super::database::{Database, database, options};
use bw_domain::secret::Secret;
use bw_store::SealKey;
use bw_store::postgres::{self, OpenError, Options, SCHEMA};
use bw_testkit::builders::START;
use bw_testkit::clock::ManualClock;
use bw_testkit::postgres::PASSWORD;
use std::sync::Arc;

async fn refusal(options: Options) -> (OpenError, String) {
    let error = postgres::open(options).await.err().expect("it must not open");
    let sentence = error.to_string();
    assert!(!sentence.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD), "{error:?}");
    (error, sentence)
}

fn at(url: &str) -> Options {
    options(url, &Arc::new(ManualClock::new(START)))
}

#[tokio::test]
async fn an_address_that_leads_nowhere() {
    let database = database!();
    for (url, part) in [
        ("mysql://h/d", "begins with postgres://"),
        ("postgres://h:none/d", "port"),
        ("postgres:///d", "no host"),
        ("postgres://h/d?sslmode=allow", "sslmode is disable, prefer, require"),
    ] {
        let (error, sentence) = refusal(at(url)).await;
        assert!(matches!(error, OpenError::Url(_)) && sentence.contains(part), "{sentence}");
    }
    let port = database.server.port();
    let url = |change: (&str, &str)| database.url().replace(change.0, change.1);
    // A port where nobody listens: the server has this one, and it has no neighbour that was free a moment ago.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("this machine has a loopback");
    let nobody = free.local_addr().expect("it is bound").port().to_string();
    drop(free);
    let (error, sentence) = refusal(at(&url((&port.to_string(), &nobody)))).await;
    let place = format!("127.0.0.1:{nobody}/{}", database.name);
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(sentence.contains(&place) && sentence.contains("refused"), "{sentence}");

    let (error, sentence) = refusal(at(&url((PASSWORD, "wrong-pass")))).await;
    assert!(matches!(error, OpenError::Refused { .. }) && !sentence.contains("wrong-pass"), "{sentence}");
    assert!(sentence.contains("bellwether") && sentence.contains("password"), "{sentence}");

    let (error, sentence) = refusal(at(&url((&database.name, "nowhere")))).await;
    assert!(matches!(error, OpenError::NoDatabase { .. }) && sentence.contains("db-init"), "{sentence}");
}

#[tokio::test]
async fn a_database_is_prepared_once() {
    let Some(database) = Database::empty() else { return };
    let (error, sentence) = refusal(database.options()).await;
    assert!(matches!(error, OpenError::NotPrepared { .. }), "{error:?}");
    assert!(sentence.contains("run `bellwether db-init` first"), "{sentence}");
    // Two at once, and once more: one makes it.
    let options = database.options();
    let (one, two) = tokio::join!(postgres::prepare(&options), postgres::prepare(&options));
    let applied = [one, two].map(|prepared| prepared.expect("the database is ours").applied.len());
    assert_eq!(applied.iter().sum::<usize>(), SCHEMA as usize);
    let again = postgres::prepare(&options).await.expect("the database is ours");
    assert_eq!((again.schema, again.applied.len()), (SCHEMA, 0));
    let before = database.open().await.expect("it is prepared").report;
    assert_eq!(before.first_start, START);
    assert_eq!(database.open().await.expect("it is prepared").report, before);
}

#[tokio::test]
async fn another_schema_is_left_alone() {
    let database = database!();
    database.sql("INSERT INTO migrations (number, name, digest) VALUES (99, 'later', '')");
    let (error, sentence) = refusal(database.options()).await;
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }) && sentence.contains("schema 99"),
        "{sentence}"
    );
    let prepared = postgres::prepare(&database.options()).await;
    assert!(matches!(prepared, Err(OpenError::Newer { .. })), "db-init refuses it too: {prepared:?}");
    database.sql("DELETE FROM migrations WHERE number = 99; UPDATE migrations SET digest = ''");
    let (_, sentence) = refusal(database.options()).await;
    assert!(sentence.contains("its migration 1 is not ours"), "{sentence}");

    let Some(occupied) = Database::empty() else { return };
    occupied.sql("CREATE TABLE monitors (id integer)");
    let error = postgres::prepare(&occupied.options()).await.expect_err("it is another's");
    assert!(error.to_string().contains("tables of another program"), "{error}");
    assert_eq!(
        occupied.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'revisions'"),
        "0",
        "all or nothing"
    );
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let database = database!();
    let wrong = || Options { key: SealKey::new([8; 32]), ..database.options() };
    let (error, sentence) = refusal(wrong()).await;
    assert!(matches!(error, OpenError::WrongKey { .. }), "{error:?}");
    assert!(sentence.contains("secret key does not fit") && sentence.contains(&database.name), "{sentence}");
    assert!(matches!(postgres::prepare(&wrong()).await, Err(OpenError::WrongKey { .. })));
    assert!(database.open().await.is_ok(), "the right one still does");
}

#[tokio::test]
async fn a_user_who_may_not() {
    let Some(database) = Database::empty() else { return };
    let name = format!("guest_{}", database.name);
    database.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'guest'"));
    let mut options = database.options();
    let url = database.url().replace(&format!("bellwether:{PASSWORD}"), &format!("{name}:guest"));
    options.url = Secret::new(url);
    let error = postgres::prepare(&options).await.expect_err("it may not make tables");
    assert!(matches!(error, OpenError::Permission { .. }), "{error:?}");
    assert!(error.to_string().contains("let its owner run"), "{error}");
    // Once the owner has prepared it, who may not read it is told the same.
    postgres::prepare(&database.options()).await.expect("the database is ours");
    let (error, _) = refusal(options).await;
    assert!(matches!(error, OpenError::Permission { .. }), "{error:?}");
}
