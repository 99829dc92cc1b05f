//! The fleet: api, scheduler and two workers on PostgreSQL and NATS, all of it and the target on this machine. How many
//! checks a second it holds and who spends what on them, how soon DOWN shows, how soon a dead scheduler is replaced.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    super::{
        Bench,
        figure::Figure,
        http::Client,
        product::{self, Product, Setup},
        servers::Told,
        services::Services,
        statistics::Samples,
        target::Target,
        time,
    },
    eventually, milliseconds,
};
use crate::shell;

/// At two seconds each: the goal is five thousand a second.
const MONITORS: usize = 10_000;
const GOAL: f64 = 5_000.0;
/// Two seconds ahead through the broker, the first looks, and their repeats.
const SETTLE: Duration = Duration::from_secs(25);
const WINDOW: Duration = Duration::from_secs(30);
const CYCLES: usize = 8;
const FAILURES: usize = 2;
const SHARDS: f64 = 64.0;
const LIMIT: Duration = Duration::from_secs(60);

/// The processes of one fleet.
struct Fleet {
    services: Services,
    api: Product,
    scheduler: Product,
    workers: [Product; 2],
}

/// CPU seconds so far.
#[derive(Clone, Copy)]
struct Cpu {
    api: f64,
    scheduler: f64,
    workers: f64,
    postgres: f64,
    nats: f64,
    target: f64,
}

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let (target, told, sink) =
        (Target::start(&bench.work, "fleet", None)?, Told::start(200)?, Told::start(200)?);
    let mut file = product::monitors((0..MONITORS).map(|n| target.url(false, n)), "every: 2s, timeout: 1s");
    file.push_str(&format!(
        "  - name: told\n    http: http://{}/\n    every: 1s\n    timeout: 1s\n    \
         confirm: {{ failures: {FAILURES}, recoveries: {FAILURES}, after: 1s }}\n    webhook_url: http://{}/\n",
        told.address, sink.address
    ));
    let fleet = Fleet::start(bench, &file)?;
    throughput(&fleet, &target, figures)?;
    latency(&fleet, &told, &sink, figures)?;
    figures.push(take_over(bench, fleet, &file)?);
    Ok(())
}

impl Fleet {
    fn start(bench: &Bench, file: &str) -> Result<Fleet> {
        let services = Services::start()?;
        let variables = variables(&services);
        let setup = |role| Setup { role, variables: &variables, ..Setup::new("fleet", file) };
        let prepared = setup("db-init").command(bench).output()?;
        ensure!(prepared.status.success(), "db-init: {}", String::from_utf8_lossy(&prepared.stderr));
        let api = Product::start(bench, &setup("api"))?;
        let scheduler = Product::start(bench, &setup("scheduler"))?;
        let workers = [Product::start(bench, &setup("worker"))?, Product::start(bench, &setup("worker"))?];
        drop(variables);
        Ok(Fleet { services, api, scheduler, workers })
    }

    fn cpu(&self, target: &Target) -> Result<Cpu> {
        Ok(Cpu {
            api: self.api.process.cpu()?,
            scheduler: self.scheduler.process.cpu()?,
            workers: self.workers[0].process.cpu()? + self.workers[1].process.cpu()?,
            postgres: self.services.postgres_cpu()?,
            nats: self.services.nats_cpu()?,
            target: target.cpu()?,
        })
    }
}

pub fn variables(services: &Services) -> Vec<(&'static str, String)> {
    vec![("DATABASE_URL", services.database_url.clone()), ("NATS_URL", services.nats_url().to_owned())]
}

