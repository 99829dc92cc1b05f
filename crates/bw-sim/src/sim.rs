//! Lets a script happen: polls tasks by hand, moves time from one entry of the agenda to the next, lets processes
//! begin and die. One thread; whatever could go in two orders goes in the one that the seed chooses.

mod clients;

use crate::Ms;
use crate::fault::{FaultKind, Mood};
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::node::Node;
use crate::past::{Measured, Past, Trouble};
use crate::script::{Ask, CRASH_WITHIN, STOP_WITHIN, Script, actions};
use crate::wish::{Granted, grant};
use crate::world::{Entry, Life, Link, Lives, Order, TaskId, World};
use bw_domain::delivery::DeliveryState;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::uptime::uptime;
use clients::Clients;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

type Doing = Pin<Box<dyn Future<Output = ()>>>;

/// After so many polls at one instant somebody runs in circles.
const POLLS: u32 = 20_000;
/// Everything comes right within so long after the end of the script: the last attempts to send lie that far apart.
const PATIENCE: Ms = 40 * 60_000;
const SECOND: Ms = 1_000;
/// Every slot has its outcome after this.
const SETTLED: Duration = Duration::from_secs(120);

struct Task {
    life: Life,
    name: String,
    doing: Doing,
    waker: Waker,
}

/// A simulation under way.
struct Sim {
    world: Arc<World>,
    script: Arc<Script>,
    tasks: BTreeMap<TaskId, Task>,
    count: u64,
    nodes: BTreeMap<Life, Node>,
    /// Wishes that somebody works on, and what came of those that ended.
    asked: BTreeMap<usize, Life>,
    granted: Arc<Mutex<Vec<(usize, Granted)>>>,
    open: BTreeSet<usize>,
    created: BTreeSet<usize>,
    measured: Arc<Mutex<Vec<Measured>>>,
    clients: Clients,
    trouble: Option<Trouble>,
}

/// Lets it happen, and answers what there is to say about it.
pub fn simulate(script: Script, mutant: Option<Mutant>) -> Past {
    let script = Arc::new(script);
    let world = World::new(script.clone(), mutant);
    let open = (0..script.wishes.len()).collect();
    let mut sim = Sim {
        world,
        script,
        tasks: BTreeMap::new(),
        count: 0,
        nodes: BTreeMap::new(),
        asked: BTreeMap::new(),
        granted: Arc::default(),
        open,
        created: BTreeSet::new(),
        measured: Arc::default(),
        clients: Clients::default(),
        trouble: None,
    };
    sim.prepare();
    sim.run(sim.script.ends);
    sim.measure();
    let latest = sim.script.ends + PATIENCE;
    while sim.is_waiting() && sim.now() < latest && sim.trouble.is_none() {
        sim.run(sim.now() + SECOND);
    }
    sim.finish()
}

impl Sim {
    /// Everything that the script says goes into the agenda.
    fn prepare(&mut self) {
        let script = self.script.clone();
        let mut inner = self.world.lock();
        for action in actions(script.seed) {
            inner.database.actions.insert(action.id, action);
        }
        for node in 0..script.nodes {
            let at = inner.chance.between(0..=200);
            inner.agenda.order(at, Order::Start(node));
        }
        for fault in &script.faults {
            inner.agenda.order(fault.from, Order::Faults);
            inner.agenda.order(fault.to, Order::Faults);
        }
        for (number, wish) in script.wishes.iter().enumerate() {
            inner.agenda.order(wish.at, Order::Grant(number));
        }
        for (number, watched) in script.watched.iter().enumerate() {
            let sendings = watched.job.iter().flat_map(|job| &job.sendings).enumerate();
            for (place, sending) in sendings.filter(|(_, sending)| sending.at < script.ends) {
                inner.agenda.order(sending.at, Order::Beat(number, place, 0));
            }
        }
    }

    fn now(&self) -> Ms {
        self.world.lock().now
    }

    /// Up to this time, or until something is beyond repair.
    fn run(&mut self, until: Ms) {
        while self.trouble.is_none() {
            self.poll_ready();
            let next = self.world.lock().agenda.pop(until);
            match next {
                None => break,
                Some((at, Entry::Order(order))) => {
                    self.world.lock().now = at;
                    self.order(order, at);
                }
                Some((at, Entry::Deed(_, deed))) => {
                    let mut inner = self.world.lock();
                    inner.now = at;
                    deed(&mut inner);
                }
            }
            self.bury();
        }
        self.world.lock().now = until;
    }

    fn poll_ready(&mut self) {
        let mut polls = 0;
        while let Some(id) = self.pick() {
            polls += 1;
            if polls > POLLS {
                let names: Vec<String> = self.tasks.values().map(|task| task.name.clone()).collect();
                self.trouble =
                    Some(Trouble(format!("at {} ms somebody of {names:?} runs in circles", self.now())));
                return;
            }
            self.poll(id);
            self.bury();
            self.heed();
            self.heed_clients();
        }
    }

