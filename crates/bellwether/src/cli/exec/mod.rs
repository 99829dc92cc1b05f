//! `exec`: runs a command and reports it to a heartbeat. The command comes first: it is started before anything is
//! asked of a server, nothing that a server does delays or changes it, and its exit status is ours. What cannot be told
//! now is kept and told by a later run, with the instant at which it really happened.

mod address;
mod aside;
mod drain;
mod job;
mod output;
mod processes;
mod report;
mod signals;
mod spool;
mod tail;

use super::args::ExecArgs;
use crate::answer::{Answer, Outcome, Status, Stop, chain};
use crate::compose;
use crate::config::{Environment, variable};
use crate::system::SystemEntropy;
use address::Address;
use aside::aside;
use bw_domain::id::Uuid;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::time::Span;
use bw_net::{Net, NetConfig, Outbound};
use drain::Drain;
use job::{Ended, Job};
use output::Output;
use report::{Reporter, Sent};
use signals::Signals;
use spool::{Beat, Spool};
use std::ffi::OsString;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tail::TAIL_UNKNOWN;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What is spent on the report after the command has ended.
const REPORT: Duration = Duration::from_secs(5);
/// The part of it for a start that is still under way: sent after the end it would begin a run that never ends.
const START: Duration = Duration::from_secs(1);
/// For a home directory that is far away.
const KEEP: Duration = Duration::from_secs(2);
/// The status for a fault of ours before the command could be started, as `timeout` has it.
const NOT_BEGUN: Status = Status::Of(125);

/// What is to be done.
struct Asked {
    address: Address,
    limit: Option<Duration>,
    command: Vec<OsString>,
}

/// Runs the command and reports it.
pub fn run(args: ExecArgs) -> Outcome {
    let asked = understand(args)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| Stop {
            sentence: format!(
                "bellwether: the command is not started, because the runtime cannot start: {error}"
            ),
            status: NOT_BEGUN,
        })?;
    let outcome = runtime.block_on(work(asked));
    runtime.shutdown_background();
    outcome
}

/// Everything that can be wrong with the command line, before anything happens.
fn understand(args: ExecArgs) -> Outcome<Asked> {
    let address = Address::of(&args, &variable)?;
    let limit = match &args.time_limit {
        Some(text) => {
            let span: Span = text.parse().map_err(|error| Stop::usage(format!("--time-limit: {error}")))?;
            if span.0.is_zero() {
                return Err(Stop::usage("--time-limit: must be longer than nothing"));
            }
            Some(span.0)
        }
        None => None,
    };
    if args.command.is_empty() {
        return Err(Stop::usage("name the command: bellwether exec --beat URL -- CMD ARGS…"));
    }
    Ok(Asked { address, limit, command: args.command })
}

async fn work(asked: Asked) -> Outcome {
    let (clock, run) = (compose::clock(), Uuid::from_random(SystemEntropy::new().bits()).to_string());
    let own_group = job::wants_own_group();
    let mut signals = Signals::listen(own_group);
    let mut output = Output::new();
    let began = clock.monotonic();
    let job = Job::start(&asked.command, own_group, &mut output);
    let reporter = Reporter::new(way_out(&clock));
    let spool = Spool::of_user(&variable);
    let mut start = begin(&reporter, asked.address.ping("start", &run));
    let drain = Drain::start(spool.as_ref(), &reporter, &clock);
    let (ended, sentence) = match job {
        Ok(job) => (job.end(&mut signals, asked.limit).await, None),
        Err(not) => (Ended { status: not.status, limit_reached: false }, Some(not.sentence)),
    };
    let (at_ms, took) = (clock.now().ms(), clock.monotonic().saturating_sub(began));
    output.command_has_ended();

    let action = if ended.limit_reached { "fail".to_owned() } else { ended.status.to_string() };
    let url = format!("{}&duration_ms={}", asked.address.ping(&action, &run), took.as_millis());
    let last = sentence.clone().or_else(|| limit_line(&ended, asked.limit));
    let report = async {
        let sent_at = clock.monotonic();
        let (limit, ()) = tokio::join!(timeout(START, start.join_next()), output.read());
        start.shutdown().await;
        let limit = limit.ok().flatten().and_then(Result::ok).flatten();
        let body = output.end(limit.unwrap_or(TAIL_UNKNOWN), last.as_deref());
        let left = REPORT.saturating_sub(clock.monotonic().saturating_sub(sent_at));
        (reporter.deliver(&url, &body, left).await, limit)
    };
    let mut told = pin!(signals.told_to_end());
    let ((sent, limit), patient) = tokio::select! {
        reported = report => (reported, true),
        () = &mut told => ((Sent::Unanswered { why: "a signal came first".to_owned() }, None), false),
    };
    let mut said: Vec<String> = sentence.into_iter().collect();
    if !matches!(sent, Sent::Taken { .. }) {
        let body = output.end(limit.unwrap_or(TAIL_UNKNOWN), last.as_deref());
        said.push(not_sent(&sent, spool, Beat { url, at_ms, body }, run).await);
    }
    if patient {
        let rest = async {
            output.passed().await;
            drain.finish().await
        };
        tokio::select! {
            refused = rest => said.extend(never(refused)),
            () = told => {}
        }
    }
    let status = Status::Of(ended.status);
    match said.is_empty() {
        true => Ok(Answer { text: String::new(), status }),
        false => Err(Stop { sentence: said.join("\n"), status }),
    }
}

/// The way to the server that the user names: private addresses are allowed, certificates are verified.
fn way_out(clock: &Arc<dyn Clock>) -> Result<Outbound, String> {
    let roots = Environment::of_process().certificates.map(Into::into);
    let net = Net::new(NetConfig { roots, ..NetConfig::default() }, clock.clone());
    net.map(Outbound::new).map_err(|error| chain(&error))
}

/// Reports the start beside the command. Answers how much output the server takes, if it says so.
fn begin(reporter: &Reporter, url: String) -> JoinSet<Option<usize>> {
    let (reporter, mut task) = (reporter.clone(), JoinSet::new());
    task.spawn(async move {
        match reporter.deliver(&url, b"", REPORT).await {
            Sent::Taken { limit } => limit,
            // The end says what is wrong; it goes the same way.
            _ => None,
        }
    });
    task
}

fn limit_line(ended: &Ended, limit: Option<Duration>) -> Option<String> {
    let limit = limit.filter(|_| ended.limit_reached)?;
    Some(format!("bellwether: the time limit of {} was reached, and the command was ended", Span(limit)))
}

/// Keeps what can be told later, and says so.
async fn not_sent(sent: &Sent, spool: Option<Spool>, beat: Beat, run: String) -> String {
    let why = format!("bellwether: this run is not reported: {}", sent.why());
    if sent.is_settled() {
        return why;
    }
    let kept = match spool {
        Some(spool) => {
            let keeping = timeout(KEEP, aside(move || spool.keep(&beat, &run))).await;
            let slow = || format!("the state directory does not answer within {} s", KEEP.as_secs());
            keeping.map_err(|_| slow()).and_then(|kept| kept.map_err(|error| error.to_string()))
        }
        None => Err("neither HOME nor XDG_STATE_HOME says where".to_owned()),
    };
    match kept {
        Ok(()) => format!("{why}; the next `bellwether exec` tries again"),
        Err(error) => format!("{why}; nor can it be kept for later: {error}"),
    }
}

fn never(refused: usize) -> Option<String> {
    (refused > 0).then(|| format!("bellwether: the server has refused earlier reports for good: {refused}"))
}
