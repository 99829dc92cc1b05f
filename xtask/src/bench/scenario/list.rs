//! E: with 10,000 monitors, how soon they are listed and checked, and how fast lists and pages answer.

use std::{
    collections::HashSet,
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
        statistics::Samples,
        target::{self, Target},
        time,
    },
    checks::identities,
    milliseconds,
};

const MONITORS: usize = 10_000;
const EVERY: Duration = Duration::from_secs(10);
const REPEATS: usize = 20;

/// A slot at the very end of the interval is seen when its check is done.
const CHECK: Duration = Duration::from_millis(250);

/// From a declaration until its slots count, with a moment to spare.
const COUNTS_AFTER: Duration = Duration::from_secs(3);

/// How much of an answer is waited for.
#[derive(Clone, Copy)]
enum Until {
    FirstByte,
    End,
}

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let target = Target::start(&bench.work, "list", None)?;
    let options = format!("every: {}s, timeout: 5s", EVERY.as_secs());
    let file = product::monitors((0..MONITORS).map(|n| target.url(false, n)), &options);
    let setup = Setup::new("list", &file);

    let (first, product) = listed(bench, &setup)?;
    // A new monitor counts so long after it was declared; what is restarted here has counted for a while.
    thread::sleep(COUNTS_AFTER);
    product.process.stop()?;
    let from = time::now();
    let (again, product) = listed(bench, &setup)?;
    let end = from + (product.ready + EVERY + CHECK).as_secs_f64();
    thread::sleep(EVERY + CHECK);
    let checked: HashSet<_> = target.hits(from, end)?.into_iter().map(|hit| hit.path).collect();

    figures.extend([
        Figure::new('E', "10,000 ready and listed, restart", again, "s").at_most(0.5),
        Figure::new('E', "10,000 ready and listed, first start with the file", first, "s").at_most(0.5),
        Figure::new('E', "checked within one interval", 100.0 * checked.len() as f64 / MONITORS as f64, "%")
            .at_least(100.0),
    ]);
    answers(&product, &target, figures)?;
    product.process.stop()?;
    Ok(())
}

/// Seconds from the start of the process until the API lists every monitor.
fn listed(bench: &Bench, setup: &Setup<'_>) -> Result<(f64, Product)> {
    let start = Instant::now();
    let product = Product::start(bench, setup)?;
    let answer = product.client().json(&format!("/api/v1/monitors?limit={MONITORS}"))?;
    let took = start.elapsed().as_secs_f64();
    let count = answer["items"].as_array().context("monitors have no items")?.len();
    ensure!(count == MONITORS, "only {count} of {MONITORS} monitors are listed");
    Ok((took, product))
}

fn answers(product: &Product, target: &Target, figures: &mut Vec<Figure>) -> Result<()> {
    let mut client = product.client();
    let first = identities(&mut client, 1)?.first().context("no monitor")?.1;
    let monitor = format!("/ui/monitors/{first}");
    for (label, path, until, goal) in [
        ("full list, API", "/api/v1/monitors?limit=10000", Until::End, 40.0),
        ("full list, page", "/?limit=10000", Until::End, 40.0),
        ("full list, /monitors", "/monitors", Until::End, 40.0),
        ("a page of 100, API", "/api/v1/monitors?limit=100", Until::End, 3.0),
        ("first byte, overview", "/", Until::FirstByte, 20.0),
        ("first byte, overview of 10,000", "/?limit=10000", Until::FirstByte, 20.0),
        ("first byte, monitor", monitor.as_str(), Until::FirstByte, 20.0),
        ("first byte, new monitor", "/ui/monitors/new", Until::FirstByte, 20.0),
    ] {
        let (cold, warm, body) = time_of(&mut client, path, until)?;
        let file = target.serve(&format!("{}.bin", figures.len()), &body)?;
        let mut nginx = Client::new(format!("{}:{}", target::address(0), target.plain));
        let (_, raw, _) = time_of(&mut nginx, &file, until)?;
        let label = format!("{label} ({:.0} kB)", body.len() as f64 / 1e3);
        figures.push(Figure::new('E', format!("{label}, warm"), warm, "ms").at_most(goal).raw(raw));
        figures.push(Figure::new('E', format!("{label}, first"), cold, "ms").raw(raw));
    }
    Ok(())
}

/// Milliseconds of the first request and the median of the others, and the last body.
fn time_of(client: &mut Client, path: &str, until: Until) -> Result<(f64, f64, Vec<u8>)> {
    let mut times = Vec::new();
    let mut body = Vec::new();
    for _ in 0..=REPEATS {
        let answer = client.get(path)?;
        ensure!(answer.status == 200, "GET {path} answered {}", answer.status);
        times.push(milliseconds(match until {
            Until::FirstByte => answer.first_byte,
            Until::End => answer.total,
        }));
        body = answer.body;
    }
    let cold = times.remove(0);
    Ok((cold, Samples::new(times).median(), body))
}