fn throughput(fleet: &Fleet, target: &Target, figures: &mut Vec<Figure>) -> Result<()> {
    thread::sleep(SETTLE);
    let (from, before, stored) = (time::now(), fleet.cpu(target)?, passes(fleet)?);
    thread::sleep(WINDOW);
    let (to, after, now) = (time::now(), fleet.cpu(target)?, passes(fleet)?);
    let (checks, seconds) = (target.hits(from, to)?.len() as f64, to - from);
    let figure = |label: &str, value: f64, unit| Figure::new("fleet", label, value, unit);
    figures.push(
        figure("checks a second, 10,000 monitors at 2 s", checks / seconds, "1/s").at_least(0.995 * GOAL),
    );
    figures.push(figure("passes committed a second", (now - stored) / seconds, "1/s"));
    for (name, spent) in [
        ("CPU of a check: workers", after.workers - before.workers),
        ("CPU of a check: scheduler", after.scheduler - before.scheduler),
        ("CPU of a check: api", after.api - before.api),
        ("CPU of a check: PostgreSQL", after.postgres - before.postgres),
        ("CPU of a check: NATS", after.nats - before.nats),
        ("CPU of a check: target", after.target - before.target),
    ] {
        figures.push(figure(name, spent * 1e6 / checks.max(1.0), "µs"));
    }
    let database = after.postgres - before.postgres;
    figures.push(figure("outcomes a CPU second of PostgreSQL", (now - stored) / database, "1/s"));
    Ok(())
}

/// Passes that the workers have committed.
fn passes(fleet: &Fleet) -> Result<f64> {
    let of = |worker: &Product| metric(&mut worker.client(), "bellwether_outcomes_total{verdict=\"pass\"}");
    Ok(of(&fleet.workers[0])? + of(&fleet.workers[1])?)
}

fn metric(client: &mut Client, name: &str) -> Result<f64> {
    let answer = client.get("/metrics")?;
    let text = String::from_utf8(answer.body)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.with_context(|| format!("/metrics has no {name}"))
}

/// While all of that goes on: from the end of the deciding probe to DOWN in the interface and the message at the sink.
fn latency(fleet: &Fleet, told: &Told, sink: &Told, figures: &mut Vec<Figure>) -> Result<()> {
    let mut client = fleet.api.client();
    let id = client.json("/api/v1/monitors?q=told")?["items"][0]["id"].as_u64().context("no monitor")?;
    let shows = |client: &mut Client, health: &str| -> Result<Option<Instant>> {
        let is = client.json(&format!("/api/v1/monitors/{id}"))?["health"] == health;
        Ok(is.then(Instant::now))
    };
    let (mut states, mut messages) = (Vec::new(), Vec::new());
    for _ in 0..CYCLES {
        told.tell(200);
        eventually("UP", LIMIT, || shows(&mut client, "UP"))?;
        let flip = Instant::now();
        told.tell(500);
        let down = eventually("DOWN", LIMIT, || shows(&mut client, "DOWN"))?;
        let failing = told.answered(500, flip);
        let deciding = *failing.get(FAILURES - 1).context("DOWN before the failures that it needs")?;
        let message = eventually("the message", LIMIT, || Ok(sink.answered(200, deciding).first().copied()))?;
        states.push(milliseconds(down.saturating_duration_since(deciding)));
        messages.push(milliseconds(message.saturating_duration_since(deciding)));
    }
    let (states, messages) = (Samples::new(states), Samples::new(messages));
    let figure = |label: &str, value: f64| Figure::new("fleet", label, value, "ms");
    figures.extend([
        figure("deciding probe to DOWN in the API under that load, p50", states.median()),
        figure("deciding probe to DOWN in the API under that load, max", states.max()).at_most(1000.0),
        figure("deciding probe to the message under that load, max", messages.max()),
    ]);
    Ok(())
}

/// Kills the scheduler at the moment at which a second one is there, and waits until that has every shard.
fn take_over(bench: &Bench, fleet: Fleet, file: &str) -> Result<Figure> {
    let variables = variables(&fleet.services);
    let setup = Setup { role: "scheduler", variables: &variables, ..Setup::new("fleet", file) };
    let second = Product::start(bench, &setup)?;
    let mut client = second.client();
    let owns = |client: &mut Client, shards: f64| -> Result<Option<()>> {
        Ok((metric(client, "bellwether_shards_owned")? >= shards).then_some(()))
    };
    eventually("half of the shards", LIMIT, || owns(&mut client, SHARDS / 2.0))?;
    let pid = fleet.scheduler.process.id().to_string();
    ensure!(shell::run(shell::program("kill").args(["-KILL", &pid]))?, "kill failed");
    let killed = Instant::now();
    eventually("all shards", LIMIT, || owns(&mut client, SHARDS))?;
    let took = killed.elapsed().as_secs_f64();
    Ok(Figure::new("fleet", "a killed scheduler is replaced after", took, "s").at_most(20.0))
}
