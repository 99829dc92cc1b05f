//! How many jobs a second a queue takes and gives, and what CPU time each costs its client: `cargo xtask bench fleet`
//! runs it against servers of its own. `rate memory JOBS`, `rate nats URL JOBS`, `rate sqs URL JOBS`; one line of JSON.
//!
//! Must hold: jobs are published as `plan` does it and received as `work` does it, one call at a time with
//! acknowledgements under way beside it; there are figures only if each job came exactly once and as it was published.

use bw_domain::id::MonitorId;
use bw_domain::job::Job;
use bw_domain::limits;
use bw_domain::monitor::Vantage;
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::{Lane, Queue};
use bw_domain::time::{Duration, Instant};
use bw_queue::{MemoryQueue, nats, sqs};
use futures_util::stream::{FuturesUnordered, StreamExt};
use real::RealClock;
use std::sync::Arc;

#[path = "../src/real.rs"]
mod real;

const INSTALLATION: u128 = 0x7261_7465;
/// Jobs that lie in the queue at once, well below what a lane takes.
const ROUND: usize = 50_000;
/// Jobs in one call, as in `plan` and in `work`.
const BATCH: usize = 500;
/// The jobs of one call begin within this.
const SPREAD: Duration = Duration::from_millis(200);
/// Acknowledgements under way while more is received.
const ACKS: usize = 4;
/// How long one call waits for a first job.
const WAIT: Duration = Duration::from_secs(1);
/// Calls in a row that bring nothing while jobs are missing.
const PATIENCE: u32 = 10;
/// What a broker holds is asked once a second: after so long the answer is of now.
const SETTLE: Duration = Duration::from_millis(1_100);
/// The kernel counts CPU time in hundredths of a second on every machine that Linux runs on.
const TICK: Duration = Duration::from_millis(10);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What a part of the work took, over all rounds.
#[derive(Default)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

/// The queue under measurement.
struct Course {
    queue: Box<dyn Queue>,
    clock: Arc<RealClock>,
    /// How long something that comes again is waited for.
    settle: Duration,
    publishing: Spent,
    receiving: Spent,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let clock = Arc::new(RealClock::start());
    let (queue, jobs): (Box<dyn Queue>, _) = match words[..] {
        ["memory", jobs] => (Box::new(MemoryQueue::new(clock.clone())), jobs),
        ["nats", url, jobs] => (Box::new(nats::connect(at_nats(url, &clock)).await?), jobs),
        ["sqs", url, jobs] => {
            make_queues(url).await?;
            (Box::new(sqs::connect(at_sqs(url, &clock)).await?), jobs)
        }
        _ => return Err("rate memory JOBS | rate nats URL JOBS | rate sqs URL JOBS".into()),
    };
    let jobs = jobs.parse()?;
    let settle = if words[0] == "memory" { Duration::ZERO } else { SETTLE };
    let (publishing, receiving) = (Spent::default(), Spent::default());
    let mut course = Course { queue, clock, settle, publishing, receiving };
    course.run(jobs).await?;
    tell(&course, jobs);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn tell(course: &Course, jobs: usize) {
    let per_second = |spent: &Spent| jobs as f64 / spent.wall.as_secs_f64();
    let cpu = |spent: &Spent| spent.cpu.as_secs_f64() * 1e6 / jobs as f64;
    let Course { publishing, receiving, .. } = course;
    println!(
        r#"{{"jobs":{jobs},"published_per_s":{:.1},"received_per_s":{:.1},"publish_cpu_us":{:.3},"receive_cpu_us":{:.3}}}"#,
        per_second(publishing),
        per_second(receiving),
        cpu(publishing),
        cpu(receiving)
    );
}

fn at_nats(url: &str, clock: &Arc<RealClock>) -> nats::Options {
    nats::Options {
        url: url.to_owned(),
        name: format!("rate-{}", std::process::id()),
        installation: INSTALLATION,
        lease: limits::JOB_LEASE,
        max_jobs: nats::MAX_JOBS,
        clock: clock.clone(),
        roots: None,
    }
}

fn at_sqs(url: &str, clock: &Arc<RealClock>) -> sqs::Options {
    sqs::Options {
        url: url.to_owned(),
        region: None,
        endpoint: None,
        installation: INSTALLATION,
        lease: limits::JOB_LEASE,
        clock: clock.clone(),
    }
}

/// An emulator begins without queues: the one of the URL and the one for what is urgent.
async fn make_queues(url: &str) -> Outcome<()> {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    let address = url::Url::parse(url)?;
    let name =
        address.path_segments().and_then(|mut parts| parts.next_back()).ok_or("the URL has no queue")?;
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let loader = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http.build_https());
    let client =
        aws_sdk_sqs::Client::new(&loader.endpoint_url(address.origin().ascii_serialization()).load().await);
    for name in [name.to_owned(), format!("{name}-now")] {
        client.create_queue().queue_name(name).send().await?;
    }
    Ok(())
}

