//! F: durable beats: what one costs, how many come through, how long one waits, and whether any is lost by SIGKILL. And a
//! million heartbeats that have all beaten: memory, and how soon the silence of one of them is told.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};

use super::{
    super::{
        Bench,
        figure::Figure,
        http::Client,
        product::{Product, Setup},
        services::Services,
        statistics::Samples,
    },
    eventually, fleet, milliseconds,
    react::synchronisation,
};

const HEARTBEATS: usize = 10_000;
const CONNECTIONS: usize = 64;
/// A commit of PostgreSQL takes three round trips: more must wait for it together.
const FLEET_CONNECTIONS: usize = 256;
const BEATS: usize = 300_000;
/// Beats of the paced part, and how many a second.
const PACED: usize = 100_000;
const PACE: f64 = 10_000.0;
const SETTLE: Duration = Duration::from_secs(70);
const MILLION: usize = 1_000_000;

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let file = heartbeats(HEARTBEATS, "every: 24h");
    let setup = Setup::new("beats", &file);
    let product = Product::start(bench, &setup)?;
    let keys = keys(&mut product.client(), HEARTBEATS)?;
    let disk = synchronisation(&setup.data(bench))?;
    // The first beat of each is decided besides: a state, a transition, an event.
    let first = burst(&product, &keys, HEARTBEATS, None)?;
    thread::sleep(Duration::from_secs(3));
    let steady = burst(&product, &keys, BEATS, None)?;
    let paced = burst(&product, &keys, PACED, Some(PACE))?;
    let p99 = disk.quantile(0.99);
    figures.extend([
        Figure::new('F', "CPU of a durable beat, 64 connections", steady.cpu_us(), "µs").at_most(25.0),
        Figure::new('F', "CPU of a first beat, decided", first.cpu_us(), "µs"),
        Figure::new('F', "durable beats a second", steady.rate(), "1/s").at_least(10_000.0),
        Figure::new('F', "CPU of a durable beat, at 10,000/s", paced.cpu_us(), "µs").at_most(25.0),
        Figure::new('F', "answer at 10,000/s, p50", paced.waits.median(), "ms").raw(disk.median()),
        Figure::new('F', "answer at 10,000/s, p99", paced.waits.quantile(0.99), "ms")
            .at_most(2.0 * p99)
            .raw(p99),
        Figure::new('F', "answer at full rate, p50", steady.waits.median(), "ms").raw(disk.median()),
        Figure::new('F', "answer at full rate, p99", steady.waits.quantile(0.99), "ms").raw(p99),
    ]);
    figures.push(lost(bench, product, &setup, &keys)?);
    on_postgres(bench, &file, figures)?;
    if bench.million {
        million(bench, figures)?;
    }
    Ok(())
}

/// The same on PostgreSQL, an api of a fleet in one process with everything else.
fn on_postgres(bench: &Bench, file: &str, figures: &mut Vec<Figure>) -> Result<()> {
    let services = Services::start()?;
    let variables = fleet::variables(&services);
    let setup = |role| Setup { role, variables: &variables, ..Setup::new("beats-postgres", file) };
    let prepared = setup("db-init").command(bench).output()?;
    ensure!(prepared.status.success(), "db-init: {}", String::from_utf8_lossy(&prepared.stderr));
    let product = Product::start(bench, &setup("api"))?;
    let keys = keys(&mut product.client(), HEARTBEATS)?;
    burst(&product, &keys, HEARTBEATS, None)?;
    thread::sleep(Duration::from_secs(5));
    let before = services.postgres_cpu()?;
    let steady = burst_over(FLEET_CONNECTIONS, &product, &keys, (BEATS / 3, None))?;
    let server = (services.postgres_cpu()? - before) * 1e6 / steady.beats as f64;
    product.process.stop()?;
    figures.extend([
        Figure::new('F', "PostgreSQL: CPU of a durable beat in our process", steady.cpu_us(), "µs")
            .at_most(60.0),
        Figure::new('F', "PostgreSQL: CPU of a durable beat in the server", server, "µs"),
        Figure::new('F', "PostgreSQL, 256 connections: durable beats a second", steady.rate(), "1/s")
            .at_least(20_000.0),
        Figure::new('F', "PostgreSQL: answer to a beat, p99", steady.waits.quantile(0.99), "ms"),
    ]);
    Ok(())
}

