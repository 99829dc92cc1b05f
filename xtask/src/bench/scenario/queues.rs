//! Jobs a second through each queue, alone: the program `rate` of `bw-queue` beside NATS, beside an emulator of SQS,
//! and with the queue in process. It checks that each job came exactly once before it says anything.
//!
//! The emulator is a Python program: its figures say what the client costs, and nothing about the service.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::super::{figure::Figure, services::Broker, target::pinned};
use crate::{metadata::Metadata, shell};

const JOBS: usize = 200_000;
/// The kernel counts CPU time in hundredths of a second, and these cost next to nothing.
const JOBS_MEMORY: usize = 2_000_000;
const JOBS_SQS: usize = 50_000;

/// What the program says.
#[derive(Deserialize)]
struct Report {
    jobs: usize,
    published_per_s: f64,
    received_per_s: f64,
    /// Microseconds of a job.
    publish_cpu_us: f64,
    receive_cpu_us: f64,
}

pub fn measure(figures: &mut Vec<Figure>) -> Result<()> {
    let rate = build()?;
    let memory = report(rate_of(&rate, &["memory"], JOBS_MEMORY))?;
    figures.extend(memory.figures("memory"));

    let nats = Broker::nats()?;
    let before = nats.cpu()?;
    let through = report(rate_of(&rate, &["nats", &nats.url], JOBS))?;
    let spent = (nats.cpu()? - before) * 1e6 / through.jobs as f64;
    figures.extend(through.figures("NATS"));
    figures.push(Figure::new("fleet", "CPU of a job through NATS: the broker", spent, "µs"));
    drop(nats);

    let Some(sqs) = Broker::sqs()? else {
        println!("moto_server, the emulator of SQS, is not here: SQS is left out");
        return Ok(());
    };
    let mut command = rate_of(&rate, &["sqs", &sqs.url], JOBS_SQS);
    command.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench");
    command.env("AWS_REGION", "eu-central-1");
    figures.extend(report(command)?.figures("SQS (emulator)"));
    Ok(())
}

/// The release build of the program.
fn build() -> Result<std::path::PathBuf> {
    let build = ["build", "--release", "-p", "bw-queue", "--features", "nats,sqs", "--example", "rate"];
    ensure!(shell::run(&mut shell::cargo(&build))?, "the program `rate` does not build");
    Ok(Metadata::load()?.target_directory.join("release").join("examples").join("rate"))
}

/// With nothing in its environment that would lead it elsewhere.
fn rate_of(program: &Path, words: &[&str], jobs: usize) -> Command {
    let mut command = pinned(program, None);
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    command.args(words).arg(jobs.to_string());
    command
}

fn report(mut command: Command) -> Result<Report> {
    serde_json::from_slice(&shell::capture(&mut command)?).context("the program `rate` prints no report")
}

impl Report {
    fn figures(&self, through: &str) -> [Figure; 3] {
        let figure = |label: String, value, unit| Figure::new("fleet", label, value, unit);
        let cpu = self.publish_cpu_us + self.receive_cpu_us;
        [
            figure(format!("jobs a second through {through}: published"), self.published_per_s, "1/s"),
            figure(format!("jobs a second through {through}: received, acked"), self.received_per_s, "1/s"),
            figure(format!("CPU of a job through {through}: the client"), cpu, "µs"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_becomes_figures() {
        let line = r#"{"jobs":2,"published_per_s":10.0,"received_per_s":20.0,"publish_cpu_us":1.5,"receive_cpu_us":2.0}"#;
        let report: Report = serde_json::from_str(line).unwrap();
        let values = report.figures("NATS").map(|figure| (figure.figure, figure.value));
        assert_eq!(values[0], ("jobs a second through NATS: published".to_owned(), 10.0));
        assert_eq!(values[1].1, 20.0);
        assert_eq!(values[2], ("CPU of a job through NATS: the client".to_owned(), 3.5));
    }
}
