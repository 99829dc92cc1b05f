//! What waits: the consumers' numbers, and the age of the first message that a consumer has not yet given out.

use super::{ANSWER, NatsQueue, word};
use crate::broker::estimate::Counts;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{Info, PullConsumer};
use async_nats::jetstream::stream::ConsumerErrorKind;
use bw_domain::port::queue::{Depth, Lane, QueueError};
use bw_domain::time::{Duration, Instant};
use std::sync::atomic::Ordering::SeqCst;

/// Somebody removed the stream or the consumer.
fn is_missing(error: &ConsumerErrorKind) -> bool {
    let missing = [ErrorCode::CONSUMER_NOT_FOUND, ErrorCode::STREAM_NOT_FOUND];
    matches!(error, ConsumerErrorKind::JetStream(error) if missing.contains(&error.error_code()))
}

impl NatsQueue {
    /// Asks the broker at most once a second.
    pub(super) async fn what_waits(&self) -> Result<Depth, QueueError> {
        if let Some(depth) = self.estimate.fresh(self.options.clock.monotonic()) {
            return Ok(depth);
        }
        self.line.up().map_err(|why| self.away(why))?;
        let counts = tokio::time::timeout(ANSWER, self.counts()).await;
        let counts = counts.map_err(|_| self.away("it does not answer"))??;
        Ok(self.estimate.heard(counts, self.options.clock.monotonic()))
    }

    async fn counts(&self) -> Result<Counts, QueueError> {
        let (now, planned) = futures_util::join!(self.info(Lane::Now), self.info(Lane::Planned));
        let (now, planned) = (now?, planned?);
        let mut oldest = Duration::ZERO;
        for (lane, info) in [(Lane::Now, &now), (Lane::Planned, &planned)] {
            if info.num_pending > 0 {
                oldest = oldest.max(self.age(lane, info.delivered.stream_sequence + 1).await);
            }
        }
        Ok(Counts {
            now: now.num_pending,
            planned: planned.num_pending,
            leased: (now.num_ack_pending + planned.num_ack_pending) as u64,
            oldest,
        })
    }

    pub(super) async fn info(&self, lane: Lane) -> Result<Info, QueueError> {
        let consumer = self.context.get_consumer_from_stream(word(lane), &self.options.name).await;
        let consumer: PullConsumer = consumer.map_err(|error| {
            if is_missing(&error.kind()) {
                self.absent.store(true, SeqCst);
            }
            self.away(error)
        })?;
        Ok(consumer.cached_info().clone())
    }

    /// How long ago the first message from here on was published; zero where it is already gone.
    async fn age(&self, lane: Lane, sequence: u64) -> Duration {
        let Ok(stream) = self.context.get_stream_no_info(&self.options.name).await else {
            return Duration::ZERO;
        };
        let first = stream.raw_message_builder().sequence(sequence).next_by_subject(self.subject(lane));
        match first.send().await {
            Ok(message) => {
                let ms = message.time.unix_timestamp_nanos() / 1_000_000;
                self.options.clock.now().since(Instant::from_ms(ms as i64))
            }
            Err(error) => {
                tracing::debug!("the age of the oldest job is not known: {error}");
                Duration::ZERO
            }
        }
    }
}
