//! The client and a first look at the queue: what cannot work is refused with what to do.
//!
//! Whose queue it is stands in a tag, where tags may be read and written; otherwise another installation is noticed
//! by its messages.

use super::poll::Poll;
use super::{BURY, Options, SqsQueue, publish, told};
use crate::broker::estimate::Estimate;
use crate::broker::ledger::Ledger;
use crate::broker::strangers::Ledge;
use crate::broker::{ConnectError, shown};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bw_domain::port::queue::Lane;
use bw_domain::time::Duration;
use std::collections::HashMap;
use std::sync::Mutex;

/// Belongs to this installation.
const TAG: &str = "bellwether-installation";

/// The one or two queues.
#[derive(Clone, Debug)]
pub(super) struct Urls {
    pub planned: String,
    pub now: Option<String>,
    /// Whether what cannot be read is moved away by the service.
    pub redrives: bool,
}

type Attributes = HashMap<Name, String>;

/// Credentials, region and endpoint as every AWS tool finds them.
pub(super) async fn chain(options: &Options) -> Result<SdkConfig, ConnectError> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    Ok(loader.load().await)
}

impl SqsQueue {
    /// With a configuration that was made elsewhere, and without a look at the length of the lease.
    pub(super) async fn open(
        options: Options,
        config: &SdkConfig,
        bound: usize,
    ) -> Result<Self, ConnectError> {
        let address = url::Url::parse(&options.url).ok().filter(|url| url.has_host() && url.path().len() > 1);
        let address = address.ok_or_else(|| {
            ConnectError::Address(format!(
                "`{}` is no URL of a queue: write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
                shown(&options.url)
            ))
        })?;
        let client = client(&options, config, &address)?;
        let planned = options.url.trim_end_matches('/').to_owned();
        let found = attributes(&client, &planned).await.map_err(|error| refused(&planned, &error))?;
        fits(&planned, &found)?;
        let urls = Urls {
            redrives: found.contains_key(&Name::RedrivePolicy),
            now: urgent(&client, &planned).await?,
            planned,
        };
        if !urls.redrives {
            tracing::warn!(
                "the queue {} has no redrive policy: a message that cannot be read is deleted when it has come {BURY} \
                 times; set a dead-letter queue to keep it",
                urls.planned
            );
        }
        for url in std::iter::once(&urls.planned).chain(&urls.now) {
            belongs(&client, url, options.installation).await?;
        }
        let polls = [Poll::new(Lane::Now), Poll::new(Lane::Planned)];
        Ok(SqsQueue {
            client,
            urls,
            bound,
            polls: Mutex::new(polls),
            ledger: Mutex::new(Ledger::new(options.lease)),
            ledge: Ledge::default(),
            estimate: Estimate::default(),
            oldest: Mutex::new(Duration::ZERO),
            options,
        })
    }
}

fn client(options: &Options, config: &SdkConfig, address: &url::Url) -> Result<Client, ConnectError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(4))
        .build();
    // One more attempt, for a connection that had gone stale; everything else is repeated by whoever called.
    let retries =
        RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
    let base = aws_sdk_sqs::config::Builder::from(config);
    let mut builder = base.timeout_config(timeouts).retry_config(retries);
    // The SDK asks the usual endpoint of the region, whatever the URL says: right for AWS, and for nobody else.
    let host = address.host_str().unwrap_or_default();
    let at_aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    if let Some(endpoint) = &options.endpoint {
        builder = builder.endpoint_url(endpoint);
    } else if config.endpoint_url().is_none() && !at_aws {
        builder = builder.endpoint_url(address.origin().ascii_serialization());
    }
    if config.region().is_none() {
        let region = host.strip_prefix("sqs.").and_then(|rest| rest.split_once(".amazonaws."));
        let region = region.map(|(region, _)| region.to_owned()).ok_or_else(|| {
            ConnectError::Address(format!(
                "the region of {} is not known: set AWS_REGION",
                shown(&options.url)
            ))
        })?;
        builder = builder.region(Region::new(region));
    }
    Ok(Client::from_conf(builder.build()))
}

