//! What cannot work is refused at the start, with the sentence that says what to do.

use crate::fleet::Fleet;
use crate::installation::Installation;
use bw_testkit::{nats, postgres};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_or_broker_that_cannot_be_used() {
    let postgres = postgres::Server::start().expect("PostgreSQL starts");
    let nats = nats::Server::start().await;
    let empty = postgres.url(&postgres.create_database());
    let (_, place) = empty.split_once('@').expect("an address with a user");
    let wrong = format!("postgres://nobody:s3cret@{place}");
    let elsewhere = "postgres://bw:s3cret@127.0.0.1:1/bw";
    let installation = Installation::new().variable("NATS_URL", &nats.url());
    for (url, says) in [
        (empty.as_str(), "bellwether db-init"),
        (elsewhere, "no connection to the database 127.0.0.1:1/bw"),
        (wrong.as_str(), "does not let nobody in"),
    ] {
        let key = ("BELLWETHER_SECRET_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let refused = installation.ended("worker", &[("DATABASE_URL", url), key]).await;
        assert_eq!(refused.status, Some(1), "{url}: {refused:?}");
        assert!(refused.stderr.contains(says) && !refused.stderr.contains("s3cret"), "{url}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_installations_on_one_broker() {
    let (one, other) = (Fleet::with_nats().await, Fleet::with_nats().await);
    let worker = one.start("worker").await;
    let crate::fleet::Broker::Nats(nats) = &one.broker else { unreachable!("it was started so") };
    let refused = other.installation.ended("worker", &[("NATS_URL", &nats.url())]).await;
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("belongs to the installation"), "{refused:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_than_the_database_was_prepared_with() {
    let fleet = Fleet::with_nats().await;
    let key = ("BELLWETHER_SECRET_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let refused = fleet.installation.ended("api", &[key]).await;
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("the secret key does not fit"), "{refused:?}");
}
