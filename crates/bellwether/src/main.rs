//! Bellwether: one binary that tells people, correctly and quickly, whether their services work.
//!
//! This crate is the only one that sees all others. `compose` knows the mode (which ports stand behind the loops),
//! `roles` knows the role (which loops and listeners run), `supervise` owns every task, `system` the clock and the
//! dice, `config` the file, `cli` the commands. Nothing else here decides anything.

mod answer;
mod cli;
mod compose;
mod config;
mod observer;
mod outbound_heartbeat;
mod ready;
mod reload;
mod resources;
mod roles;
mod scaling;
mod supervise;
mod system;
mod telemetry;
mod wake;

use answer::Status;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let (text, sentence, status) = match cli::run(std::env::args_os().collect()) {
        Ok(answer) => (answer.text, String::new(), answer.status),
        Err(stop) => (String::new(), stop.sentence, stop.status),
    };
    if !sentence.is_empty() {
        // Without a standard error the status says it alone.
        drop(writeln!(std::io::stderr().lock(), "{}", sentence.trim_end()));
    }
    match write(&text) {
        Ok(()) => ExitCode::from(status.code()),
        Err(_) => ExitCode::from(Status::Failed.code()),
    }
}

/// Writes the answer. A reader that has seen enough (`| head`) is no failure.
fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
