//! Tasks beside the loops: listeners, the configuration's watcher, the observer's voice. Each runs for the whole
//! life of the process and begins again by itself when it panics.

use super::loops::panic_text;
use super::table::{self, OnError, ROWS};
use bw_domain::port::Fut;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// One task: a name of the table and how to make its work. The work ends when its stop resolves.
pub struct Side {
    pub name: &'static str,
    pub make: Box<dyn Fn(Fut<'static, ()>) -> Fut<'static, ()> + Send + Sync>,
}

impl Side {
    /// A task that may be dropped at any time.
    pub fn new<F>(name: &'static str, work: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let make = move |stop: Fut<'static, ()>| -> Fut<'static, ()> {
            let work = work();
            Box::pin(async move {
                tokio::select! {
                    () = stop => {}
                    () = work => {}
                }
            })
        };
        Side { name, make: Box::new(make) }
    }
}

/// All of them, running.
pub struct Sides {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Sides {
    /// Starts them.
    pub fn start(sides: Vec<Side>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for side in sides {
            let row = ROWS.iter().find(|row| row.name == side.name);
            debug_assert!(
                row.is_some_and(|row| row.on_error == OnError::Again),
                "`{}` and its row",
                side.name
            );
            tasks.spawn(keep_up(side, stopped.clone()));
        }
        Sides { tasks, stop }
    }

    /// Ends them within the patience of their stage.
    pub async fn end(mut self, stage: u8) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(table::patience(stage), ended).await.is_err() {
            tracing::warn!("some requests were still under way and are dropped");
            self.tasks.shutdown().await;
        }
    }
}

/// Runs one task, again after each panic, until it is time to stop.
async fn keep_up(side: Side, mut stopped: watch::Receiver<bool>) {
    let mut pause = PAUSE;
    loop {
        let mut asked = stopped.clone();
        let stop: Fut<'static, ()> = Box::pin(async move {
            // A sender that is gone means that everything ends.
            drop(asked.wait_for(|stop| *stop).await);
        });
        let mut life = JoinSet::new();
        life.spawn((side.make)(stop));
        let ended = life.join_next().await;
        if *stopped.borrow() {
            return;
        }
        match ended {
            Some(Err(error)) => {
                let why = panic_text(error);
                tracing::error!(
                    "`{}` panicked: {why}; it begins again in {} ms",
                    side.name,
                    pause.as_millis()
                );
            }
            // Work that has nothing to do ends by itself.
            _ => return,
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[tokio::test]
    async fn a_panic_is_the_end_of_one_try() {
        let tries = Arc::new(AtomicU32::new(0));
        let (counted, (done, mut seen)) = (tries.clone(), watch::channel(false));
        let side = Side::new("observer", move || {
            let (counted, done) = (counted.clone(), done.clone());
            async move {
                assert!(counted.fetch_add(1, Relaxed) > 0, "the first try goes wrong");
                done.send_replace(true);
                std::future::pending::<()>().await;
            }
        });
        let sides = Sides::start(vec![side]);
        seen.wait_for(|done| *done).await.expect("the second try");
        sides.end(0).await;
        assert_eq!(tries.load(Relaxed), 2);
    }
}
