//! I: the size of the binary with everything, and how soon a fresh database shows its first page.

use std::{fs, time::Instant};

use anyhow::{Context, Result, ensure};

use super::super::{
    Bench,
    figure::Figure,
    product::{Product, Setup},
    statistics::Samples,
    target::Target,
};

const STARTS: usize = 5;

pub fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    let size = fs::metadata(&bench.product).context("the release build left no binary")?.len() as f64 / 1e6;
    let mut pages = Vec::new();
    let mut targets = Vec::new();
    for n in 0..STARTS {
        pages.push(first_page(bench, &format!("fresh-{n}"))?);
        targets.push(Target::start(&bench.work, &format!("fresh-{n}"), None)?.start.as_secs_f64());
    }
    let cold = pages[0];
    let (pages, targets) = (Samples::new(pages), Samples::new(targets));
    figures.extend([
        Figure::new('I', "binary with every feature", size, "MB").at_most(30.0),
        Figure::new('I', "first page on a fresh database, median", pages.median(), "s")
            .at_most(0.3)
            .raw(targets.median()),
        Figure::new('I', "first page on a fresh database, first start", cold, "s"),
    ]);
    Ok(())
}

/// Seconds from the start of the process to the last byte of its overview.
fn first_page(bench: &Bench, name: &str) -> Result<f64> {
    let start = Instant::now();
    let product = Product::start(bench, &Setup::new(name, ""))?;
    let answer = product.client().get("/")?;
    let took = start.elapsed().as_secs_f64();
    ensure!(answer.status == 200, "GET / answered {}", answer.status);
    product.process.stop()?;
    Ok(took)
}