    /// One of the tasks that were woken, if its process runs.
    fn pick(&self) -> Option<TaskId> {
        let mut ready = self.world.ready.lock();
        ready.retain(|id| self.tasks.contains_key(id));
        let inner = self.world.lock();
        let runs = |id: &&TaskId| {
            let life = self.tasks[id].life;
            !inner.mood.frozen.contains(&inner.lives.node(life))
        };
        let able: Vec<TaskId> = ready.iter().filter(runs).copied().collect();
        let id = (!able.is_empty()).then(|| *inner.chance.pick(&able))?;
        ready.remove(&id);
        Some(id)
    }

    fn poll(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        self.world.lock().current = id;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            task.doing.as_mut().poll(&mut Context::from_waker(&task.waker))
        }));
        match polled {
            Ok(poll) if poll.is_ready() => self.drop_task(id),
            Ok(_) => {}
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
                let said = said.unwrap_or_else(|| "no word".to_owned());
                self.trouble = Some(Trouble(format!("{} panicked: {said}", task.name)));
            }
        }
    }

    fn drop_task(&mut self, id: TaskId) {
        self.tasks.remove(&id);
        self.world.lock().forget(id);
    }

    fn spawn(&mut self, life: Life, name: impl Into<String>, doing: Doing) -> TaskId {
        self.count += 1;
        let id = TaskId(self.count);
        let waker = self.world.ready.waker(id);
        waker.wake_by_ref();
        self.tasks.insert(id, Task { life, name: name.into(), doing, waker });
        id
    }

    fn order(&mut self, order: Order, now: Ms) {
        self.world.lock().trace(order);
        match order {
            Order::Start(node) => self.start(node),
            Order::Faults => self.faults(now),
            Order::Crash(node) => {
                let mut inner = self.world.lock();
                if let Some(life) = inner.lives.on(node).filter(|_| inner.lives.is_armed(node)) {
                    inner.lives.doom(life);
                }
            }
            Order::Kill(life) => self.world.lock().lives.doom(life),
            Order::Grant(number) => self.grant(number),
            Order::Beat(job, place, attempt) => self.beat((job, place), attempt, now),
            Order::HangUp(job, place, attempt) => self.hang_up((job, place), attempt, now),
        }
    }

    fn start(&mut self, node: usize) {
        let life = {
            let mut inner = self.world.lock();
            if inner.lives.on(node).is_some() {
                return;
            }
            let now = inner.now;
            let life = inner.lives.begin(node, now);
            inner.note(life, Fact::Began { node });
            life
        };
        let (node, tasks) = Node::start(&self.world, life);
        for (name, doing) in tasks {
            self.spawn(life, name.word(), doing);
        }
        self.nodes.insert(life, node);
    }

    /// Faults begin or end.
    fn faults(&mut self, now: Ms) {
        self.world.lock().mood = Mood::of(&self.script.faults, now);
        let script = self.script.clone();
        for fault in &script.faults {
            match fault.kind {
                FaultKind::Crash { node, calls } if fault.from == now => {
                    let mut inner = self.world.lock();
                    inner.lives.arm(node, calls);
                    inner.agenda.order(now + CRASH_WITHIN, Order::Crash(node));
                }
                FaultKind::Stop { node } if fault.from == now => self.stop(node, now),
                FaultKind::Crash { node, .. } | FaultKind::Stop { node } if fault.to == now => {
                    self.start(node)
                }
                _ => {}
            }
        }
    }

    fn stop(&mut self, node: usize, now: Ms) {
        let Some(life) = self.world.lock().lives.on(node) else { return };
        let Some(stopped) = self.nodes.get(&life) else { return };
        let link = Link { world: self.world.clone(), life };
        let stopping = stopped.stop(link);
        self.world.lock().agenda.order(now + STOP_WITHIN, Order::Kill(life));
        let world = self.world.clone();
        let doing = async move {
            stopping.await;
            world.lock().lives.doom(life);
        };
        self.spawn(life, "stop", Box::pin(doing));
    }

    fn grant(&mut self, number: usize) {
        let able: Vec<Life> = self.world.lock().lives.all().collect();
        if able.is_empty() {
            self.ask_again(number);
            return;
        }
        let life = *self.world.lock().chance.pick(&able);
        let Some(node) = self.nodes.get(&life) else { return };
        let (services, script, granted) = (node.services.clone(), self.script.clone(), self.granted.clone());
        let created = self.created.contains(&script.wishes[number].monitor);
        self.asked.insert(number, life);
        let doing = async move {
            let answer = grant(&services, &script, number, created).await;
            granted.lock().expect("one thread").push((number, answer));
        };
        self.spawn(life, format!("wish {number}"), Box::pin(doing));
    }

    fn ask_again(&mut self, number: usize) {
        let mut inner = self.world.lock();
        let at = inner.now + SECOND;
        inner.agenda.order(at, Order::Grant(number));
    }

    /// Takes notice of wishes that have ended.
    fn heed(&mut self) {
        let ended = std::mem::take(&mut *self.granted.lock().expect("one thread"));
        for (number, granted) in ended {
            self.asked.remove(&number);
            let wish = &self.script.wishes[number];
            match granted {
                Granted::Again => self.ask_again(number),
                Granted::Done => {
                    self.open.remove(&number);
                    if matches!(wish.ask, Ask::Create) {
                        self.created.insert(wish.monitor);
                    }
                }
            }
        }
    }

    /// Ends the processes whose time has come.
    fn bury(&mut self) {
        loop {
            let Some(life) = self.world.lock().lives.doomed() else { return };
            let theirs: Vec<TaskId> =
                self.tasks.iter().filter(|(_, task)| task.life == life).map(|(id, _)| *id).collect();
            theirs.into_iter().for_each(|id| self.drop_task(id));
            self.nodes.remove(&life);
            self.let_go(life);
            self.cut_off(life);
            let unheard: Vec<usize> =
                self.asked.iter().filter(|(_, asked)| **asked == life).map(|(number, _)| *number).collect();
            for number in unheard {
                self.asked.remove(&number);
                self.ask_again(number);
            }
        }
    }

    /// The world without a process: what it had begun may still happen, what it remembered is gone.
    fn let_go(&mut self, life: Life) {
        let mut inner = self.world.lock();
        let inner = &mut *inner;
        let node = inner.lives.node(life);
        inner.lives.end(life);
        let (disk, wire) = inner.agenda.cut(life);
        let reached = inner.chance.between(0..=disk.len() as u64) as usize;
        disk.into_iter().take(reached).for_each(|deed| deed(inner));
        for deed in wire {
            if inner.chance.permille(500) {
                deed(inner);
            }
        }
        inner.database.abandoned(Lives::id(life), inner.mutant);
        if inner.script.nodes == 1 {
            inner.queues.remove(&node);
        }
        inner.probes.remove(&life);
        inner.bells.remove(&life);
        inner.note(life, Fact::Ended);
    }

    /// True while something is under way that has to end.
    fn is_waiting(&self) -> bool {
        let inner = self.world.lock();
        let database = &inner.database;
        !self.open.is_empty()
            || database.events.iter().any(|(_, routed)| !routed)
            || database.deliveries.iter().any(|row| row.delivery.state == DeliveryState::Waiting)
    }

    /// Asks a node how long each monitor was up.
    fn measure(&mut self) {
        let Some((life, node)) = self.nodes.iter().next() else { return };
        let (life, services, measured) = (*life, node.services.clone(), self.measured.clone());
        let monitors: Vec<_> = self.world.lock().database.rows.keys().copied().collect();
        let doing = async move {
            // Slots of the last minutes may still be under way.
            let to = services.clock.now() - SETTLED;
            for monitor in monitors {
                let report = uptime(&services, monitor, Some(Instant::ZERO), Some(to)).await;
                let measured_one =
                    report.map(|report| (report.wall, report.uptime)).map_err(|e| e.to_string());
                measured.lock().expect("one thread").push(Measured { monitor, report: measured_one });
            }
        };
        self.spawn(life, "uptime", Box::pin(doing));
        self.run(self.now() + 10 * SECOND);
    }

    fn finish(mut self) -> Past {
        let lives: Vec<Life> = self.nodes.keys().copied().collect();
        // Tasks hold the world, and the world holds what they wait for.
        self.tasks.clear();
        self.nodes.clear();
        let waiting = self.is_waiting();
        let mut inner = self.world.lock();
        let (ended, wall) = (inner.now, inner.store_wall());
        let queued = inner.queues.values().map(|jobs| jobs.len()).sum();
        let journal = std::mem::take(&mut inner.journal);
        let fresh = crate::port::store::Database::new(wall, false);
        let database = std::mem::replace(&mut inner.database, fresh);
        let measured = std::mem::take(&mut *self.measured.lock().expect("one thread"));
        let hash = inner.hash();
        let open: Vec<usize> = self.open.iter().copied().collect();
        Past {
            script: (*self.script).clone(),
            journal,
            database,
            measured,
            ended,
            wall,
            waiting,
            open,
            queued,
            alive: lives.len(),
            hash,
            trouble: self.trouble.take(),
        }
    }
}
