//! `beats tail`: what jobs report, as it comes in, one line a beat, until Ctrl-C.
//!
//! It goes on where it stopped: a server that restarts, or is away for a while, costs no line. That it waits is said once.

use super::args::{BeatsCommand, TailArgs};
use super::block_on;
use super::client::{Missing, Server};
use crate::answer::{Answer, Outcome, Stop};
use crate::supervise::Signals;
use bw_domain::time::Span;
use http::Method;
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::time::Duration;
use tokio::time::sleep;

/// How often it is asked what is new.
const EACH: Duration = Duration::from_secs(1);
/// Beats of one answer.
const PAGE: usize = 1_000;
/// Beats of the past that are shown first.
const FIRST: usize = 10;

/// Runs it.
pub fn run(command: BeatsCommand) -> Outcome {
    let BeatsCommand::Tail(args) = command;
    block_on(async {
        let mut signals = Signals::listen()?;
        let server = Server::reach(&args.place, Missing::Refuse).await?;
        if matches!(server, Server::Local { .. }) {
            server.close().await;
            return Err(Stop::failed(
                "no server takes beats in here: start `bellwether serve`, or set BELLWETHER_URL to the address of one",
            ));
        }
        tokio::select! {
            biased;
            () = signals.stop() => Ok(Answer::good("")),
            ended = tail(&server, &args) => ended.map(|()| Answer::good("")),
        }
    })
}

/// Ends when nobody reads any more, or when the server refuses.
async fn tail(server: &Server, args: &TailArgs) -> Outcome<()> {
    if let Some(id) = args.monitor {
        let monitor = server.ask(Method::GET, &format!("/api/v1/monitors/{id}"), None).await?;
        if monitor["heartbeat"].is_null() {
            return Err(Stop::failed(format!("monitor {id} is probed: only heartbeats have beats")));
        }
    }
    let (mut cursor, mut waits) = (None, false);
    loop {
        let after = cursor.as_ref().map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        let Some(page) = server.poll(&format!("/api/v1/beats?limit={PAGE}{after}")).await? else {
            if !waits {
                // Without a standard error nobody hears it.
                drop(writeln!(std::io::stderr().lock(), "the server does not answer: waiting for it"));
            }
            waits = true;
            sleep(EACH).await;
            continue;
        };
        waits = false;
        let all = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut beats: Vec<&Value> =
            all.iter().filter(|beat| args.monitor.is_none_or(|id| beat["monitor"] == id)).collect();
        if cursor.is_none() {
            beats.drain(..beats.len().saturating_sub(FIRST));
        }
        if !show(&beats, args.json)? {
            return Ok(());
        }
        cursor = page["cursor"].as_str().map(str::to_owned).or(cursor);
        if all.len() < PAGE || after.is_empty() {
            sleep(EACH).await;
        }
    }
}

/// Writes lines; answers whether anybody reads them.
fn show(beats: &[&Value], as_json: bool) -> Outcome<bool> {
    let mut text = String::new();
    for beat in beats {
        text.push_str(&if as_json { beat.to_string() } else { line(beat) });
        text.push('\n');
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Stop::failed(format!("lines cannot be written: {error}"))),
    }
}

/// `2026-11-21T03:00:04.512Z  Nightly backup  success  exit 0, took 12.3s, 4.5s late, from 192.0.2.7`
fn line(beat: &Value) -> String {
    let text = |key: &str| beat[key].as_str().unwrap_or_default();
    let name = match text("monitor_name") {
        "" => format!("monitor {}, which has ended", beat["monitor"]),
        name => name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    };
    let mut details = Vec::new();
    if let Some(status) = beat["exit_status"].as_u64() {
        details.push(format!("exit {status}"));
    }
    if let Some(took) = beat["duration_ms"].as_u64() {
        details.push(format!("took {}", rounded(took)));
    }
    // A beat that is expected every so often comes before that time is over: being early says nothing.
    if let Some(late) = beat["late_ms"].as_i64().filter(|late| *late > 0) {
        details.push(format!("{} late", rounded(late.unsigned_abs())));
    }
    if !beat["happened_at"].is_null() {
        details.push(format!("happened {}", text("happened_at")));
    }
    if !text("run").is_empty() {
        details.push(format!("run {}", text("run")));
    }
    if !text("remote_addr").is_empty() {
        details.push(format!("from {}", text("remote_addr")));
    }
    format!("{}  {name}  {}  {}", text("at"), text("kind"), details.join(", ")).trim_end().to_owned()
}

/// As exact as people want it: `850ms`, `12.3s`, `90m`.
fn rounded(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{:.1}s", ms as f64 / 1e3),
        60_000..3_600_000 => Span(Duration::from_secs(ms / 1_000)).to_string(),
        _ => Span(Duration::from_secs(ms / 60_000 * 60)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines() {
        let beat = json!({
            "monitor": 3, "monitor_name": "Nightly\nbackup", "number": 7, "at": "2026-11-21T03:00:04.512Z",
            "happened_at": null, "kind": "fail", "exit_status": 7, "run": null, "duration_ms": 12_345,
            "late_ms": 4_500, "remote_addr": "192.0.2.7",
        });
        assert_eq!(
            line(&beat),
            "2026-11-21T03:00:04.512Z  Nightly backup  fail  exit 7, took 12.3s, 4.5s late, from 192.0.2.7"
        );
        let gone = json!({"monitor": 3, "monitor_name": null, "at": "2026-11-21T03:00:04Z", "kind": "start"});
        assert_eq!(line(&gone), "2026-11-21T03:00:04Z  monitor 3, which has ended  start");
    }

    #[test]
    fn durations() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (59_900, "59.9s"),
            (90_500, "90s"),
            (5_430_000, "90m"),
            (7_200_000, "2h"),
        ] {
            assert_eq!(rounded(ms), text, "{ms}");
        }
    }
}
