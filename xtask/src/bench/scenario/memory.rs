//! C: memory, empty and per monitor, each monitor having been checked.

use std::{thread, time::Duration};

use anyhow::Result;

use super::super::{
    Bench,
    figure::Figure,
    product::{self, Product, Setup},
    target::Target,
};

/// Until what is only needed at the start has been given back.
const SETTLE: Duration = Duration::from_secs(10);

struct Size {
    monitors: usize,
    words: &'static str,
    every_s: u64,
    /// In MB.
    goal: f64,
}

const SIZES: [Size; 3] = [
    Size { monitors: 10_000, words: "10,000 monitors", every_s: 60, goal: 20.0 },
    Size { monitors: 100_000, words: "100,000 monitors", every_s: 60, goal: 100.0 },
    Size { monitors: 1_000_000, words: "1,000,000 monitors", every_s: 600, goal: 1000.0 },
];

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let empty = empty(bench)?;
    figures.push(Figure::new('C', "resident, empty", empty, "MB").at_most(12.0));
    let target = Target::start(&bench.work, "memory", None)?;
    for size in &SIZES[..if bench.million { 3 } else { 2 }] {
        figures.extend(size.measure(bench, &target, empty)?);
    }
    Ok(())
}

fn empty(bench: &Bench) -> Result<f64> {
    let product = Product::start(bench, &Setup::new("empty", ""))?;
    thread::sleep(SETTLE);
    let (resident, _) = product.process.memory()?;
    product.process.stop()?;
    Ok(resident)
}

impl Size {
    fn measure(&self, bench: &Bench, target: &Target, empty: f64) -> Result<Vec<Figure>> {
        let Size { monitors, words, every_s, goal } = *self;
        let name = format!("memory-{monitors}");
        let options = format!("every: {every_s}s, timeout: 5s");
        let file = product::monitors((0..monitors).map(|n| target.url(false, n)), &options);
        let product = Product::start(bench, &Setup::new(&name, &file))?;
        println!("{words}: ready after {:.1} s, each is checked once", product.ready.as_secs_f64());
        // Every monitor once, and the first ones again.
        thread::sleep(Duration::from_secs(every_s) + SETTLE);
        let (resident, most) = product.process.memory()?;
        product.process.stop()?;
        let kilobytes = (resident - empty) * 1e3 / monitors as f64;
        Ok(vec![
            Figure::new('C', format!("resident, {words}"), resident, "MB").at_most(goal),
            Figure::new('C', format!("most ever resident, {words}"), most, "MB"),
            Figure::new('C', format!("per monitor, {words}"), kilobytes, "kB").at_most(1.0),
        ])
    }
}
