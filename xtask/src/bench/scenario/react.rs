//! H: from the end of the deciding probe to DOWN in the API, and from there to the message at a local sink.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    super::{
        Bench,
        figure::Figure,
        http::Client,
        product::{Product, Setup},
        servers::Told,
        statistics::Samples,
    },
    checks::identities,
    eventually, milliseconds,
};

const CYCLES: usize = 20;
const FAILURES: usize = 2;
const LIMIT: Duration = Duration::from_secs(20);

/// One DOWN: milliseconds from the deciding probe to the state and to the message, and between the two.
struct Cycle {
    state: f64,
    message: f64,
    between: f64,
}

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let (target, sink) = (Told::start(200)?, Told::start(200)?);
    let file = format!(
        "monitors:\n  - name: m0\n    http: http://{}/\n    every: 1s\n    timeout: 1s\n    \
         confirm: {{ failures: {FAILURES}, recoveries: {FAILURES}, after: 1s }}\n    webhook_url: http://{}/\n",
        target.address, sink.address
    );
    let setup = Setup::new("react", &file);
    let product = Product::start(bench, &setup)?;
    let mut client = product.client();
    let id = identities(&mut client, 1)?.first().context("no monitor")?.1;
    let disk = synchronisation(&setup.data(bench))?;
    let mut cycles = Vec::new();
    for _ in 0..CYCLES {
        cycles.push(cycle(&target, &sink, &mut client, id)?);
    }
    product.process.stop()?;

    let samples = |of: fn(&Cycle) -> f64| Samples::new(cycles.iter().map(of).collect());
    let (states, messages) = (samples(|cycle| cycle.state), samples(|cycle| cycle.message));
    let (between, p99) = (samples(|cycle| cycle.between), disk.quantile(0.99));
    figures.extend([
        Figure::new('H', "deciding probe to DOWN in the API, p50", states.median(), "ms").raw(disk.median()),
        Figure::new('H', "deciding probe to DOWN in the API, max", states.max(), "ms")
            .at_most(50.0 + p99)
            .raw(p99),
        Figure::new('H', "DOWN in the API to the message at the sink, max", between.max(), "ms")
            .at_most(250.0),
        Figure::new('H', "deciding probe to the message at the sink, p50", messages.median(), "ms"),
        Figure::new('H', "one synchronisation of the disk, p99", p99, "ms"),
    ]);
    Ok(())
}

fn cycle(target: &Told, sink: &Told, client: &mut Client, id: u64) -> Result<Cycle> {
    target.tell(200);
    eventually("UP", LIMIT, || Ok(shows(client, id, "UP")?.then_some(())))?;
    let flip = Instant::now();
    target.tell(500);
    let down = eventually("DOWN", LIMIT, || Ok(shows(client, id, "DOWN")?.then(Instant::now)))?;
    let failing = target.answered(500, flip);
    let deciding = *failing.get(FAILURES - 1).context("DOWN before the failures that it needs")?;
    // The message that it was UP may come after the flip, but not after the failures.
    let message = eventually("the message", LIMIT, || Ok(sink.answered(200, deciding).first().copied()))?;
    Ok(Cycle {
        state: milliseconds(down.saturating_duration_since(deciding)),
        message: milliseconds(message.saturating_duration_since(deciding)),
        between: milliseconds(message.saturating_duration_since(down)),
    })
}

fn shows(client: &mut Client, id: u64, health: &str) -> Result<bool> {
    Ok(client.json(&format!("/api/v1/monitors/{id}"))?["health"] == health)
}

/// What the disk below the data folder needs for a small append that is synchronised.
pub fn synchronisation(folder: &Path) -> Result<Samples> {
    let path = folder.join("synchronisation.bench");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(milliseconds(start.elapsed()));
    }
    std::fs::remove_file(&path)?;
    Ok(Samples::new(times))
}
