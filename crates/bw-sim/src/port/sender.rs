//! Sinks: they take messages, refuse them, are busy, are away, or take one and lose the answer.

use crate::Ms;
use crate::fault::Sickness;
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Fate, Inner, Life, Link, Trip};
use bw_domain::action::ActionKind;
use bw_domain::delivery::{Attempt, AttemptResult, Receipt};
use bw_domain::id::{DeliveryId, EventId};
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::time::Duration;

/// Sinks have numbers below this.
pub const SINKS: u64 = 4;

/// The address of a sink.
pub fn address(sink: u64) -> String {
    format!("http://sink{sink}.test/")
}

/// What a sink answers, and when.
struct Answer {
    result: AttemptResult,
    status: u16,
    after: Ms,
    retry_after: Option<Duration>,
}

fn sink_of(kind: &ActionKind) -> u64 {
    let url = match kind {
        ActionKind::Slack { url } | ActionKind::Webhook { url, .. } => url.expose(),
        ActionKind::Log => return 0,
    };
    (0..SINKS).find(|sink| url == address(*sink)).unwrap_or(0)
}

/// A message arrives.
fn arrive(inner: &mut Inner, life: Life, sink: u64, delivery: DeliveryId, told: Vec<EventId>) -> Answer {
    const TIMEOUT: Ms = limits::SEND_TIMEOUT.as_millis() as Ms;
    let chance = &inner.chance;
    let answer = |result, status, after| Answer { result, status, after, retry_after: None };
    let (answer, lost) = match inner.mood.sink(sink) {
        None => (answer(AttemptResult::Sent, 200, chance.between(1..=50)), Some(false)),
        Some(Sickness::Slow) => {
            (answer(AttemptResult::Sent, 200, chance.between(3_000..=TIMEOUT - 1_000)), Some(false))
        }
        Some(Sickness::LosesAnswers) => (answer(AttemptResult::Retry, 0, TIMEOUT), Some(true)),
        Some(Sickness::Away) => (answer(AttemptResult::Retry, 0, chance.between(1..=20)), None),
        Some(Sickness::Refuses) => (answer(AttemptResult::Refused, 404, 20), None),
        Some(Sickness::Busy) => {
            let retry_after = Some(Duration::from_secs(chance.between(1..=20)));
            (Answer { retry_after, ..answer(AttemptResult::Retry, 429, 20) }, None)
        }
    };
    if let Some(lost) = lost {
        inner.note(life, Fact::Reached { delivery, told, sink, lost });
    }
    answer
}

impl Sender for Link {
    fn send(&self, dispatch: Dispatch) -> Fut<'_, Receipt> {
        let (link, life) = (self.clone(), self.life);
        Box::pin(async move {
            let at = link.now();
            let sink = sink_of(&dispatch.action);
            let delivery = dispatch.delivery;
            let told = dispatch.merged.iter().map(|event| event.id).chain([dispatch.event.id]).collect();
            let there = |inner: &Inner| Trip { there: inner.chance.between(1..=20), back: 0 };
            let arrived = move |inner: &mut Inner| arrive(inner, life, sink, delivery, told);
            let mut answer = link.call(Fate::OnTheWire, there, arrived).await;
            link.sleep(Duration::from_millis(answer.after)).await;
            let takes = link.world.lock().mutant == Some(Mutant::RetryTakenForSent);
            if takes && answer.result == AttemptResult::Retry {
                answer.result = AttemptResult::Sent;
            }
            let Answer { result, status, after, retry_after } = answer;
            let text = format!("the sink answered {status}");
            Receipt { attempt: Attempt { at, took_ms: after as u32, result, status, text }, retry_after }
        })
    }
}
