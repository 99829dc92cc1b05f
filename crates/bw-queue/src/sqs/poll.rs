//! A request to receive, which may outlive the call that made it: the service may have counted messages as given
//! while we gave up, and then they would be nobody's until their lease ends. So a request stands until its answer
//! comes, whoever waits for it.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Config;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::receive_message::{ReceiveMessageError, ReceiveMessageOutput};
use aws_sdk_sqs::types::MessageSystemAttributeName as Attribute;
use bw_domain::port::queue::Lane;
use bw_domain::time::Duration;
use std::pin::Pin;
use std::task::{self, Context};

/// Beyond its own waiting a request takes no longer.
const MARGIN: Duration = Duration::from_secs(5);

pub(super) type Answer = Result<ReceiveMessageOutput, Box<SdkError<ReceiveMessageError>>>;

/// What to ask for.
pub(super) struct Ask<'a> {
    pub url: &'a str,
    pub messages: i32,
    /// Seconds that the service waits for a first message.
    pub wait: i32,
    /// Seconds.
    pub lease: i32,
    pub now: Duration,
}

pub(super) struct Poll {
    pub lane: Lane,
    call: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    /// When it was last seen without an answer.
    seen: Duration,
}

impl Poll {
    pub fn new(lane: Lane) -> Self {
        Poll { lane, call: None, seen: Duration::ZERO }
    }

    pub fn is_open(&self) -> bool {
        self.call.is_some()
    }

    /// Begins a request.
    pub fn ask(&mut self, client: &Client, ask: &Ask<'_>) {
        let limit = Duration::from_secs(ask.wait.unsigned_abs().into()) + MARGIN;
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(limit).operation_timeout(limit);
        let call = client
            .receive_message()
            .queue_url(ask.url)
            .max_number_of_messages(ask.messages)
            .wait_time_seconds(ask.wait)
            .visibility_timeout(ask.lease)
            .message_system_attribute_names(Attribute::ApproximateReceiveCount)
            .message_system_attribute_names(Attribute::SentTimestamp)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts.build()));
        self.seen = ask.now;
        self.call = Some(Box::pin(async move { call.send().await.map_err(Box::new) }));
    }

    /// The answer, and since when at the earliest its messages are ours. `waited`: this call has seen that there was
    /// none.
    pub fn poll(
        &mut self,
        context: &mut Context<'_>,
        now: Duration,
        waited: bool,
    ) -> Option<(Answer, Duration)> {
        match self.call.as_mut()?.as_mut().poll(context) {
            task::Poll::Pending => {
                self.seen = now;
                None
            }
            task::Poll::Ready(answer) => {
                self.call = None;
                Some((answer, if waited { now } else { self.seen }))
            }
        }
    }
}
