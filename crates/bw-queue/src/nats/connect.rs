//! The connection, the stream and its consumers. At the start everything that cannot be so is refused with what to
//! do; afterwards the connection comes back by itself, and a stream that somebody removed is made again.
//!
//! Whose stream it is stands in its description, which every version of the broker keeps.

use super::inbox::Inbox;
use super::{ANSWER, NatsQueue, Options, subject, word};
use crate::broker::estimate::Estimate;
use crate::broker::ledger::Ledger;
use crate::broker::strangers::Ledge;
use crate::broker::{ConnectError, shown};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use bw_domain::limits;
use bw_domain::port::queue::{Lane, QueueError};
use bw_domain::time::Duration;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// What has been here for longer answers no question any more, also after a second delivery.
const KEEP: Duration = Duration::from_secs(5 * 60);
/// A publication that is repeated within this time is dropped.
const TWICE: Duration = Duration::from_secs(30);
/// Messages on the broker's disk, acknowledged ones included: ten thousand a second for as long as they are kept.
const ROOM: i64 = 3_000_000;
/// Messages that all workers together may have under way.
const UNDER_WAY: i64 = 200_000;
/// How often the server is asked at the start, each time for as long as one answer may take.
const PATIENCE: u32 = 8;
/// Requests for messages that may wait: one for each lane of each worker.
const WAITING: i64 = 4_096;

/// How much fits.
pub(super) struct Bounds {
    pub jobs: usize,
    pub room: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { jobs: limits::QUEUE_JOBS, room: ROOM }
    }
}

/// The state of the connection, told by the client's callback.
#[derive(Debug, Default)]
pub(super) struct Line {
    down: AtomicBool,
    /// Requests that were under way when this changed have no answer.
    epoch: AtomicU64,
    /// What the broker last complained of: a missing permission is told only this way.
    complaint: Mutex<Option<String>>,
}

impl Line {
    pub fn epoch(&self) -> u64 {
        self.epoch.load(SeqCst)
    }

    pub fn up(&self) -> Result<(), &'static str> {
        if self.down.load(SeqCst) { Err("the connection is lost and is tried again") } else { Ok(()) }
    }

    fn complaint(&self) -> Option<String> {
        self.complaint.lock().expect("no one panics while holding a complaint").clone()
    }

    fn heard(&self, url: &str, event: &Event) {
        match event {
            Event::Connected => {
                if self.down.swap(false, SeqCst) {
                    tracing::info!("the connection to {url} is back");
                }
                self.epoch.fetch_add(1, SeqCst);
            }
            Event::Disconnected => {
                self.epoch.fetch_add(1, SeqCst);
                if !self.down.swap(true, SeqCst) {
                    tracing::warn!("the connection to {url} is lost; it is tried again");
                }
            }
            // The client never gives up, so this is what follows when we let go of it.
            Event::Closed => {
                self.epoch.fetch_add(1, SeqCst);
                self.down.store(true, SeqCst);
                tracing::debug!("the connection to {url} is ended");
            }
            Event::ServerError(error) => {
                let text = error.to_string();
                tracing::warn!("{url} refuses something: {text}");
                *self.complaint.lock().expect("no one panics while holding a complaint") = Some(text);
            }
            other => tracing::debug!("{url}: {other}"),
        }
    }
}

impl NatsQueue {
    /// Without a look at the length of the lease.
    pub(super) async fn open(options: Options, bounds: Bounds) -> Result<Self, ConnectError> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if options.name.is_empty() || !options.name.chars().all(good) {
            return Err(ConnectError::Address(format!(
                "`{}` cannot be the name of a stream: use letters, digits, `-` and `_`",
                options.name
            )));
        }
        let line = Arc::new(Line::default());
        let client = dial(&options, &line).await?;
        let context = jetstream::new(client.clone());
        // A server that has much to do answers late; one that does not answer at all is told in the end.
        for left in (0..PATIENCE).rev() {
            match ensure(&context, (&options, bounds.room), &line).await {
                Err(ConnectError::Unreachable(why)) if left > 0 => tracing::info!("{why}"),
                answer => {
                    answer?;
                    break;
                }
            }
        }
        let inboxes = Mutex::new([
            Inbox::new(&client, &options.name, Lane::Now)
                .await
                .map_err(|error| unreachable(&options, error))?,
            Inbox::new(&client, &options.name, Lane::Planned)
                .await
                .map_err(|error| unreachable(&options, error))?,
        ]);
        Ok(NatsQueue {
            context,
            line,
            bound: bounds.jobs,
            room: bounds.room,
            inboxes,
            ledger: Mutex::new(Ledger::new(options.lease)),
            ledge: Ledge::default(),
            estimate: Estimate::default(),
            absent: AtomicBool::new(false),
            options,
        })
    }

    /// Makes the stream again where it was found missing.
    pub(super) async fn present(&self) -> Result<(), QueueError> {
        self.line.up().map_err(|why| self.away(why))?;
        if !self.absent.load(SeqCst) {
            return Ok(());
        }
        ensure(&self.context, (&self.options, self.room), &self.line)
            .await
            .map_err(|error| self.away(error))?;
        self.absent.store(false, SeqCst);
        tracing::warn!("the stream `{}` was missing and has been made again", self.options.name);
        Ok(())
    }
}

