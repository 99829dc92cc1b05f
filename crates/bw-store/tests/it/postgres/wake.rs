//! Wake-ups reach the other nodes, and after a lost connection nobody is asleep.

use super::database::database;
use bw_domain::port::wake::{Topic, Wake};
use bw_store::postgres::PgWake;
use std::time::Duration;

async fn woken(wake: &PgWake, topic: Topic) -> bool {
    tokio::time::timeout(Duration::from_secs(10), wake.wait(topic)).await.is_ok()
}

/// When it begins to listen every topic is woken.
async fn listening(wake: &PgWake) {
    let local = [Topic::Jobs, Topic::Outcomes, Topic::Beats];
    for topic in [Topic::Catalog, Topic::Timers, Topic::Events, Topic::Deliveries].into_iter().chain(local) {
        assert!(woken(wake, topic).await, "{topic:?}");
    }
}

#[tokio::test]
async fn the_other_nodes_are_woken() {
    let database = database!();
    let (one, two) =
        (database.open().await.expect("it is prepared"), database.open().await.expect("it is prepared"));
    listening(&one.wake).await;
    listening(&two.wake).await;
    for topic in [Topic::Catalog, Topic::Timers, Topic::Events, Topic::Deliveries] {
        one.wake.notify(topic);
        assert!(woken(&one.wake, topic).await, "itself at once");
        assert!(woken(&two.wake, topic).await, "{topic:?}");
    }
    // Of these no other node wants to hear: the notice of another topic is there first.
    one.wake.notify(Topic::Outcomes);
    one.wake.notify(Topic::Jobs);
    one.wake.notify(Topic::Beats);
    one.wake.notify(Topic::Events);
    assert!(woken(&two.wake, Topic::Events).await);
    for topic in [Topic::Outcomes, Topic::Jobs, Topic::Beats] {
        let heard = tokio::time::timeout(Duration::from_millis(1), two.wake.wait(topic)).await;
        assert!(heard.is_err(), "{topic:?}");
    }
    database.server.terminate(&database.name);
    listening(&two.wake).await;
    listening(&one.wake).await;
    two.wake.notify(Topic::Catalog);
    assert!(woken(&one.wake, Topic::Catalog).await, "the connection is there again");
    one.handle.close().await;
    two.handle.close().await;
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..500 {
        if database.sql(left) == "0" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("connections are left after the end");
}
