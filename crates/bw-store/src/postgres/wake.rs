//! Wake-ups between the nodes, by LISTEN and NOTIFY, on a connection of its own.
//!
//! This node is woken at once, by itself; the others hear of it in one notice for everything of 50 ms. Outcomes, jobs
//! and beats are nobody else's concern and too many. Nothing depends on a notice: every loop also polls. When the connection is
//! lost it is opened again, and then every topic is woken, because nobody knows what was missed.

use super::connect::Target;
use super::error::shown;
use bw_domain::port::Fut;
use bw_domain::port::wake::{Topic, Wake};
use bw_domain::time::Duration;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection, Error, Socket};

/// Topics that other nodes want to hear of, and their words in a notice.
const SHARED: [(Topic, &str); 4] = [
    (Topic::Catalog, "catalog"),
    (Topic::Timers, "timers"),
    (Topic::Events, "events"),
    (Topic::Deliveries, "deliveries"),
];
const ALL: [Topic; 7] = [
    Topic::Catalog,
    Topic::Jobs,
    Topic::Outcomes,
    Topic::Beats,
    Topic::Timers,
    Topic::Events,
    Topic::Deliveries,
];
/// Between two notices.
const PAUSE: Duration = Duration::from_millis(50);
/// Without anything to say the connection is asked whether it lives.
const PING: Duration = Duration::from_secs(15);
/// An answer on this connection takes no longer.
const ANSWER: Duration = Duration::from_secs(10);
/// From the first to the longest pause before the connection is opened again.
const AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// The wake-ups of one node.
pub struct PgWake {
    bells: Arc<Bells>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Bells {
    /// One permit a topic: a notice that comes while the listener works is there when it waits again.
    topics: [Notify; ALL.len()],
    /// A bit for each of `SHARED` that the others have not been told of.
    untold: AtomicU8,
    said: Notify,
}

impl PgWake {
    /// Begins to listen. It goes on until it is closed or nobody has it any more.
    pub(super) fn start(target: Target) -> Arc<Self> {
        let bells = Arc::<Bells>::default();
        #[expect(
            clippy::disallowed_methods,
            reason = "its life is this value's, which ends it: see `close` and `drop`"
        )]
        let listener = tokio::spawn(listen(target, bells.clone()));
        Arc::new(PgWake { bells, listener: Mutex::new(Some(listener)) })
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        listener.inspect(JoinHandle::abort)
    }

    /// Ends the connection. This node still wakes itself.
    pub(super) async fn close(&self) {
        if let Some(listener) = self.stop() {
            // It was ended from here; that is all it can say.
            listener.await.ok();
        }
    }
}

impl Drop for PgWake {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Wake for PgWake {
    fn notify(&self, topic: Topic) {
        self.bells.topics[topic as usize].notify_one();
        if let Some(bit) = SHARED.iter().position(|(shared, _)| *shared == topic) {
            self.bells.untold.fetch_or(1 << bit, SeqCst);
            self.bells.said.notify_one();
        }
    }

    fn wait(&self, topic: Topic) -> Fut<'_, ()> {
        Box::pin(self.bells.topics[topic as usize].notified())
    }
}

impl Bells {
    fn ring(&self, topic: Topic) {
        self.topics[topic as usize].notify_one();
    }

    /// A notice of another node.
    fn hear(&self, payload: &str) {
        for word in payload.split(',') {
            if let Some((topic, _)) = SHARED.iter().find(|(_, known)| *known == word) {
                self.ring(*topic);
            }
        }
    }

    /// What the others must be told, once.
    fn take(&self) -> String {
        let bits = self.untold.swap(0, SeqCst);
        let words = SHARED.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
        words.map(|(_, (_, word))| *word).collect::<Vec<_>>().join(",")
    }
}

async fn listen(target: Target, bells: Arc<Bells>) {
    let mut pause = AGAIN[0];
    loop {
        match target.config.connect(target.tls.clone()).await {
            Ok((client, connection)) => {
                let ended = tokio::select! {
                    ended = hear(connection, &bells) => ended,
                    ended = speak(&client, &bells, &mut pause) => ended,
                };
                tracing::info!(place = %target.place, why = %ended, "wake-ups of other nodes are polled for now");
            }
            Err(error) => {
                tracing::debug!(place = %target.place, why = %shown(&error), "no connection to listen on")
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(AGAIN[1]);
    }
}

/// Keeps the connection going, and rings for what others say.
async fn hear<S>(mut connection: Connection<Socket, S>, bells: &Bells) -> String
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notice))) => bells.hear(notice.payload()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return shown(&error),
            None => return "the connection was closed".to_owned(),
        }
    }
}

/// Says what this node has to say. Its own notices come back to it: one more look, which does no harm.
async fn speak(client: &Client, bells: &Bells, pause: &mut Duration) -> String {
    if let Err(why) = answered(client.batch_execute("LISTEN bellwether")).await {
        return why;
    }
    *pause = AGAIN[0];
    ALL.into_iter().for_each(|topic| bells.ring(topic));
    loop {
        let said = tokio::time::timeout(PING, bells.said.notified()).await;
        let payload = if said.is_ok() { bells.take() } else { String::new() };
        let sql = "SELECT pg_notify('bellwether', $1) WHERE $1 <> ''";
        if let Err(why) = answered(client.execute(sql, &[&payload])).await {
            return why;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn answered<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match tokio::time::timeout(ANSWER, work).await {
        Ok(answer) => answer.map_err(|error| shown(&error)),
        Err(_) => Err("no answer".to_owned()),
    }
}