/// What a burst took.
struct Burst {
    beats: usize,
    cpu_s: f64,
    wall_s: f64,
    /// In milliseconds.
    waits: Samples,
}

impl Burst {
    fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.beats as f64
    }

    fn rate(&self) -> f64 {
        self.beats as f64 / self.wall_s
    }
}

/// So many beats over all connections at once, to one heartbeat after the other; as fast as they go, or so many a second.
fn burst(product: &Product, keys: &[String], beats: usize, pace: Option<f64>) -> Result<Burst> {
    burst_over(CONNECTIONS, product, keys, (beats, pace))
}

fn burst_over(
    connections: usize,
    product: &Product,
    keys: &[String],
    (beats, pace): (usize, Option<f64>),
) -> Result<Burst> {
    let (cpu, start) = (product.process.cpu()?, Instant::now());
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let (address, keys) = (product.address.clone(), keys.to_vec());
            thread::spawn(move || -> Result<Vec<f64>> {
                let mut beater = Beater::connect(&address)?;
                let mut waits = Vec::new();
                for n in (worker..beats).step_by(connections) {
                    if let Some(pace) = pace {
                        let due = Duration::from_secs_f64(n as f64 / pace);
                        thread::sleep(due.saturating_sub(start.elapsed()));
                    }
                    let begun = Instant::now();
                    beater.beat(&keys[n % keys.len()])?;
                    waits.push(milliseconds(begun.elapsed()));
                }
                Ok(waits)
            })
        })
        .collect();
    let mut waits = Vec::with_capacity(beats);
    for worker in workers {
        waits.extend(worker.join().ok().context("a client panicked")??);
    }
    let wall_s = start.elapsed().as_secs_f64();
    Ok(Burst { beats, cpu_s: product.process.cpu()? - cpu, wall_s, waits: Samples::new(waits) })
}

/// Kills the product while beats come in, and counts those that it answered and does not have any more.
fn lost(bench: &Bench, product: Product, setup: &Setup<'_>, keys: &[String]) -> Result<Figure> {
    let counts = |product: &Product| -> Result<Vec<u64>> {
        let list = product.client().json(&format!("/api/v1/monitors?limit={}", keys.len()))?;
        let items = list["items"].as_array().context("a list")?;
        Ok(items.iter().map(|item| item["beats"]["count"].as_u64().unwrap_or_default()).collect())
    };
    let before = counts(&product)?;
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|worker| {
            let (address, keys) = (product.address.clone(), keys.to_vec());
            thread::spawn(move || {
                let mut answered = vec![0u64; keys.len()];
                let Ok(mut beater) = Beater::connect(&address) else { return answered };
                // Until the process is gone.
                for n in (worker..).step_by(CONNECTIONS).map(|n| n % keys.len()) {
                    if beater.beat(&keys[n]).is_err() {
                        break;
                    }
                    answered[n] += 1;
                }
                answered
            })
        })
        .collect();
    thread::sleep(Duration::from_secs(2));
    // Dropped, it is killed.
    drop(product);
    let mut answered = vec![0u64; keys.len()];
    for worker in workers {
        let of = worker.join().ok().context("a client panicked")?;
        answered.iter_mut().zip(of).for_each(|(all, one)| *all += one);
    }
    let product = Product::start(bench, setup)?;
    let after = counts(&product)?;
    product.process.stop()?;
    let missing: u64 = (0..keys.len()).map(|n| (before[n] + answered[n]).saturating_sub(after[n])).sum();
    let total: u64 = answered.iter().sum();
    println!("{total} beats were answered before SIGKILL");
    Ok(Figure::new('F', format!("answered beats lost by SIGKILL, of {total}"), missing as f64, "")
        .at_most(0.0))
}

