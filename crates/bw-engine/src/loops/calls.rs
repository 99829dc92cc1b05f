//! Calls to ports that go on while their loop ticks: a bounded set of owned futures, polled by the loop itself. No
//! task is made, and a call is dropped with its loop.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

type Call<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Calls under way, and what those that ended answered.
pub(super) struct Calls<T> {
    under_way: Vec<Call<T>>,
    ended: VecDeque<T>,
}

impl<T> Default for Calls<T> {
    fn default() -> Self {
        Calls { under_way: Vec::new(), ended: VecDeque::new() }
    }
}

impl<T> Calls<T> {
    /// Adds a call; it begins when it is polled.
    pub fn start(&mut self, call: impl Future<Output = T> + Send + 'static) {
        self.under_way.push(Box::pin(call));
    }

    /// Calls that have not been taken.
    pub fn len(&self) -> usize {
        self.under_way.len() + self.ended.len()
    }

    /// True when nothing is under way and nothing waits to be taken.
    pub fn is_idle(&self) -> bool {
        self.len() == 0
    }

    /// The answer of a call that has ended.
    pub fn take(&mut self) -> Option<T> {
        self.ended.pop_front()
    }

    /// Polls all calls. True when an answer waits.
    pub fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let mut index = 0;
        while index < self.under_way.len() {
            match self.under_way[index].as_mut().poll(context) {
                Poll::Ready(answer) => {
                    self.ended.push_back(answer);
                    drop(self.under_way.swap_remove(index));
                }
                Poll::Pending => index += 1,
            }
        }
        !self.ended.is_empty()
    }

    /// Resolves when an answer waits.
    pub async fn any(&mut self) {
        std::future::poll_fn(|context| if self.poll(context) { Poll::Ready(()) } else { Poll::Pending })
            .await;
    }
}
