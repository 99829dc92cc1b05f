//! Running one loop: tick, rest, tick. Without a runtime: how to sleep is an argument.

use super::{Next, Tick};
use crate::vitals::Vitals;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::wake::Wake;
use bw_domain::time::Duration;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// No loop rests longer: a step of the wall clock is noticed, and a loop that does not tick is known to be stuck.
const LONGEST: Duration = Duration::from_secs(1);

/// Resolves after this long on the clock that never steps.
pub type Sleep = Arc<dyn Fn(Duration) -> Fut<'static, ()> + Send + Sync>;

/// What resting takes.
#[derive(Clone)]
pub struct Rest {
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<dyn Wake>,
    pub vitals: Arc<Vitals>,
    pub sleep: Sleep,
}

/// Runs a loop until `stop` resolves, then ends it in good order. `stop` is looked at between ticks only: no tick is
/// cut.
pub async fn run(mut looped: Box<dyn Tick>, rest: &Rest, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    loop {
        let next = looped.tick().await;
        rest.vitals.tick(looped.name(), rest.clock.now());
        let length = match next {
            Next::Now => Duration::ZERO,
            Next::At(at) => at.since(rest.clock.now()).min(LONGEST),
        };
        if pause(looped.as_mut(), rest, length, stop.as_mut()).await {
            break;
        }
    }
    looped.stop().await;
}

/// Waits until something is to be done. True: it is time to stop.
async fn pause(
    looped: &mut dyn Tick,
    rest: &Rest,
    length: Duration,
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> bool {
    let mut topics: Vec<Fut<'_, ()>> = looped.topics().iter().map(|topic| rest.wake.wait(*topic)).collect();
    let mut progress = looped.progress();
    // Even without a rest the others get their turn once.
    let mut yielded = false;
    let mut sleep = (rest.sleep)(length);
    std::future::poll_fn(move |context| {
        if stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        let told = topics.iter_mut().fold(false, |told, topic| topic.as_mut().poll(context).is_ready() || told);
        let ended = progress.as_mut().poll(context).is_ready();
        if yielded && length.is_zero() {
            return Poll::Ready(false);
        }
        yielded = true;
        if length.is_zero() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if told || ended || sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}
