//! Publishing: messages of up to 500 jobs as text, ten of them or a quarter of a megabyte in one request.

use super::{AT_ONCE, BATCH, SqsQueue, seconds};
use crate::broker::batch;
use crate::broker::envelope::{Envelope, MAX_JOBS};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bw_domain::job::Job;
use bw_domain::port::queue::{Lane, QueueError};
use bw_domain::time::Duration;
use futures_util::stream::{self, StreamExt};

/// Bytes of one request, by the service, with room for what is around the messages.
const REQUEST: usize = 250 << 10;
/// Bytes of the longest message; the usual one has a sixth of that.
pub(super) const MESSAGE: usize = 64 << 10;
/// The longest delay, by the service. Who receives it then is early, and its job says when it begins.
const DELAY: Duration = Duration::from_secs(900);

impl SqsQueue {
    pub(super) async fn publish_jobs(&self, lane: Lane, jobs: Vec<Job>) -> Result<(), QueueError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let (lane, count) = (self.lane(lane), jobs.len());
        self.what_waits().await?;
        self.estimate.admit(lane, count, self.bound)?;
        self.send(lane, batch::messages(jobs, MAX_JOBS), Duration::ZERO).await?;
        self.estimate.published(lane, count);
        Ok(())
    }

    /// All of them, or an error: then some may be there, and the next attempt repeats them.
    pub(super) async fn send(
        &self,
        lane: Lane,
        messages: Vec<Vec<Job>>,
        after: Duration,
    ) -> Result<(), QueueError> {
        let installation = self.options.installation;
        let bodies = messages.into_iter().map(|jobs| {
            self.estimate.passed(jobs.len());
            STANDARD.encode(Envelope { installation, not_before: None, jobs }.encode())
        });
        let delay = seconds(after.min(DELAY));
        let requests = requests(bodies).into_iter();
        let calls: Vec<_> = requests.map(|bodies| self.send_batch(lane, bodies, delay)).collect();
        let answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    async fn send_batch(&self, lane: Lane, bodies: Vec<String>, delay: i32) -> Result<(), QueueError> {
        let mut call = self.client.send_message_batch().queue_url(self.url(lane));
        for (id, body) in bodies.into_iter().enumerate() {
            // Said with each message, so that a delay of the queue's own does not count.
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(body);
            call = call.entries(entry.delay_seconds(delay).build().map_err(|error| self.failed(error))?);
        }
        let answer = call.send().await.map_err(|error| self.failed(error))?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                let (code, text) = (failed.code(), failed.message().unwrap_or_default());
                Err(self.away(format_args!("a part of the request failed: {code} {text}")))
            }
        }
    }
}

/// Messages put together into requests.
fn requests(bodies: impl Iterator<Item = String>) -> Vec<Vec<String>> {
    let mut requests: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        match requests.last_mut() {
            Some(last) if last.len() < BATCH && bytes + body.len() <= REQUEST => {
                bytes += body.len();
                last.push(body);
            }
            _ => {
                bytes = body.len();
                requests.push(vec![body]);
            }
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_bounded_by_count_and_by_bytes() {
        let sizes = |sizes: &[usize]| {
            let requests = requests(sizes.iter().map(|size| "x".repeat(*size)));
            requests.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[100 << 10, 100 << 10, 51 << 10, 1]), [2, 2]);
        assert_eq!(sizes(&[MESSAGE; 5]), [3, 2]);
        assert!(sizes(&[]).is_empty());
    }
}