fn million(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let mut file = heartbeats(MILLION, "every: 24h");
    file.push_str("  - { name: silent, heartbeat: { every: 20s, grace: 10s } }\n");
    let setup = Setup::new("million", &file);
    let product = Product::start(bench, &setup)?;
    println!("a million heartbeats: ready after {:.1} s", product.ready.as_secs_f64());
    let all = keys(&mut product.client(), MILLION + 1)?;
    let (silent, others) = all.split_last().context("a list")?;
    let first = burst(&product, others, MILLION, None)?;
    Beater::connect(&product.address)?.beat(silent)?;
    let beaten = now_ms()?;
    let deadline = beaten + 30_000;
    let mut client = product.client();
    let id = MILLION as u64 + 1;
    thread::sleep(Duration::from_millis(29_900));
    eventually("DOWN", Duration::from_secs(20), || {
        let down = client.json(&format!("/api/v1/monitors/{id}"))?["health"] == "DOWN";
        Ok(down.then_some(()))
    })?;
    let noticed = (now_ms()?.saturating_sub(deadline)) as f64 / 1e3;
    let (resident, most) = product.process.memory()?;
    product.process.stop()?;
    let again = Product::start(bench, &setup)?;
    // Until what is only needed at the start has been given back.
    thread::sleep(SETTLE);
    let (ready, (restarted, _)) = (again.ready.as_secs_f64(), again.process.memory()?);
    again.process.stop()?;
    figures.extend([
        Figure::new('F', "silence of one of 1,000,000 noticed after its deadline", noticed, "s").at_most(1.0),
        Figure::new('F', "resident, 1,000,000 heartbeats that have beaten", resident, "MB").at_most(1_000.0),
        Figure::new('F', "most ever resident, 1,000,000 heartbeats", most, "MB"),
        Figure::new('F', "resident after a restart, 1,000,000 heartbeats", restarted, "MB").at_most(1_000.0),
        Figure::new('F', "restart with 1,000,000 heartbeats", ready, "s"),
        Figure::new('F', "first beats a second, 1,000,000 heartbeats", first.rate(), "1/s"),
    ]);
    Ok(())
}

fn now_ms() -> Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())
}

/// A file with so many heartbeats.
fn heartbeats(count: usize, agreement: &str) -> String {
    let mut file = String::from("monitors:\n");
    for n in 0..count {
        file.push_str(&format!("  - {{ name: b{n}, heartbeat: {{ {agreement} }} }}\n"));
    }
    file
}

/// The addresses of all heartbeats, by id.
fn keys(client: &mut Client, count: usize) -> Result<Vec<String>> {
    let mut found = Vec::with_capacity(count);
    let mut after = String::new();
    loop {
        let page = client.json(&format!("/api/v1/monitors?limit=10000{after}"))?;
        for item in page["items"].as_array().context("a list")? {
            found.push(item["uuid"].as_str().context("a UUID")?.to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    ensure!(found.len() == count, "{} heartbeats instead of {count}", found.len());
    Ok(found)
}

/// A job's client with a connection that it keeps.
struct Beater {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Beater {
    fn connect(address: &str) -> Result<Beater> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Beater { stream: BufReader::new(stream), line: String::new() })
    }

    /// Returns when the beat was answered.
    fn beat(&mut self, key: &str) -> Result<()> {
        let request = format!("GET /ping/{key} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut length = 0;
        let mut status = String::new();
        loop {
            self.line.clear();
            ensure!(self.stream.read_line(&mut self.line)? > 0, "the connection was closed");
            let line = self.line.trim_end();
            if status.is_empty() {
                status = line.to_owned();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        ensure!(status.starts_with("HTTP/1.1 200"), "a beat was answered with {status}");
        Ok(())
    }
}
