//! Probes against servers that misbehave on purpose, on real sockets of this machine. Every code that a probe can
//! end with is produced by a test here, but for those that need a broken host: their mapping from the operating
//! system's errors is tested in `bw-net`.

mod body;
mod codes;
mod evidence;
mod host;
mod prober;
mod redirect;
mod selftest;
mod tls;

use bw_domain::outcome::{Code, Outcome, Verdict};
use bw_domain::port::prober::{Assignment, Prober};
use bw_net::{Net, NetConfig};
use bw_probe::{BwProber, Config};
use bw_testkit::builders;
use bw_testkit::server::RunningClock;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::runtime::Handle;

/// The day of all tests: certificates are made around it.
const TODAY: &str = "2026-11-21T12:00:00Z";

/// A prober with its way out.
struct World {
    net: Arc<Net>,
    prober: BwProber,
}

impl World {
    fn new(config: NetConfig) -> Self {
        World::with(config, |config| config)
    }

    fn with(net: NetConfig, change: impl FnOnce(Config) -> Config) -> Self {
        let net = Net::new(net, Arc::new(RunningClock::starting(TODAY))).expect("the configuration is sound");
        let prober = BwProber::new(change(Config::new(net.clone(), Handle::current())));
        World { net, prober }
    }

    /// Due now.
    fn assignment(&self, document: &Value) -> Assignment {
        let spec = builders::spec(1, document);
        let job = builders::job(&spec, self.net.clock().now());
        Assignment { job, spec: Arc::new(spec) }
    }

    async fn probe(&self, document: &Value) -> Outcome {
        self.prober.once(self.assignment(document)).await
    }
}

/// A monitor of this target with a time limit that fits a test.
fn monitor(target: Value, more: Value) -> Value {
    let mut document = json!({"name": "Target", "every": "5s", "timeout": "2s"});
    for part in [target, more] {
        let fields = part.as_object().expect("a map").clone();
        document.as_object_mut().expect("a map").extend(fields);
    }
    document
}

/// The sentence of an outcome that is not a pass.
fn text(outcome: &Outcome) -> &str {
    outcome.evidence.as_ref().map_or("", |evidence| &evidence.text)
}

/// Checks verdict and code, and that they fit each other and the rest of the outcome.
#[track_caller]
fn check(outcome: &Outcome, code: Code, part: &str) {
    assert_eq!(outcome.code, code, "{outcome:?}");
    let verdict = match code {
        Code::OK => Verdict::Pass,
        code if code.is_ours() => Verdict::Inconclusive,
        _ => Verdict::Fail,
    };
    assert_eq!(outcome.verdict, verdict, "{outcome:?}");
    assert_eq!(outcome.evidence.is_none(), verdict == Verdict::Pass, "{outcome:?}");
    assert!(text(outcome).contains(part), "{:?} does not say {part:?}", text(outcome));
    assert!(outcome.phases.total() <= outcome.latency_us, "{outcome:?}");
}
