//! The clients of jobs: each sends its beat to a node, waits for the answer, hangs up, comes again or gives up. What
//! they were answered goes into the journal.

use super::Sim;
use crate::Ms;
use crate::journal::Fact;
use crate::script::{AGAIN, Manner, PATIENCE};
use crate::world::{Life, Order, TaskId};
use bw_domain::beat::Via;
use bw_domain::id::MonitorId;
use bw_domain::time::Duration;
use bw_engine::usecase::Services;
use bw_engine::usecase::beats::{Address, Received, Said, receive};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Which beat: the number of the monitor, and its place in the story of the job.
type Key = (usize, usize);

/// One that was sent and is not answered.
struct Try {
    attempt: u32,
    life: Life,
    task: TaskId,
}

/// What a client was told.
enum Answer {
    Kept {
        monitor: MonitorId,
        number: u64,
    },
    /// It could not be taken now.
    Again,
    /// Nobody knows this address.
    Never,
}

/// All of them.
#[derive(Default)]
pub(super) struct Clients {
    tries: BTreeMap<Key, Try>,
    answers: Arc<Mutex<Vec<(Key, u32, Answer)>>>,
}

/// How a beat is told from all others.
pub fn tag((job, place): Key, attempt: u32) -> String {
    format!("{job}.{place}.{attempt}")
}

impl Sim {
    /// A client sends its beat to one of the nodes.
    pub(super) fn beat(&mut self, key: Key, attempt: u32, now: Ms) {
        let script = self.script.clone();
        let Some(job) = script.watched[key.0].job.as_ref() else { return };
        let sending = &job.sendings[key.1];
        let life = {
            let inner = self.world.lock();
            // Whoever comes again comes to another one.
            let node = (key.0 + key.1 + attempt as usize) % script.nodes;
            inner.lives.on(node).filter(|life| inner.lives.is_alive(*life))
        };
        let node = life.and_then(|life| Some((life, self.nodes.get(&life).filter(|node| node.listens())?)));
        let Some((life, node)) = node else { return self.unheard(key, attempt, now) };
        let services = node.services.clone();
        let (address, answers) = (job.address, self.clients.answers.clone());
        let (signal, run) = (sending.signal, sending.run);
        let late_by = sending.late_by.map(Duration::from_millis);
        let doing = async move {
            let happened = late_by.map(|late_by| services.clock.now() - late_by);
            let via = Via { agent: tag(key, attempt).into(), ..Via::default() };
            let said = Said { signal, is_post: true, run, happened, took: None, via, body: Bytes::new() };
            let received = send(&services, Address::Uuid(address), said).await;
            answers.lock().expect("one thread").push((key, attempt, received));
        };
        let task = self.spawn(life, format!("beat {}", tag(key, attempt)), Box::pin(doing));
        self.clients.tries.insert(key, Try { attempt, life, task });
        self.world.lock().note(life, Fact::Sent { tag: tag(key, attempt) });
        let patience = match sending.manner {
            Manner::HangsUp(after) => after,
            Manner::Insists if job.steady => PATIENCE / 4,
            Manner::Once | Manner::Insists => PATIENCE,
        };
        let (job, place) = key;
        self.world.lock().agenda.order(now + patience, Order::HangUp(job, place, attempt));
    }

    /// A client has waited long enough.
    pub(super) fn hang_up(&mut self, key: Key, attempt: u32, now: Ms) {
        if self.clients.tries.get(&key).is_none_or(|tried| tried.attempt != attempt) {
            return;
        }
        let Some(Try { task, .. }) = self.clients.tries.remove(&key) else { return };
        // The node may notice that, or go on for nobody.
        if self.world.lock().chance.permille(500) {
            self.drop_task(task);
        }
        self.unheard(key, attempt, now);
    }

    /// Nobody answered: whoever insists comes again.
    fn unheard(&mut self, (job, place): Key, attempt: u32, now: Ms) {
        let script = self.script.clone();
        let sending = script.watched[job].job.as_ref().map(|job| &job.sendings[place]);
        let insists = sending.is_some_and(|sending| sending.manner == Manner::Insists);
        if insists && now + AGAIN < script.ends {
            self.world.lock().agenda.order(now + AGAIN, Order::Beat(job, place, attempt + 1));
        }
    }

    /// What clients were told meanwhile.
    pub(super) fn heed_clients(&mut self) {
        let answers = std::mem::take(&mut *self.clients.answers.lock().expect("one thread"));
        for (key, attempt, answer) in answers {
            if self.clients.tries.get(&key).is_none_or(|tried| tried.attempt != attempt) {
                continue;
            }
            let Some(Try { life, .. }) = self.clients.tries.remove(&key) else { continue };
            match answer {
                Answer::Kept { monitor, number } => {
                    let tag = tag(key, attempt);
                    self.world.lock().note(life, Fact::Answered { tag, monitor, number });
                }
                Answer::Again => self.unheard(key, attempt, self.now()),
                Answer::Never => {}
            }
        }
    }

    /// A process has died: its clients see that at once.
    pub(super) fn cut_off(&mut self, life: Life) {
        let tries = self.clients.tries.iter().filter(|(_, tried)| tried.life == life);
        let cut: Vec<(Key, u32)> = tries.map(|(key, tried)| (*key, tried.attempt)).collect();
        for (key, attempt) in cut {
            self.clients.tries.remove(&key);
            self.unheard(key, attempt, self.now());
        }
    }
}

async fn send(services: &Services, address: Address<'_>, said: Said) -> Answer {
    match receive(services, address, said).await {
        Received::Kept { monitor, taken, .. } => Answer::Kept { monitor, number: taken.number },
        Received::Unknown | Received::Ambiguous => Answer::Never,
        Received::Busy | Received::Failed(_) => Answer::Again,
    }
}
