//! The ten loops as tasks. A panic in one of them ends all, says so, and begins all again after a pause: they share
//! which shards are held, and every one of them reads what it needs from the store.

use super::table::{self, DEAF, LAST, OnCancel, OnError, Row, of};
use crate::roles::Role;
use bw_engine::loops::{Rest, Tick, run};
use bw_engine::vitals::LoopName;
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

/// After the first panic; doubles with each that follows soon.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long the others may take to end when one has panicked.
const PATIENCE: Duration = Duration::from_secs(3);

/// All loops of a process.
pub struct Plant {
    /// Makes them anew, as the engine does.
    pub make: Make,
    pub rest: Rest,
    pub role: Role,
}

/// Makes all loops; they share which shards are held, so one call makes those of one life.
pub type Make = Box<dyn Fn() -> Vec<Box<dyn Tick>> + Send + Sync>;

/// One life of the loops, from their making to their end.
struct Life {
    tasks: JoinSet<()>,
    names: BTreeMap<Id, LoopName>,
    handles: BTreeMap<LoopName, AbortHandle>,
    /// The stage that has been reached; stages below and at it end.
    stage: watch::Sender<Option<u8>>,
}

impl Plant {
    /// Runs until `stop`, then ends in the order of the table. `deafen` ends the listeners: it is awaited before the loop
    /// that keeps what they heard.
    pub async fn run(self, stop: impl Future<Output = ()>, deafen: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut pause = PAUSE;
        loop {
            let (mut life, begun) = (self.start(), self.rest.clock.monotonic());
            tokio::select! {
                () = stop.as_mut() => return life.end_in_order(deafen).await,
                why = life.fails() => {
                    if self.rest.clock.monotonic().saturating_sub(begun) > PAUSE_MAX {
                        pause = PAUSE;
                    }
                    tracing::error!("{why}; all loops begin again in {} ms", pause.as_millis());
                    life.end_together().await;
                }
            }
            tokio::select! {
                () = stop.as_mut() => return deafen.await,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            }
        }
    }

    fn start(&self) -> Life {
        let (stage, _) = watch::channel(None);
        let mut life =
            Life { tasks: JoinSet::new(), names: BTreeMap::new(), handles: BTreeMap::new(), stage };
        for looped in (self.make)() {
            let name = looped.name();
            if !self.role.loops().contains(&name) {
                continue;
            }
            let (rest, mut reached) = (self.rest.clone(), life.stage.subscribe());
            debug_assert_eq!(of(name).on_error, OnError::AllLoopsAgain, "they share what they hold");
            let handle = life.tasks.spawn(async move {
                let mine = of(name).stage;
                let stop = async {
                    // A sender that is gone means that the life is over, too.
                    drop(reached.wait_for(|stage| stage.is_some_and(|stage| stage >= mine)).await);
                };
                run(looped, &rest, stop).await;
            });
            life.names.insert(handle.id(), name);
            life.handles.insert(name, handle);
        }
        life
    }
}

impl Life {
    /// Resolves when a loop has ended unasked, with the sentence about it.
    async fn fails(&mut self) -> String {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => format!("the loop `{}` ended by itself", self.forget(id)),
            Some(Err(error)) => self.sentence(error),
            None => "there are no loops".to_owned(),
        }
    }

    fn sentence(&mut self, error: JoinError) -> String {
        let name = self.forget(error.id());
        format!("the loop `{name}` panicked: {}", panic_text(error))
    }

    fn forget(&mut self, id: Id) -> &'static str {
        let name = self.names.remove(&id);
        if let Some(name) = name {
            self.handles.remove(&name);
        }
        name.map_or("?", LoopName::word)
    }

    /// Stage by stage; what does not end within its patience is dropped and said.
    async fn end_in_order(mut self, deafen: impl Future<Output = ()>) {
        let mut deafen = Some(deafen);
        for stage in 0..=LAST {
            if let Some(deafen) = deafen.take_if(|_| stage == DEAF) {
                deafen.await;
            }
            self.stage.send_replace(Some(stage));
            self.abort(stage, |row| row.on_cancel == OnCancel::Drop);
            let patience = table::patience(stage);
            if tokio::time::timeout(patience, self.ended(stage)).await.is_err() {
                self.abort(stage, |row| {
                    tracing::warn!("the loop `{}` did not end within {} s", row.name, patience.as_secs());
                    true
                });
                self.ended(stage).await;
            }
        }
    }

    fn abort(&self, stage: u8, which: impl Fn(&Row) -> bool) {
        for (name, handle) in &self.handles {
            let row = of(*name);
            if row.stage == stage && which(row) {
                handle.abort();
            }
        }
    }

    /// Waits until no loop of a stage runs any more.
    async fn ended(&mut self, stage: u8) {
        while self.handles.keys().any(|name| of(*name).stage == stage) {
            match self.tasks.join_next_with_id().await {
                Some(Ok((id, ()))) => drop(self.forget(id)),
                Some(Err(error)) if error.is_cancelled() => drop(self.forget(error.id())),
                Some(Err(error)) => tracing::error!("{} while it ended", self.sentence(error)),
                None => return,
            }
        }
    }

    async fn end_together(mut self) {
        self.stage.send_replace(Some(LAST));
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all_ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// What a panic said, on one line.
pub fn panic_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "without a word".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
