//! `ingest` keeps beats: all that wait in one append, answered when it is durable, and the next batch gathers meanwhile.
//! There is no timer. What a beat changes is decided here at once; should this process die before, the track says that a
//! decision is wanted, and `sweep` makes it.
//!
//! It says how far its beats are in, and when it could not hear: since before its start, while the process was held up,
//! while the wall clock jumped. It never waits for the store between ticks, so a gap between ticks is a gap in hearing.

use super::calls::Calls;
use super::decide::{Case, Decider, Fate, What};
use super::{Next, Parts, Tick, noted, written};
use crate::beats::{Kept, Waiting};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::beat::Deaf;
use bw_domain::id::MonitorId;
use bw_domain::limits::{BEAT_BATCH, COMMIT_BATCH, DEAF_MIN, HEARING_EVERY};
use bw_domain::port::Fut;
use bw_domain::port::store::{Appended, Hearing, NodeId, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::{Duration, Instant};
use futures_channel::oneshot;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(100);

/// The loop.
pub(super) struct Ingester {
    services: Services,
    node: NodeId,
    calls: Calls<Ended>,
    decider: Option<Box<Decider>>,
    /// Heartbeats whose beats want a decision.
    wanted: BTreeSet<MonitorId>,
    appending: bool,
    /// How many at once; one at a time after an error that does not go away, to find the one that it is about.
    batch: usize,
    hearing: HearingState,
    /// On the clock that never steps.
    append_at: Duration,
    say_at: Duration,
    /// The last tick, on the wall and on the clock that never steps.
    ticked: Option<(Instant, Duration)>,
    /// What was not heard and is not yet said.
    deaf: Option<Deaf>,
    /// The wall clock was set back.
    set_back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HearingState {
    /// Nobody knows yet that we hear.
    New,
    /// It is being said.
    Saying,
    Hears,
}

/// A call to the store that has ended.
enum Ended {
    Begun(Result<Option<Deaf>, StoreError>),
    Said(Hearing, Result<(), StoreError>),
    Appended(Vec<Waiting>, Result<Vec<Appended>, StoreError>),
    Decided(Box<Decider>, Vec<MonitorId>, Result<Vec<Fate>, StoreError>),
}

impl Ingester {
    pub fn new(parts: &Parts) -> Self {
        Ingester {
            services: parts.services.clone(),
            node: parts.node,
            calls: Calls::default(),
            decider: Some(Box::new(Decider::new(parts))),
            wanted: BTreeSet::new(),
            appending: false,
            batch: BEAT_BATCH,
            hearing: HearingState::New,
            append_at: Duration::ZERO,
            say_at: Duration::ZERO,
            ticked: None,
            deaf: None,
            set_back: false,
        }
    }

    fn ingest(&mut self) -> Next {
        let (now, monotonic) = (self.services.clock.now(), self.services.clock.monotonic());
        self.listen(now, monotonic);
        while let Some(ended) = self.calls.take() {
            self.ended(ended, monotonic);
        }
        self.append(monotonic);
        self.decide();
        self.say(now, monotonic);
        let next = if self.hearing == HearingState::Saying {
            HEARING_EVERY
        } else {
            self.say_at.saturating_sub(monotonic)
        };
        Next::At(now + next.min(HEARING_EVERY))
    }

    /// Notices that nothing could be heard since the last tick.
    fn listen(&mut self, now: Instant, monotonic: Duration) {
        let Some((wall, steady)) = self.ticked.replace((now, monotonic)) else { return };
        // How far we are lies before what we have said: we begin again.
        self.set_back |= now + DEAF_MIN < wall;
        let (passed, steps) = (now.since(wall), monotonic.saturating_sub(steady));
        // Held up, or the wall clock was set forward: what it skipped was no time to send anything.
        if steps.max(passed.saturating_sub(steps)) >= DEAF_MIN + HEARING_EVERY {
            let from = self.deaf.map_or(wall, |deaf| deaf.from.min(wall));
            tracing::warn!(
                "beats could not be heard since {from}: the deadlines of heartbeats are held for that time"
            );
            self.deaf = Some(Deaf { from, to: now });
        }
    }

    fn ended(&mut self, ended: Ended, monotonic: Duration) {
        match ended {
            Ended::Begun(answer) => {
                self.hearing = HearingState::New;
                match noted(&self.services, answer) {
                    Ok(deaf) => {
                        self.hearing = HearingState::Hears;
                        self.set_back = false;
                        if let Some(deaf) = deaf {
                            tracing::info!(
                                "nobody heard beats from {} to {}: the deadlines of heartbeats are held for that time",
                                deaf.from,
                                deaf.to
                            );
                        }
                    }
                    Err(error) => tracing::debug!("hearing begins when the store answers: {error}"),
                }
                self.say_at = monotonic + AGAIN;
            }
            Ended::Said(said, answer) => {
                self.hearing = HearingState::Hears;
                match noted(&self.services, answer) {
                    Ok(()) => {
                        let later = |deaf: &Deaf| said.deaf.is_none_or(|told| deaf.to > told.to);
                        self.deaf = self.deaf.filter(later);
                        self.say_at = monotonic + HEARING_EVERY;
                    }
                    Err(error) => {
                        tracing::debug!("how far beats are in is said when the store answers: {error}");
                        self.say_at = monotonic + AGAIN;
                    }
                }
            }
            Ended::Appended(beats, answer) => self.appended(beats, answer, monotonic),
            Ended::Decided(decider, monitors, answer) => {
                self.decider = Some(decider);
                match answer {
                    Ok(fates) => {
                        let again = monitors.into_iter().zip(fates).filter(|(_, fate)| *fate == Fate::Again);
                        self.wanted.extend(again.map(|(monitor, _)| monitor));
                    }
                    // The tracks say that decisions are wanted: `sweep` makes them when the store works.
                    Err(error) => tracing::debug!("beats are decided when the store answers: {error}"),
                }
            }
        }
    }

    fn append(&mut self, monotonic: Duration) {
        if self.appending || monotonic < self.append_at {
            return;
        }
        let beats = self.services.beats.take(self.batch);
        if beats.is_empty() {
            return;
        }
        self.appending = true;
        let store = self.services.store.beats.clone();
        let batch = beats.iter().map(|waiting| waiting.incoming.clone()).collect();
        self.calls.start(async move {
            let answer = store.append(batch).await;
            Ended::Appended(beats, answer)
        });
    }

    fn appended(
        &mut self,
        beats: Vec<Waiting>,
        answer: Result<Vec<Appended>, StoreError>,
        monotonic: Duration,
    ) {
        self.appending = false;
        let answers = match written(&self.services, answer) {
            Ok(answers) => answers,
            Err(error) => return self.failed(beats, &error, monotonic),
        };
        self.batch = BEAT_BATCH;
        self.services.beats.settle(Vec::new());
        for (waiting, answer) in beats.into_iter().zip(answers) {
            let beat = &waiting.incoming.beat;
            let kept = match answer {
                Appended::Taken(taken) => {
                    self.services.vitals.beat(beat.word());
                    if taken.decide {
                        self.wanted.insert(beat.monitor);
                    }
                    Kept::Taken(taken)
                }
                Appended::Gone => Kept::Gone,
            };
            answer_to(waiting.reply, kept);
        }
    }

    fn failed(&mut self, beats: Vec<Waiting>, error: &StoreError, monotonic: Duration) {
        if error.retry() {
            tracing::debug!(beats = beats.len(), "beats wait for the store: {error}");
            self.services.beats.settle(beats);
            self.append_at = monotonic + AGAIN;
        } else if beats.len() > 1 {
            self.batch = 1;
            self.services.beats.settle(beats);
        } else {
            self.services.beats.settle(Vec::new());
            for waiting in beats {
                tracing::error!(monitor = %waiting.incoming.beat.monitor, "a beat was refused by the store: {error}");
                answer_to(waiting.reply, Kept::Refused);
            }
        }
    }

    /// Decides what beats have changed. Silence is not looked at here.
    fn decide(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        let Some(mut decider) = self.decider.take() else { return };
        let mut monitors = std::mem::take(&mut self.wanted);
        self.wanted =
            monitors.iter().nth(COMMIT_BATCH).copied().map(|at| monitors.split_off(&at)).unwrap_or_default();
        let monitors: Vec<MonitorId> = monitors.into_iter().collect();
        self.calls.start(async move {
            let what = || What::Heard { until: Instant::ZERO, deaf: Arc::new([]) };
            let cases: Vec<Case> =
                monitors.iter().map(|monitor| Case { monitor: *monitor, what: what() }).collect();
            let answer = decider.decide(&cases).await;
            Ended::Decided(decider, monitors, answer)
        });
    }

    fn say(&mut self, now: Instant, monotonic: Duration) {
        if monotonic < self.say_at || self.hearing == HearingState::Saying {
            return;
        }
        let (store, node) = (self.services.store.beats.clone(), self.node);
        if self.hearing == HearingState::New || self.set_back {
            self.hearing = HearingState::Saying;
            let set_back = self.set_back;
            self.calls.start(async move {
                if set_back && let Err(error) = store.end_hearing(node).await {
                    return Ended::Begun(Err(error));
                }
                Ended::Begun(store.begin_hearing(node, now).await)
            });
            return;
        }
        self.hearing = HearingState::Saying;
        let until = self.services.beats.heard_until(&*self.services.clock);
        let said = Hearing { node, until, deaf: self.deaf };
        self.calls.start(async move { Ended::Said(said, store.hear(said).await) });
    }
}

/// A client that went away has its beat kept all the same.
fn answer_to(reply: oneshot::Sender<Kept>, kept: Kept) {
    if reply.send(kept).is_err() {
        tracing::trace!("nobody waits for {kept:?}");
    }
}

impl Tick for Ingester {
    fn name(&self) -> LoopName {
        LoopName::Ingest
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Beats]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(std::future::ready(self.ingest()))
    }

    fn progress(&mut self) -> Fut<'_, ()> {
        if self.calls.is_idle() { Box::pin(std::future::pending()) } else { Box::pin(self.calls.any()) }
    }

    /// The listener has ended: what it took in is kept and decided, as long as the store takes it.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move {
            loop {
                let monotonic = self.services.clock.monotonic();
                while let Some(ended) = self.calls.take() {
                    self.ended(ended, monotonic);
                }
                self.append(monotonic);
                self.decide();
                if self.calls.is_idle() {
                    break;
                }
                self.calls.any().await;
                if self.services.vitals.store_away_since.load(Relaxed) != 0 {
                    return;
                }
            }
            if let Err(error) = self.services.store.beats.end_hearing(self.node).await {
                tracing::debug!("that hearing ends could not be said: {error}");
            }
        })
    }
}