async fn attributes(client: &Client, url: &str) -> Result<Attributes, SdkError<GetQueueAttributesError>> {
    let answer = client.get_queue_attributes().queue_url(url).attribute_names(Name::All).send().await?;
    Ok(answer.attributes.unwrap_or_default())
}

/// Why a queue cannot be looked at, as a sentence.
fn refused(url: &str, error: &SdkError<GetQueueAttributesError>) -> ConnectError {
    let why = told(error);
    let url = shown(url);
    match (error, error.code().unwrap_or_default()) {
        (SdkError::ServiceError(_), _) if is_missing(error) => ConnectError::Missing(format!(
            "there is no queue {url}: create it, or correct the URL, the account in it and the region"
        )),
        (SdkError::ServiceError(_), "AccessDenied" | "AccessDeniedException") => {
            ConnectError::Forbidden(format!(
                "these credentials may not use the queue {url} ({why}): permit sqs:GetQueueAttributes, \
                 sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility"
            ))
        }
        (SdkError::ServiceError(_), _) => ConnectError::Forbidden(format!(
            "{url} refuses to be asked ({why}): look at the credentials and the region"
        )),
        // The chain ends in a failure to send.
        _ if why.contains("credentials") => ConnectError::Forbidden(format!(
            "there are no credentials for {url} ({why}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give \
             this machine a role"
        )),
        _ => ConnectError::Unreachable(format!(
            "nobody answers at {url} ({why}): correct the URL or AWS_ENDPOINT_URL, or open the way there"
        )),
    }
}

fn is_missing(error: &SdkError<GetQueueAttributesError>) -> bool {
    error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist)
        || error.code().is_some_and(|code| code.ends_with("NonExistentQueue"))
}

/// A queue that is there.
fn fits(url: &str, found: &Attributes) -> Result<(), ConnectError> {
    if url.ends_with(".fifo") || found.get(&Name::FifoQueue).is_some_and(|fifo| fifo == "true") {
        return Err(ConnectError::Unfit(format!(
            "the queue {url} is a FIFO queue, in which one unread message holds up all others: use a standard queue"
        )));
    }
    let size = found.get(&Name::MaximumMessageSize).and_then(|bytes| bytes.parse::<usize>().ok());
    if let Some(size) = size.filter(|size| *size < publish::MESSAGE) {
        return Err(ConnectError::Unfit(format!(
            "the queue {url} takes messages of {size} bytes, and a message of jobs may have {}: raise its maximum \
             message size",
            publish::MESSAGE
        )));
    }
    Ok(())
}

/// The queue of the urgent lane, if there is one.
async fn urgent(client: &Client, planned: &str) -> Result<Option<String>, ConnectError> {
    let url = format!("{planned}-now");
    match attributes(client, &url).await {
        Ok(found) => fits(&url, &found).map(|()| Some(url)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => match refused(&url, &error) {
            // Who may not ask about other queues is told nothing else about one that does not exist.
            ConnectError::Forbidden(why) => {
                tracing::warn!(
                    "whether there is a queue for urgent jobs is not known, so {planned} serves both; if there is one, \
                     every process must be permitted to use it: {why}"
                );
                Ok(None)
            }
            other => Err(other),
        },
    }
}

/// The tag says whose it is; where there is none, it says so from now on.
async fn belongs(client: &Client, url: &str, installation: u128) -> Result<(), ConnectError> {
    let ours = format!("{installation:032x}");
    let tags = match client.list_queue_tags().queue_url(url).send().await {
        Ok(answer) => answer.tags.unwrap_or_default(),
        Err(error) => {
            tracing::debug!("the tags of {url} may not be read: {}", told(&error));
            return Ok(());
        }
    };
    match tags.get(TAG) {
        Some(other) if *other != ours => Err(ConnectError::Foreign(format!(
            "the queue {url} belongs to the installation {other}, and this one is {ours}: give each installation a \
             queue of its own, or remove the tag `{TAG}` if that one is gone"
        ))),
        Some(_) => Ok(()),
        None => {
            if let Err(error) = client.tag_queue().queue_url(url).tags(TAG, ours).send().await {
                tracing::debug!("{url} may not be tagged: {}", told(&error));
            }
            Ok(())
        }
    }
}
