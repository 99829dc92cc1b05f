//! A place that senders send to: it records every request and answers as scripted.

use super::{Answer, Recorded, Target};

/// A receiver of messages. Without a word it answers `200` and `ok`, as Slack does.
#[derive(Debug)]
pub struct Sink {
    target: Target,
}

impl Sink {
    /// On a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Sink { target: Target::start().await }
    }

    /// Where to send to.
    pub fn url(&self) -> String {
        self.target.at("/hook")
    }

    /// Everything received so far, in order.
    pub fn received(&self) -> Vec<Recorded> {
        self.target.received()
    }

    /// Waits until so many requests came, and answers all; fails after ten seconds.
    pub async fn wait_for(&self, requests: usize) -> Vec<Recorded> {
        self.target.wait_for(requests).await
    }

    /// Answers one request so, in the order of the calls:
    /// `Answer::status(429).header("retry-after", "7")`.
    pub fn answer_next(&self, answer: Answer) {
        self.target.next(answer);
    }

    /// From now on answers every other request so.
    pub fn answer_always(&self, answer: Answer) {
        self.target.set(answer);
    }
}
