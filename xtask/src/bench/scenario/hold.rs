//! B: 10,000 monitors at one second on one core, counted at the target.

use std::{thread, time::Duration};

use anyhow::Result;

use super::super::{
    Bench,
    figure::Figure,
    product::{self, Product, Setup},
    raw,
    target::Target,
    time,
};

const MONITORS: usize = 10_000;
const SETTLE: Duration = Duration::from_secs(25);
const WINDOW: Duration = Duration::from_secs(30);

/// The product has one core and the target the other; on a machine with one they share it.
fn cores() -> (Option<&'static str>, Option<&'static str>) {
    let several = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    if several { (Some("0"), Some("1")) } else { (None, None) }
}

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let (ours, theirs) = cores();
    let target = Target::start(&bench.work, "hold", theirs)?;
    let file = product::monitors((0..MONITORS).map(|n| target.url(false, n)), "every: 1s, timeout: 1s");
    let product = Product::start(bench, &Setup { core: ours, ..Setup::new("hold", &file) })?;
    thread::sleep(SETTLE);

    let (from, before, target_before) = (time::now(), product.process.cpu()?, target.cpu()?);
    thread::sleep(WINDOW);
    let (to, cpu) = (time::now(), product.process.cpu()? - before);
    let target_cpu = target.cpu()? - target_before;
    let checks = target.hits(from, to)?.len() as f64;
    product.process.stop()?;

    let raw = raw::Options { threads: 4, ..raw::plain(target.plain, 100_000) };
    let raw = raw::start(&bench.raw, &raw, ours)?;
    let seconds = to - from;
    let due = MONITORS as f64 * seconds;
    figures.extend([
        Figure::new('B', "10,000 monitors at 1 s: checks held", 100.0 * checks / due, "%").at_least(99.5),
        Figure::new('B', "checks a second", checks / seconds, "1/s").raw(raw.checks as f64 / raw.wall_s),
        Figure::new('B', "share of the core used", 100.0 * cpu / seconds, "%"),
        Figure::new('B', "share of the target's core used", 100.0 * target_cpu / seconds, "%"),
    ]);
    Ok(())
}
