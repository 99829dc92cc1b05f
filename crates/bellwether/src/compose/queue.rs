//! Which queue carries the jobs: the one in this process, or a broker.

use crate::answer::{Outcome, Stop};
use crate::config::{Broker, Environment, Settings};
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::Queue;
use bw_queue::MemoryQueue;
use std::path::PathBuf;
use std::sync::Arc;

/// For whom a queue carries jobs.
#[cfg_attr(
    not(all(feature = "nats", feature = "sqs")),
    allow(dead_code, reason = "a broker that is left out asks for nothing")
)]
struct For {
    installation: u128,
    roots: Option<PathBuf>,
    clock: Arc<dyn Clock>,
}

/// Opens the one that is meant, for the jobs of this installation.
pub async fn open(
    settings: &Settings,
    environment: &Environment,
    installation: u128,
    clock: Arc<dyn Clock>,
) -> Outcome<Arc<dyn Queue>> {
    let whom = For { installation, roots: environment.certificates.clone().map(Into::into), clock };
    match settings.broker.clone() {
        None => Ok(Arc::new(MemoryQueue::new(whom.clock))),
        Some(Broker::Nats(url)) => nats(url.expose().to_owned(), whom).await,
        Some(Broker::Sqs(url)) => sqs(url, whom).await,
    }
}

#[cfg(feature = "nats")]
async fn nats(url: String, whom: For) -> Outcome<Arc<dyn Queue>> {
    use bw_queue::nats::{MAX_JOBS, Options, connect};
    let For { installation, roots, clock } = whom;
    let options = Options {
        url,
        name: "bellwether-local".to_owned(),
        installation,
        lease: bw_domain::limits::JOB_LEASE,
        max_jobs: MAX_JOBS,
        clock,
        roots,
    };
    let queue = connect(options).await.map_err(|error| Stop::failed(format!("queue.nats: {error}")))?;
    Ok(Arc::new(queue))
}

#[cfg(feature = "sqs")]
async fn sqs(url: String, whom: For) -> Outcome<Arc<dyn Queue>> {
    use bw_queue::sqs::{Options, connect};
    let For { installation, clock, .. } = whom;
    let lease = bw_domain::limits::JOB_LEASE;
    // AWS_REGION, AWS_ENDPOINT_URL and the chain of credentials are read by the service's own library.
    let options = Options { url, region: None, endpoint: None, installation, lease, clock };
    let queue = connect(options).await.map_err(|error| Stop::failed(format!("queue.sqs: {error}")))?;
    Ok(Arc::new(queue))
}

#[cfg(not(feature = "nats"))]
async fn nats(_: String, _: For) -> Outcome<Arc<dyn Queue>> {
    Err(missing("queue.nats (NATS_URL)", "NATS"))
}

#[cfg(not(feature = "sqs"))]
async fn sqs(_: String, _: For) -> Outcome<Arc<dyn Queue>> {
    Err(missing("queue.sqs (SQS_QUEUE_URL)", "SQS"))
}

#[cfg(any(not(feature = "nats"), not(feature = "sqs")))]
fn missing(key: &str, what: &str) -> Stop {
    Stop::usage(format!(
        "{key} is given, but this binary was built without {what}: build it with `cargo build --release --features full`, or leave it out to keep jobs in this process"
    ))
}
