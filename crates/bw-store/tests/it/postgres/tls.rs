//! TLS as `sslmode` says.

use super::database::{options, own_server};
use bw_domain::secret::Secret;
use bw_store::postgres::{self, OpenError, Options, Prepared};
use bw_testkit::builders::START;
use bw_testkit::clock::ManualClock;
use bw_testkit::postgres::Server;
use bw_testkit::server::Authority;
use std::sync::Arc;

async fn prepare(
    server: &Server,
    host: &str,
    query: &str,
    roots: Option<&std::path::Path>,
) -> Result<Prepared, OpenError> {
    let url = server.url("bellwether").replace("127.0.0.1", host).replace("sslmode=disable", query);
    let clock = Arc::new(ManualClock::new(START));
    let options = options(&url, &clock);
    postgres::prepare(&Options { url: Secret::new(url), roots: roots.map(Into::into), ..options }).await
}

#[tokio::test]
async fn a_certificate_counts_as_far_as_it_is_asked_to() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let leaf = ours.leaf(&["db.test", "localhost"]);
    let [chain, key] = leaf.pem();
    let settings = ["ssl=on", "ssl_cert_file=../server.pem", "ssl_key_file=../server.key"];
    let Some(server) = own_server(&settings, &[("server.pem", chain), ("server.key", key)]) else { return };
    let (ours, other) = (ours.pem_file(), other.pem_file());
    let encrypted = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE s.ssl";
    assert_eq!(server.sql("bellwether", encrypted), "0");
    let good = |prepared: Result<Prepared, OpenError>| prepared.expect("the server is trusted enough");
    for query in ["", "sslmode=disable", "sslmode=prefer", "sslmode=require"] {
        good(prepare(&server, "127.0.0.1", query, Some(other.path())).await);
    }
    let named =
        |roots: &std::path::Path, mode: &str| format!("sslmode={mode}&sslrootcert={}", roots.display());
    // The address of the server is no name of its certificate.
    good(prepare(&server, "127.0.0.1", &named(ours.path(), "require"), None).await);
    good(prepare(&server, "127.0.0.1", "sslmode=verify-ca", Some(ours.path())).await);
    good(prepare(&server, "localhost", "sslmode=verify-full", Some(ours.path())).await);
    for (host, query, roots) in [
        ("127.0.0.1", &*named(other.path(), "require"), None),
        ("127.0.0.1", &*named(other.path(), "verify-ca"), None),
        ("127.0.0.1", "sslmode=verify-full", Some(ours.path())),
        ("localhost", "sslmode=verify-full", Some(other.path())),
        ("localhost", "sslmode=verify-full", None),
    ] {
        let error = prepare(&server, host, query, roots).await.expect_err("it must not be trusted");
        assert!(matches!(error, OpenError::Tls(_)), "{host} {query}: {error:?}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }

    // What is asked for is what is done: with the store open its connections are encrypted.
    let clock = Arc::new(ManualClock::new(START));
    let url = server.url("bellwether").replace("sslmode=disable", "sslmode=require");
    let opened = postgres::open_at(options(&url, &clock), clock).await.expect("it is prepared");
    opened.store.timers.next().await.expect("the store is there");
    assert_ne!(server.sql("bellwether", encrypted), "0");
    opened.handle.close().await;

    // A server without TLS takes nothing that asks for it.
    let Some(plain) = super::database::server() else { return };
    assert!(prepare(plain, "127.0.0.1", "sslmode=require", None).await.is_err());
    let prefers = plain.url("postgres").replace("sslmode=disable", "sslmode=prefer");
    let opened = postgres::open(options(&prefers, &Arc::new(ManualClock::new(START)))).await;
    assert!(matches!(opened, Err(OpenError::NotPrepared { .. })), "it goes on in the clear");
}
