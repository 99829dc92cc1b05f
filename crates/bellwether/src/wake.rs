//! Wake-ups within one process. Each topic has one listener, so one permit is enough: a notice that comes while the
//! listener works is there when it waits again.

use bw_domain::port::Fut;
use bw_domain::port::wake::{Topic, Wake};
use tokio::sync::Notify;

/// One permit a topic.
#[derive(Debug, Default)]
pub struct ProcessWake {
    topics: [Notify; Topic::ALL.len()],
}

impl Wake for ProcessWake {
    fn notify(&self, topic: Topic) {
        self.topics[topic as usize].notify_one();
    }

    fn wait(&self, topic: Topic) -> Fut<'_, ()> {
        Box::pin(self.topics[topic as usize].notified())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_notice_before_the_wait_is_not_lost_and_counts_once() {
        let wake = ProcessWake::default();
        wake.notify(Topic::Deliveries);
        wake.notify(Topic::Deliveries);
        wake.wait(Topic::Deliveries).await;
        let again = tokio::time::timeout(Duration::from_millis(5), wake.wait(Topic::Deliveries));
        assert!(again.await.is_err(), "two notices before one look are one");
        let other = tokio::time::timeout(Duration::from_millis(5), wake.wait(Topic::Catalog));
        assert!(other.await.is_err(), "topics do not wake each other");
    }
}