async fn dial(options: &Options, line: &Arc<Line>) -> Result<Client, ConnectError> {
    let (told, url) = (line.clone(), shown(&options.url));
    let mut nats = ConnectOptions::new()
        .name("bellwether")
        .connection_timeout(Duration::from_secs(3))
        .request_timeout(Some(ANSWER))
        // A connection that is cut without a word is noticed after two of these.
        .ping_interval(Duration::from_secs(5))
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| Duration::from_millis(50 * attempts.min(20) as u64))
        .event_callback(move |event| {
            told.heard(&url, &event);
            std::future::ready(())
        });
    if let Some(roots) = &options.roots {
        nats = nats.add_root_certificates(roots.clone());
    }
    // The client reads no credentials from the address.
    match credentials(&options.url) {
        Some((user, Some(password))) => nats = nats.user_and_password(user, password),
        Some((token, None)) => nats = nats.token(token),
        None => {}
    }
    nats.connect(options.url.as_str()).await.map_err(|error| {
        let url = shown(&options.url);
        match error.kind() {
            ConnectErrorKind::ServerParse => ConnectError::Address(format!(
                "`{url}` is no address of a NATS server ({error}): write nats://host:4222"
            )),
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                ConnectError::Forbidden(format!(
                    "{url} lets nobody in with this user ({error}): put user and password before the host"
                ))
            }
            _ => unreachable(options, error),
        }
    })
}

/// User and password, or a token alone, of the first address that has them.
fn credentials(url: &str) -> Option<(String, Option<String>)> {
    let (front, _) = url.split(',').find_map(|one| one.rsplit_once('@'))?;
    let front = front.rsplit_once("://").map_or(front, |(_, user)| user);
    Some(match front.split_once(':') {
        Some((user, password)) => (plain(user), Some(plain(password))),
        None => (plain(front), None),
    })
}