impl Course {
    async fn run(&mut self, jobs: usize) -> Outcome<()> {
        let begin = self.clock.now() + self.queue.lead();
        let mut first = 0;
        while first < jobs {
            let round: Vec<Job> = (first..jobs.min(first + ROUND)).map(|number| job(number, begin)).collect();
            first += round.len();
            self.publish(round.chunks(BATCH).map(<[Job]>::to_vec).collect()).await?;
            let mut received = self.receive(round.len()).await?;
            received.sort_by_key(|job| job.monitor);
            if received != round {
                return Err("what came is not what was published".into());
            }
            self.is_empty().await?;
        }
        Ok(())
    }

    /// One batch after the other, as `plan` hands them over.
    async fn publish(&mut self, batches: Vec<Vec<Job>>) -> Outcome<()> {
        let (wall, cpu) = (self.clock.monotonic(), cpu()?);
        for batch in batches {
            self.queue.publish(Lane::Planned, batch).await?;
        }
        self.publishing.add(self.clock.monotonic() - wall, self::cpu()? - cpu);
        Ok(())
    }

    /// So many jobs, received and acknowledged.
    async fn receive(&mut self, jobs: usize) -> Outcome<Vec<Job>> {
        let (wall, cpu) = (self.clock.monotonic(), cpu()?);
        let (mut all, mut in_vain) = (Vec::with_capacity(jobs), 0);
        let mut acks = FuturesUnordered::new();
        let mut receiving = self.queue.receive(BATCH, WAIT);
        while all.len() < jobs {
            tokio::select! {
                received = &mut receiving, if acks.len() < ACKS => {
                    let received = received?;
                    in_vain = if received.is_empty() { in_vain + 1 } else { 0 };
                    if in_vain == PATIENCE {
                        return Err(format!("{} jobs did not come", jobs - all.len()).into());
                    }
                    all.extend(received.iter().map(|leased| leased.job));
                    acks.push(self.queue.ack(received.into_iter().map(|leased| leased.lease).collect()));
                    receiving = self.queue.receive(BATCH, WAIT);
                }
                Some(done) = acks.next() => done?,
            }
        }
        while let Some(done) = acks.next().await {
            done?;
        }
        drop((acks, receiving));
        self.receiving.add(self.clock.monotonic() - wall, self::cpu()? - cpu);
        Ok(all)
    }

    /// Nothing comes again, and nothing is left: a broker tells that with a delay.
    async fn is_empty(&self) -> Outcome<()> {
        let again = self.queue.receive(BATCH, self.settle).await?;
        if !again.is_empty() {
            return Err(format!("{} jobs came again", again.len()).into());
        }
        let depth = self.queue.depth().await?;
        match depth.planned + depth.leased {
            0 => Ok(()),
            left => Err(format!("{left} jobs are left").into()),
        }
    }
}

impl Spent {
    fn add(&mut self, wall: Duration, cpu: Duration) {
        self.wall += wall;
        self.cpu += cpu;
    }
}

/// A check every ten seconds, as most are; those of one batch begin within its spread.
fn job(number: usize, begin: Instant) -> Job {
    let within = SPREAD * (number % BATCH) as u32 / BATCH as u32;
    let slot = begin + SPREAD * (number / BATCH) as u32 + within;
    Job {
        monitor: MonitorId(number as i64),
        revision: 1,
        vantage: Vantage::default(),
        slot,
        r#try: 0,
        start: slot,
        not_after: slot + Duration::from_secs(5),
    }
}

/// CPU time of this process so far, user and system, all threads.
fn cpu() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program is in brackets and may hold anything; the rest are numbers.
    let (_, numbers) = stat.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let spent = numbers.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(TICK * spent.sum::<Result<u32, _>>()?)
}
