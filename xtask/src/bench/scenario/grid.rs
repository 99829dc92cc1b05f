//! D: how far arrivals at the target are from their slots, whether they drift, and how they crowd; with every
//! target well, and with one in a hundred that hangs.

use std::{collections::HashMap, thread, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    super::{
        Bench,
        figure::Figure,
        product::{self, Product, Setup},
        raw, servers,
        statistics::{Samples, peak_over_mean},
        target::{Hit, Target},
        time,
    },
    checks::identities,
};

const MONITORS: usize = 1000;
const EVERY_S: f64 = 10.0;
const SETTLE: Duration = Duration::from_secs(25);
const WINDOW: Duration = Duration::from_secs(60);

/// The width of a bin when crowding is measured, in seconds.
const BIN_S: f64 = 0.1;

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let target = Target::start(&bench.work, "grid", None)?;
    let raw = raw_deviation(bench, &target)?;
    for (name, hanging_of) in [("all well", None), ("1 % hanging", Some(100))] {
        let arrivals = arrivals(bench, &target, name, hanging_of)?;
        figures.extend(judge(name, &arrivals, &raw)?);
    }
    Ok(())
}

/// One arrival: its slot and the instant at the target.
struct Arrival {
    slot: f64,
    at: f64,
}

fn judge(name: &str, arrivals: &[Arrival], raw: &Samples) -> Result<Vec<Figure>> {
    ensure!(!arrivals.is_empty(), "no arrival could be matched with a slot");
    let deviation = |arrival: &Arrival| (arrival.at - arrival.slot) * 1e3;
    let deviations = Samples::new(arrivals.iter().map(|arrival| deviation(arrival).abs()).collect());
    let instants: Vec<f64> = arrivals.iter().map(|arrival| arrival.at).collect();
    let figure = |label: &str, value: f64| Figure::new('D', format!("{name}: {label}"), value, "ms");
    Ok(vec![
        figure("deviation from the grid, p50", deviations.median()).raw(raw.median()),
        figure("deviation from the grid, p99", deviations.quantile(0.99))
            .at_most(5.0)
            .raw(raw.quantile(0.99)),
        figure("deviation from the grid, max", deviations.max()).at_most(20.0).raw(raw.max()),
        figure("drift over a minute", drift(arrivals).abs()).at_most(1.0),
        Figure::new(
            'D',
            format!("{name}: peak over mean of arrivals"),
            peak_over_mean(&instants, BIN_S),
            "×",
        )
        .at_most(1.5),
        Figure::new('D', format!("{name}: arrivals measured"), deviations.len() as f64, ""),
    ])
}

/// The median deviation of the last third of the slots over that of the first, in milliseconds.
fn drift(arrivals: &[Arrival]) -> f64 {
    let mut sorted: Vec<&Arrival> = arrivals.iter().collect();
    sorted.sort_by(|a, b| a.slot.total_cmp(&b.slot));
    let third = sorted.len() / 3;
    let median =
        |part: &[&Arrival]| Samples::new(part.iter().map(|a| (a.at - a.slot) * 1e3).collect()).median();
    median(&sorted[sorted.len() - third..]) - median(&sorted[..third])
}

/// Runs the product for a minute and matches what the target saw with the slots that the API names.
fn arrivals(bench: &Bench, target: &Target, name: &str, hanging_of: Option<usize>) -> Result<Vec<Arrival>> {
    let hanging = servers::hanging()?;
    let url = |n: usize| match hanging_of {
        Some(of) if n.is_multiple_of(of) => format!("http://{hanging}/{n}"),
        _ => target.url(false, n),
    };
    let file = product::monitors((0..MONITORS).map(url), "every: 10s, timeout: 5s");
    let folder = if hanging_of.is_some() { "grid-hanging" } else { "grid" };
    let product = Product::start(bench, &Setup::new(folder, &file))?;
    println!("{name}: measuring for a minute");
    thread::sleep(SETTLE);
    let from = time::now();
    thread::sleep(WINDOW);
    let to = time::now();
    let hits = by_path(target.hits(from, to)?);
    let mut client = product.client();
    let mut arrivals = Vec::new();
    for (monitor, id) in identities(&mut client, MONITORS)? {
        let path = monitor.replace('m', "/");
        let answer = client.json(&format!("/api/v1/monitors/{id}/outcomes?limit=20"))?;
        let items = answer["items"].as_array().context("outcomes have no items")?;
        let slots: Vec<f64> = items.iter().filter_map(|item| time::parse(item["slot"].as_str()?)).collect();
        let seen = hits.get(&path).map_or(&[][..], Vec::as_slice);
        arrivals.extend(seen.iter().filter_map(|at| Some(Arrival { slot: nearest(&slots, *at)?, at: *at })));
    }
    product.process.stop()?;
    Ok(arrivals)
}

fn by_path(hits: Vec<Hit>) -> HashMap<String, Vec<f64>> {
    let mut paths: HashMap<String, Vec<f64>> = HashMap::new();
    for hit in hits {
        paths.entry(hit.path).or_default().push(hit.at);
    }
    paths
}

/// The slot that an arrival belongs to: never more than half an interval away.
fn nearest(slots: &[f64], at: f64) -> Option<f64> {
    let distance = |slot: &f64| (slot - at).abs();
    let slot = slots.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    (distance(&slot) < EVERY_S / 2.0).then_some(slot)
}

/// The same pace by a loop that sleeps and checks: what this machine's clock and target allow.
fn raw_deviation(bench: &Bench, target: &Target) -> Result<Samples> {
    let from = time::now();
    let pace = MONITORS as f64 / EVERY_S;
    let options = raw::Options { pace: Some(pace), ..raw::plain(target.plain, 2 * MONITORS) };
    raw::start(&bench.raw, &options, None)?;
    let hits = target.hits(from, time::now())?;
    let planned = |hit: &Hit| hit.path.strip_prefix("/raw/")?.parse::<f64>().ok();
    let deviation = |hit: &Hit| planned(hit).map(|planned| (hit.at - planned).abs() * 1e3);
    Ok(Samples::new(hits.iter().filter_map(deviation).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_belongs_to_the_nearest_slot() {
        assert_eq!(nearest(&[10.0, 20.0], 19.9), Some(20.0));
        assert_eq!(nearest(&[10.0], 17.0), None);
        assert_eq!(nearest(&[], 1.0), None);
    }

    #[test]
    fn drift_is_the_change_of_the_deviation() {
        let steady: Vec<_> = (0..90).map(f64::from).map(|s| Arrival { slot: s, at: s + 0.002 }).collect();
        assert!(drift(&steady).abs() < 1e-6);
        let late: Vec<_> = (0..90).map(f64::from).map(|s| Arrival { slot: s, at: s * 1.001 }).collect();
        assert!((drift(&late) - 60.0).abs() < 1.0);
    }
}
