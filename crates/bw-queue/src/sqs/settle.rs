//! What becomes of received messages: deleted, or hidden for another time. Ten of one queue a request, several
//! requests at once.

use super::{AT_ONCE, BATCH, SqsQueue, seconds};
use crate::broker::ledger::Held;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};
use bw_domain::port::queue::{Lane, QueueError};
use bw_domain::time::Duration;
use futures_util::stream::{self, StreamExt};

impl SqsQueue {
    /// Deletes messages.
    pub(super) async fn delete(&self, held: Vec<Held>) -> Result<(), QueueError> {
        let calls: Vec<_> =
            parts(&held).into_iter().map(|(lane, part)| self.delete_part(lane, part)).collect();
        all(calls).await
    }

    /// From now on they are ours, or nobody's, for so long.
    pub(super) async fn hide(&self, held: Vec<Held>, time: Duration) -> Result<(), QueueError> {
        let time = seconds(time);
        let calls: Vec<_> =
            parts(&held).into_iter().map(|(lane, part)| self.hide_part(lane, part, time)).collect();
        all(calls).await
    }

    async fn delete_part(&self, lane: Lane, part: Vec<Held>) -> Result<(), QueueError> {
        let mut call = self.client.delete_message_batch().queue_url(self.url(lane));
        for (id, held) in part.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
            let entry = entry.receipt_handle(&*held.handle).build();
            call = call.entries(entry.map_err(|error| self.failed(error))?);
        }
        let answer = call.send().await.map_err(|error| self.failed(error))?;
        self.all_taken(answer.failed())
    }

    async fn hide_part(&self, lane: Lane, part: Vec<Held>, time: i32) -> Result<(), QueueError> {
        let mut call = self.client.change_message_visibility_batch().queue_url(self.url(lane));
        for (id, held) in part.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id.to_string());
            let entry = entry.receipt_handle(&*held.handle).visibility_timeout(time).build();
            call = call.entries(entry.map_err(|error| self.failed(error))?);
        }
        let answer = call.send().await.map_err(|error| self.failed(error))?;
        self.all_taken(answer.failed())
    }

    /// A handle that no longer counts is no trouble: the message is done, or somebody else's by now.
    fn all_taken(&self, failed: &[BatchResultErrorEntry]) -> Result<(), QueueError> {
        for failed in failed {
            if !failed.sender_fault {
                let code = failed.code();
                return Err(self.away(format_args!("a part of the request failed: {code}")));
            }
            tracing::debug!("a message is no longer ours: {}", failed.code());
        }
        Ok(())
    }
}

fn parts(held: &[Held]) -> Vec<(Lane, Vec<Held>)> {
    let of = |lane| held.iter().filter(|held| held.lane() == lane).cloned().collect::<Vec<_>>();
    let lanes = [Lane::Now, Lane::Planned].map(|lane| (lane, of(lane)));
    lanes.iter().flat_map(|(lane, held)| held.chunks(BATCH).map(|part| (*lane, part.to_vec()))).collect()
}

async fn all(calls: Vec<impl Future<Output = Result<(), QueueError>>>) -> Result<(), QueueError> {
    let answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
    answers.into_iter().collect()
}
