//! What one probe costs: runs many against one monitor and prints processor time and wall time for each, and the
//! last outcome. The target runs in another process.
//!
//! `raw COUNT AT_ONCE '{"name": "T", "http": "http://127.0.0.1:8000/"}' [TRUSTED.pem]`

use bw_domain::monitor::Spec;
use bw_domain::outcome::Outcome;
use bw_domain::port::clock::Clock;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::time::Duration;
use bw_net::{Net, NetConfig};
use bw_probe::{BwProber, Config};
use bw_testkit::builders;
use bw_testkit::server::RunningClock;
use std::error::Error;
use std::sync::Arc;

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, at_once, document, trusted @ ..] = arguments.as_slice() else {
        return Err("usage: raw COUNT AT_ONCE MONITOR [TRUSTED.pem]".into());
    };
    let (count, at_once): (usize, usize) = (count.parse()?, at_once.parse()?);
    let spec = Arc::new(builders::spec(1, &serde_json::from_str(document)?));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let clock = Arc::new(RunningClock::starting("2027-01-01T00:00:00Z"));
    let config = NetConfig { roots: trusted.first().map(Into::into), ..NetConfig::default() };
    let config = Config::new(Net::new(config, clock.clone())?, runtime.handle().clone());
    let prober = BwProber::new(Config { at_once, per_host: at_once, ..config });

    let (cpu, began) = (processor_time()?, clock.monotonic());
    // Beside the probes, as the loops of the product are, not on a thread of its own.
    let mut tasks = tokio::task::JoinSet::new();
    let now = clock.clone();
    tasks.spawn_on(async move { run(&prober, &spec, &*now, count).await }, runtime.handle());
    let (passed, last) = runtime.block_on(tasks.join_next()).ok_or("there is a task")??;
    let each = |took: Duration| took.as_secs_f64() * 1e6 / count as f64;
    let (cpu, wall) = (each(processor_time()? - cpu), each(clock.monotonic() - began));
    println!("{last:#?}");
    println!("{passed} of {count} passed: {cpu:.1} µs processor time and {wall:.1} µs wall time each");
    Ok(())
}

/// Keeps the prober full until so many have ended; answers how many passed, and the last outcome.
async fn run(
    prober: &BwProber,
    spec: &Arc<Spec>,
    clock: &dyn Clock,
    count: usize,
) -> (usize, Option<Outcome>) {
    let (mut started, mut ended, mut passed, mut last) = (0, 0, 0, None);
    while ended < count {
        let room = prober.room().min(count - started);
        let mut job = builders::job(spec, clock.now());
        job.not_after = job.start + Duration::from_secs(60);
        started += room;
        prober.start((0..room).map(|_| Assignment { job, spec: spec.clone() }).collect());
        let outcomes = prober.finished(512).await;
        ended += outcomes.len();
        passed += outcomes.iter().filter(|outcome| outcome.evidence.is_none()).count();
        last = outcomes.into_iter().next_back();
    }
    (passed, last)
}

/// Of this process, all threads: the scheduler's own account, in nanoseconds.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        total += text.split(' ').next().ok_or("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}
