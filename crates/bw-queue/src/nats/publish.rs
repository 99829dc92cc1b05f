//! Publishing: jobs that begin together go into one message, the messages of a call are on their way together, and
//! the call ends when the broker has them all on its disk.
//!
//! A planned message carries an id from its content, so that a repeated publication is dropped. An urgent one does
//! not: it is published again exactly because its first receiver may have died with it.

use super::NatsQueue;
use crate::broker::batch;
use crate::broker::envelope::Envelope;
use async_nats::HeaderMap;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{Error as JetStreamError, ErrorCode};
use bw_domain::job::Job;
use bw_domain::port::queue::{Lane, QueueError};
use bw_domain::time::Instant;
use futures_util::future::join_all;
use std::error::Error as _;
use std::sync::atomic::Ordering::SeqCst;

/// Messages on their way at once.
const WINDOW: usize = 1_000;

/// What else a message says, for jobs that were given back.
#[derive(Clone, Copy, Default)]
pub(super) struct Origin<'a> {
    pub not_before: Option<Instant>,
    /// The message from which they came.
    pub origin: Option<&'a [u8]>,
}

impl NatsQueue {
    pub(super) async fn publish_jobs(&self, lane: Lane, jobs: Vec<Job>) -> Result<(), QueueError> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.present().await?;
        self.what_waits().await?;
        let count = jobs.len();
        self.estimate.admit(lane, count, self.bound)?;
        self.send(lane, batch::messages(jobs, self.options.max_jobs), Origin::default()).await?;
        self.estimate.published(lane, count);
        Ok(())
    }

    /// All of them, or an error: then some may be there, and the next attempt repeats them.
    pub(super) async fn send(
        &self,
        lane: Lane,
        messages: Vec<Vec<Job>>,
        origin: Origin<'_>,
    ) -> Result<(), QueueError> {
        self.line.up().map_err(|why| self.away(why))?;
        let subject = self.subject(lane);
        let mut messages = messages.into_iter();
        loop {
            let mut sent = Vec::new();
            for jobs in messages.by_ref().take(WINDOW) {
                self.estimate.passed(jobs.len());
                let (installation, not_before) = (self.options.installation, origin.not_before);
                let bytes = Envelope { installation, not_before, jobs }.encode();
                let headers = self.headers(lane, &bytes, origin.origin);
                let going = self.context.publish_with_headers(subject.clone(), headers, bytes.into()).await;
                sent.push(going.map_err(|error| self.refused(lane, &error))?);
            }
            if sent.is_empty() {
                return Ok(());
            }
            for answer in join_all(sent.into_iter().map(std::future::IntoFuture::into_future)).await {
                answer.map_err(|error| self.refused(lane, &error))?;
            }
        }
    }

    fn headers(&self, lane: Lane, bytes: &[u8], origin: Option<&[u8]>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if lane == Lane::Planned {
            let mut id = blake3::Hasher::new();
            id.update(bytes).update(origin.unwrap_or_default());
            headers.insert(async_nats::header::NATS_MESSAGE_ID, id.finalize().to_hex().as_str());
        }
        headers
    }

    fn refused(&self, lane: Lane, error: &PublishError) -> QueueError {
        if is_full(error) {
            return QueueError::Full(self.estimate.waiting(lane));
        }
        if error.kind() == PublishErrorKind::StreamNotFound {
            self.absent.store(true, SeqCst);
        }
        self.away(error)
    }
}

/// The broker's own limits: of the stream, of the account, or of its disk.
fn is_full(error: &PublishError) -> bool {
    let Some(cause) = error.source().and_then(|cause| cause.downcast_ref::<JetStreamError>()) else {
        return false;
    };
    let code = cause.error_code();
    let resources = [
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
    ];
    resources.contains(&code) || cause.to_string().contains("exceeded")
}
