//! What waits, as far as the service says: its numbers are approximate, and of messages.

use super::SqsQueue;
use crate::broker::estimate::Counts;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use bw_domain::port::queue::{Depth, QueueError};

impl SqsQueue {
    /// Asks the service at most once a second.
    pub(super) async fn what_waits(&self) -> Result<Depth, QueueError> {
        if let Some(depth) = self.estimate.fresh(self.options.clock.monotonic()) {
            return Ok(depth);
        }
        let none = async { Ok((0, 0)) };
        let (now, planned) = match &self.urls.now {
            Some(now) => futures_util::join!(self.count(now), self.count(&self.urls.planned)),
            None => futures_util::join!(none, self.count(&self.urls.planned)),
        };
        let ((now, now_leased), (planned, planned_leased)) = (now?, planned?);
        let oldest = *self.oldest.lock().expect("no one panics while holding an age");
        let counts = Counts { now, planned, leased: now_leased + planned_leased, oldest };
        Ok(self.estimate.heard(counts, self.options.clock.monotonic()))
    }

    /// Waiting and leased messages.
    async fn count(&self, url: &str) -> Result<(u64, u64), QueueError> {
        let (waiting, leased) =
            (Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible);
        let call = self.client.get_queue_attributes().queue_url(url);
        let call = call.attribute_names(waiting.clone()).attribute_names(leased.clone());
        let answer = call.send().await.map_err(|error| self.failed(error))?;
        let found = answer.attributes.unwrap_or_default();
        let number = |name: &Name| found.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Ok((number(&waiting), number(&leased)))
    }
}
