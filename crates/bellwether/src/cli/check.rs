//! `check`: one probe now, by the same code as the schedule's, without a server and without leaving a trace.

use super::args::CheckArgs;
use super::{block_on, waterfall};
use crate::answer::{Answer, Outcome as Answered, Status, Stop};
use crate::compose;
use crate::config::{Environment, Settings, Stated};
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::monitor::{Declaration, Spec, compile};
use bw_domain::outcome::{Outcome, Phase, Verdict};
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::port::store::Revision;
use bw_domain::read::Problem;
use bw_domain::time::{Instant, Span};
use bw_probe::BwProber;
use serde_json::{Value, json};
use std::sync::Arc;

/// Probes and reports. Exit status: 0 pass, 1 fail, 2 usage, 3 inconclusive.
pub fn run(args: CheckArgs) -> Answered {
    let document = document(&args)?;
    let declared = Declaration::from_json(&document).map_err(|problems| wrong(&problems))?;
    let environment = Environment::of_process();
    let settings = Settings::layered(Stated::default(), &environment, Default::default());
    let settings = settings.map_err(|problems| wrong(&problems))?;
    let clock = compose::clock();
    let spec = spec(declared, clock.now(), &settings).map_err(|problems| wrong(&problems))?;
    let outcome = block_on(async {
        let net = compose::net(&settings, &environment, clock.clone())?;
        let prober = BwProber::new(bw_probe::Config::new(net, tokio::runtime::Handle::current()));
        Ok(prober.once(Assignment::now(spec.clone(), clock.now())).await)
    })?;
    let status = match outcome.verdict {
        Verdict::Pass => Status::Good,
        Verdict::Fail => Status::Failed,
        Verdict::Inconclusive => Status::Inconclusive,
    };
    let text = if args.json {
        format!("{:#}", report(&spec, &outcome))
    } else {
        waterfall::draw(&spec.target(), &outcome, clock.now())
    };
    Ok(Answer { text, status })
}

/// The monitor that the arguments mean.
fn document(args: &CheckArgs) -> Answered<Value> {
    let (kind, target) = match args.url.split_once("://") {
        Some(("http" | "https", _)) => ("http", args.url.as_str()),
        Some(("tcp", address)) => ("tcp", address.trim_end_matches('/')),
        Some(("tls", address)) => ("tls", address.trim_end_matches('/')),
        Some((scheme, _)) => {
            return Err(Stop::usage(format!(
                "`{scheme}://` is not probed: write http://, https://, tcp:// or tls://"
            )));
        }
        None => {
            let url = &args.url;
            return Err(Stop::usage(format!("`{url}` has no scheme: write https://{url} or tcp://{url}")));
        }
    };
    let mut document = json!({ "name": "check", kind: target, "expect": args.expect });
    if let Some(timeout) = &args.timeout {
        let span: Span = timeout.parse().map_err(|error| Stop::usage(format!("--timeout: {error}")))?;
        document["timeout"] = json!(timeout);
        // A timeout must not be longer than the cadence, and there is no cadence here.
        document["every"] = json!(span.max(Span(std::time::Duration::from_secs(60))));
    }
    Ok(document)
}

/// The command line has no paths: its own words instead.
fn wrong(problems: &[Problem]) -> Stop {
    let words = |problem: &Problem| match problem.path.split(['[', '.']).next() {
        Some("expect") => format!("--expect: {}", problem.message),
        Some("timeout" | "every") => format!("--timeout: {}", problem.message),
        _ => problem.message.clone(),
    };
    Stop::usage(problems.iter().map(words).collect::<Vec<_>>().join("\n"))
}

fn spec(declared: Declaration, now: Instant, settings: &Settings) -> Result<Arc<Spec>, Vec<Problem>> {
    let revision = Revision {
        id: MonitorId(0),
        uuid: Uuid::from_random(0),
        revision: 0,
        effective_from: now,
        created_at: now,
        updated_at: now,
        owner: None,
        declared: Some(declared),
    };
    compile(&revision, &settings.defaults).map(Arc::new)
}

/// What `--json` prints.
fn report(spec: &Spec, outcome: &Outcome) -> Value {
    let ms = |us: u32| f64::from(us) / 1_000.0;
    let phases: serde_json::Map<String, Value> = Phase::ALL
        .iter()
        .map(|phase| (phase.word().to_owned(), json!(ms(outcome.phases.get(*phase)))))
        .collect();
    json!({
        "target": &spec.target(),
        "at": outcome.at,
        "verdict": outcome.verdict,
        "code": outcome.code,
        "status": outcome.status,
        "latency_ms": ms(outcome.latency_us),
        "phases": phases,
        "evidence": outcome.evidence,
        "certificate": outcome.certificate,
    })
}
