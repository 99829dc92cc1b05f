//! A: what one check costs in CPU time, its outcome stored; HTTP, and HTTPS with the certificate verified.

use std::{thread, time::Duration};

use anyhow::{Context, Result, ensure};

use super::super::{
    Bench,
    figure::Figure,
    http::Client,
    peer,
    product::{self, Product, Setup},
    raw,
    target::Target,
    time,
};

/// The first seconds, when nothing is warm, and the measured ones.
const COLD: Duration = Duration::from_secs(5);
const WARM: Duration = Duration::from_secs(30);

/// Monitors whose stored outcomes are counted against the target's log.
const SAMPLE: usize = 20;

struct Kind {
    name: &'static str,
    secure: bool,
    monitors: usize,
    goal: f64,
}

const KINDS: [Kind; 2] = [
    Kind { name: "http", secure: false, monitors: 2000, goal: 80.0 },
    // Fewer: when the one process of the target does not keep up, every check is a time-out and none is counted.
    Kind { name: "https", secure: true, monitors: 300, goal: 340.0 },
];

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    for kind in &KINDS {
        figures.extend(kind.measure(bench)?);
    }
    Ok(())
}

impl Kind {
    fn measure(&self, bench: &Bench) -> Result<Vec<Figure>> {
        let Kind { name, secure, monitors, goal } = *self;
        let target = Target::start(&bench.work, name, None)?;
        let urls = (0..monitors).map(|n| target.url(secure, n));
        let file = product::monitors(urls, "every: 1s, timeout: 1s");
        let setup = Setup { authority: Some(&target.certificate.authority), ..Setup::new(name, &file) };
        let product = Product::start(bench, &setup)?;

        let cold = window(&product, &target, COLD)?;
        let warm = window(&product, &target, WARM)?;
        let stored = stored(&product, &target)?;
        product.process.stop()?;

        let raw = self.raw(bench, &target)?;
        let figure = |label: &str, value: f64| Figure::new('A', format!("{name}: {label}"), value, "µs");
        let mut figures = vec![
            figure("CPU of a check, warm", warm.cpu_us).at_most(goal).raw(raw),
            figure("CPU of a check, first five seconds", cold.cpu_us).raw(raw),
            Figure::new('A', format!("{name}: checks a second meanwhile"), warm.rate, "1/s"),
            Figure::new('A', format!("{name}: outcomes stored of checks seen"), stored * 100.0, "%"),
        ];
        if let Some(peer) = peer::blackbox(bench, &target, secure, 4000)? {
            figures.push(figure("CPU of a check, blackbox exporter alone", peer).raw(raw));
        }
        Ok(figures)
    }

    fn raw(&self, bench: &Bench, target: &Target) -> Result<f64> {
        let port = if self.secure { target.tls } else { target.plain };
        let authority = self.secure.then(|| target.certificate.authority.clone());
        let options = raw::Options { authority, ..raw::plain(port, 20_000) };
        Ok(raw::start(&bench.raw, &options, None)?.cpu_us_per_check())
    }
}

struct Window {
    cpu_us: f64,
    rate: f64,
}

fn window(product: &Product, target: &Target, length: Duration) -> Result<Window> {
    let (from, before) = (time::now(), product.process.cpu()?);
    thread::sleep(length);
    let (to, cpu) = (time::now(), product.process.cpu()? - before);
    let checks = target.hits(from, to)?.len() as f64;
    ensure!(checks > 0.0, "the target saw no check");
    Ok(Window { cpu_us: cpu * 1e6 / checks, rate: checks / (to - from) })
}

/// The share of the checks that the target saw whose outcomes can be read back, over a sample of monitors.
fn stored(product: &Product, target: &Target) -> Result<f64> {
    let mut client = product.client();
    let (to, from) = (time::now() - 3.0, time::now() - 13.0);
    let hits = target.hits(from, to)?;
    let (mut seen, mut kept) = (0, 0);
    for (name, id) in identities(&mut client, SAMPLE)? {
        let path = name.replace('m', "/");
        seen += hits.iter().filter(|hit| hit.path == path).count();
        let answer = client.json(&format!("/api/v1/monitors/{id}/outcomes?limit=60"))?;
        let items = answer["items"].as_array().context("outcomes have no items")?;
        let at = |item: &serde_json::Value| item["at"].as_str().and_then(time::parse);
        kept += items.iter().filter_map(at).filter(|at| *at >= from && *at < to).count();
    }
    Ok(kept as f64 / f64::from(seen.max(1) as u32))
}

/// Names and ids of the first monitors.
pub fn identities(client: &mut Client, limit: usize) -> Result<Vec<(String, u64)>> {
    let answer = client.json(&format!("/api/v1/monitors?limit={limit}"))?;
    let items = answer["items"].as_array().context("monitors have no items")?;
    let pair = |item: &serde_json::Value| Some((item["name"].as_str()?.to_owned(), item["id"].as_u64()?));
    items.iter().map(|item| pair(item).context("a monitor has no name or id")).collect()
}