/// `%40` is `@`, and so on.
fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.filter(|_| byte == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(meant) => {
                bytes.push(meant);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unreachable(options: &Options, error: impl std::fmt::Display) -> ConnectError {
    let url = shown(&options.url);
    ConnectError::Unreachable(format!(
        "no NATS server answers at {url} ({error}): start it, or correct the address"
    ))
}

/// The stream and its consumers are there, are ours, and are as they should be.
async fn ensure(
    context: &Context,
    (options, room): (&Options, i64),
    line: &Line,
) -> Result<(), ConnectError> {
    let refused = |what: &str, error: &dyn std::fmt::Display| {
        let (name, url) = (&options.name, shown(&options.url));
        match line.complaint() {
            Some(complaint) if complaint.to_ascii_lowercase().contains("permission") => {
                ConnectError::Forbidden(format!(
                    "{url} does not permit {what} ({complaint}): permit to publish to `$JS.API.>`, `$JS.ACK.{name}.>` \
                     and `{name}.*`, and to subscribe to `_INBOX.>`"
                ))
            }
            _ if error.to_string().contains("timed out") => ConnectError::Unreachable(format!(
                "{url} does not answer about {what} in time: look whether the server is well"
            )),
            _ => ConnectError::Missing(format!(
                "{url} does not manage {what} ({error}): start the server with JetStream (`-js`), or create the \
                 stream with the subjects `{name}.now` and `{name}.planned`"
            )),
        }
    };
    let what = format!("the stream `{}`", options.name);
    match context.get_stream(&options.name).await {
        Ok(stream) => fits(&stream.cached_info().config, options)?,
        Err(error) if is_missing(&error.kind()) => {
            let made = context.create_stream(config(options, room)).await;
            made.map_err(|error| refused(&what, &error))?;
        }
        Err(error) => return Err(refused(&what, &error)),
    }
    for lane in [Lane::Now, Lane::Planned] {
        let what = format!("the consumer `{}` of the stream `{}`", word(lane), options.name);
        let made = context.create_consumer_on_stream(consumer(options, lane), &options.name).await;
        made.map_err(|error| refused(&what, &error))?;
    }
    Ok(())
}

fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// A stream that was there before.
fn fits(found: &Config, options: &Options) -> Result<(), ConnectError> {
    let (name, url) = (&options.name, shown(&options.url));
    let description = found.description.as_deref().unwrap_or_default();
    if let Some(other) = description.strip_prefix(OF)
        && other != format!("{:032x}", options.installation)
    {
        return Err(ConnectError::Foreign(format!(
            "the stream `{name}` at {url} belongs to the installation {other}, and this one is {:032x}: give each \
             installation a stream of its own, or delete the stream if that one is gone",
            options.installation
        )));
    }
    let covers = |lane| {
        let wanted = subject(name, lane);
        let all = [format!("{name}.*"), format!("{name}.>"), ">".to_owned()];
        found.subjects.iter().any(|subject| *subject == wanted || all.contains(subject))
    };
    if !covers(Lane::Now) || !covers(Lane::Planned) {
        return Err(ConnectError::Unfit(format!(
            "the stream `{name}` at {url} takes {:?} and not `{name}.now` and `{name}.planned`: add them, or use \
             another name",
            found.subjects
        )));
    }
    if found.retention != RetentionPolicy::Limits {
        return Err(ConnectError::Unfit(format!(
            "the stream `{name}` at {url} keeps its messages by {:?}: jobs need retention by limits",
            found.retention
        )));
    }
    Ok(())
}

const OF: &str = "bellwether jobs of installation ";

fn config(options: &Options, room: i64) -> Config {
    Config {
        name: options.name.clone(),
        description: Some(format!("{OF}{:032x}", options.installation)),
        subjects: vec![subject(&options.name, Lane::Now), subject(&options.name, Lane::Planned)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // A job is refused rather than an older one silently lost.
        discard: DiscardPolicy::New,
        max_age: KEEP.max(options.lease * 3),
        max_messages: room,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: 1,
        duplicate_window: TWICE,
        ..Config::default()
    }
}

fn consumer(options: &Options, lane: Lane) -> pull::Config {
    pull::Config {
        durable_name: Some(word(lane).to_owned()),
        filter_subject: subject(&options.name, lane),
        ack_policy: AckPolicy::Explicit,
        ack_wait: options.lease,
        max_ack_pending: UNDER_WAY,
        max_waiting: WAITING,
        ..pull::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nats::MAX_JOBS;
    use crate::real::RealClock;
    use bw_testkit::nats::Server;
    use std::io::Write;
    use tracing_subscriber::fmt::MakeWriter;

    /// What is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        async fn says(&self, words: &str) {
            for _ in 0..500 {
                if self.text().contains(words) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("`{words}` is not in the log:\n{}", self.text());
        }
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Log;

        fn make_writer(&self) -> Log {
            self.clone()
        }
    }

    /// One thread runs the test and the client's callback, so the log is theirs alone.
    #[tokio::test]
    async fn only_a_connection_that_somebody_else_ends_is_lost() {
        let log = Log::default();
        // While there is only one, `tracing` remembers of each line what the first thread that meets it wants: those of
        // the other tests want nothing.
        let _another = tracing::Dispatch::new(tracing_subscriber::registry());
        let fmt = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
        let _logged = tracing::subscriber::set_default(fmt.with_writer(log.clone()).finish());
        let server = Server::start().await;
        let open = async |installation| {
            let (url, name, clock) = (server.url(), "jobs".to_owned(), Arc::new(RealClock::start()));
            let lease = limits::JOB_LEASE;
            let options = Options { url, name, installation, lease, max_jobs: MAX_JOBS, clock, roots: None };
            NatsQueue::open(options, Bounds::default()).await
        };
        let queue = open(1).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(open(2).await, Err(ConnectError::Foreign(_))));
        log.says("is ended").await;
        assert!(!log.text().contains("is lost"), "it is ours that ended:\n{}", log.text());
        server.kill();
        log.says("is lost").await;
        drop(queue);
    }

    #[test]
    fn credentials_stand_before_the_host() {
        let read = |url| credentials(url).map(|(user, word)| (user, word.unwrap_or_default()));
        let both = |user: &str, word: &str| Some((user.to_owned(), word.to_owned()));
        assert_eq!(read("nats://a:p%40ss%2@host:4222"), both("a", "p@ss%2"));
        assert_eq!(read("tls://one,tls://to%3Aken@two"), both("to:ken", ""));
        assert_eq!(read("a:b@host"), both("a", "b"));
        assert_eq!(read("nats://host:4222"), None);
    }
}
