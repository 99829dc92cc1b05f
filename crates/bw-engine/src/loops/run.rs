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
        // What resolved before the others had their turn must not be polled again.
        if yielded && length.is_zero() {
            return Poll::Ready(false);
        }
        // All of them: each must know whom to wake.
        let told = topics
            .iter_mut()
            .filter_map(|topic| topic.as_mut().poll(context).is_ready().then_some(()))
            .count();
        let ended = progress.as_mut().poll(context).is_ready();
        yielded = true;
        if length.is_zero() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if told > 0 || ended || sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vitals::LoopName;
    use bw_domain::port::wake::Topic;
    use bw_testkit::builders::START;
    use bw_testkit::clock::ManualClock;
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Context, Waker};

    struct Silent;

    impl Wake for Silent {
        fn notify(&self, _: Topic) {}

        fn wait(&self, _: Topic) -> Fut<'_, ()> {
            Box::pin(pending())
        }
    }

    /// Counts its ticks in tens and its ends in ones.
    struct Counted(Arc<AtomicUsize>, Next);

    impl Tick for Counted {
        fn name(&self) -> LoopName {
            LoopName::Keep
        }

        fn tick(&mut self) -> Fut<'_, Next> {
            self.0.fetch_add(10, SeqCst);
            Box::pin(ready(self.1))
        }

        fn stop(&mut self) -> Fut<'_, ()> {
            self.0.fetch_add(1, SeqCst);
            Box::pin(ready(()))
        }
    }

    /// What was counted after so many polls of a loop that is told to stop after `ticks`.
    fn counted(next: Next, polls: usize, ticks: usize) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let rest = Rest {
            clock: Arc::new(ManualClock::new(START)),
            wake: Arc::new(Silent),
            vitals: Arc::default(),
            sleep: Arc::new(|_| Box::pin(ready(()))),
        };
        let seen = count.clone();
        let stop = std::future::poll_fn(move |_| {
            if seen.load(SeqCst) / 10 >= ticks { Poll::Ready(()) } else { Poll::Pending }
        });
        let mut running = pin!(run(Box::new(Counted(count.clone(), next)), &rest, stop));
        for _ in 0..polls {
            if running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
        }
        assert_eq!(rest.vitals.last_tick(LoopName::Keep), Some(START));
        count.load(SeqCst)
    }

    #[test]
    fn it_ticks_until_it_is_told_to_stop_and_ends_in_good_order() {
        assert_eq!(counted(Next::At(START + Duration::from_secs(9)), 9, 3), 31);
        assert_eq!(counted(Next::Now, 9, 3), 31);
    }

    #[test]
    fn a_loop_that_always_has_more_to_do_lets_others_run() {
        assert_eq!(counted(Next::Now, 4, usize::MAX), 40, "one tick a poll");
    }
}
