//! Which queue carries the jobs: the one in this process or, where `NATS_URL` or `SQS_QUEUE_URL` names one, a broker.

use crate::answer::{Outcome, Stop};
use crate::config::Environment;
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::Queue;
use bw_queue::MemoryQueue;
use std::sync::Arc;

/// Opens the one that is meant, for the jobs of this installation.
pub async fn open(
    environment: &Environment,
    installation: u128,
    clock: Arc<dyn Clock>,
) -> Outcome<Arc<dyn Queue>> {
    if environment.nats_url.is_some() {
        return nats(environment, installation, clock).await;
    }
    if environment.sqs_queue_url.is_some() {
        return sqs(environment, installation, clock).await;
    }
    Ok(Arc::new(MemoryQueue::new(clock)))
}

#[cfg(feature = "nats")]
async fn nats(
    environment: &Environment,
    installation: u128,
    clock: Arc<dyn Clock>,
) -> Outcome<Arc<dyn Queue>> {
    use bw_queue::nats::{MAX_JOBS, Options, connect};
    let url = environment.nats_url.as_ref().map(|url| url.expose().to_owned()).unwrap_or_default();
    let options = Options {
        url,
        name: "bellwether-local".to_owned(),
        installation,
        lease: bw_domain::limits::JOB_LEASE,
        max_jobs: MAX_JOBS,
        clock,
        roots: environment.certificates.clone().map(Into::into),
    };
    let queue = connect(options).await.map_err(|error| Stop::failed(format!("NATS_URL: {error}")))?;
    Ok(Arc::new(queue))
}

#[cfg(feature = "sqs")]
async fn sqs(
    environment: &Environment,
    installation: u128,
    clock: Arc<dyn Clock>,
) -> Outcome<Arc<dyn Queue>> {
    use bw_queue::sqs::{Options, connect};
    let options = Options {
        url: environment.sqs_queue_url.clone().unwrap_or_default(),
        // AWS_REGION, AWS_ENDPOINT_URL and the chain of credentials are read by the service's own library.
        region: None,
        endpoint: None,
        installation,
        lease: bw_domain::limits::JOB_LEASE,
        clock,
    };
    let queue = connect(options).await.map_err(|error| Stop::failed(format!("SQS_QUEUE_URL: {error}")))?;
    Ok(Arc::new(queue))
}

#[cfg(not(feature = "nats"))]
async fn nats(_: &Environment, _: u128, _: Arc<dyn Clock>) -> Outcome<Arc<dyn Queue>> {
    Err(missing("NATS_URL", "NATS"))
}

#[cfg(not(feature = "sqs"))]
async fn sqs(_: &Environment, _: u128, _: Arc<dyn Clock>) -> Outcome<Arc<dyn Queue>> {
    Err(missing("SQS_QUEUE_URL", "SQS"))
}

#[cfg(any(not(feature = "nats"), not(feature = "sqs")))]
fn missing(variable: &str, what: &str) -> Stop {
    Stop::usage(format!(
        "{variable} is set, but this binary was built without {what}: build it with `cargo build --release --features full`, or unset it to keep jobs in this process"
    ))
}
