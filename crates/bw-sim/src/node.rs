//! One life of a node: the same parts and loops as the binary makes, over the ports of the world.

use crate::port::store::store;
use crate::script::{Options, Script};
use crate::world::{Life, Link, Lives, World};
use bw_domain::port::Fut;
use bw_engine::catalog::LiveCatalog;
use bw_engine::loops::{Parts, Rest, all, run};
use bw_engine::usecase::Services;
use bw_engine::vitals::{LoopName, Vitals};
use bw_testkit::dice::Dice;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A process.
pub struct Node {
    pub services: Services,
    switches: Vec<(LoopName, Arc<Switch>)>,
    /// The listener takes no more beats.
    closed: Arc<AtomicBool>,
}

/// What the process does, to be polled.
pub type Task = (LoopName, Fut<'static, ()>);

impl Node {
    /// The process begins.
    pub fn start(world: &Arc<World>, life: Life) -> (Self, Vec<Task>) {
        let link = Arc::new(Link { world: world.clone(), life });
        let services = services(&link);
        let parts = Parts {
            services: services.clone(),
            sender: link.clone(),
            inbox: Arc::default(),
            node: Lives::id(life),
        };
        let sleep = move |length| link.sleep(length);
        let rest = Rest {
            clock: services.clock.clone(),
            wake: services.wake.clone(),
            vitals: services.vitals.clone(),
            sleep: Arc::new(sleep),
        };
        let mut switches = Vec::new();
        let mut tasks: Vec<Task> = Vec::new();
        for looped in all(&parts) {
            let (name, switch, rest) = (looped.name(), Arc::<Switch>::default(), rest.clone());
            switches.push((name, switch.clone()));
            let task = async move {
                run(looped, &rest, switch.turned()).await;
                switch.end();
            };
            tasks.push((name, Box::pin(task)));
        }
        (Node { services, switches, closed: Arc::default() }, tasks)
    }

    /// Whether clients of jobs can reach it.
    pub fn listens(&self) -> bool {
        !self.closed.load(Relaxed)
    }

    /// Stops in flow order: each loop ends before the next one is asked to.
    pub fn stop(&self, link: Link) -> Fut<'static, ()> {
        let mut switches = self.switches.clone();
        // Shards are given back last: until then `plan` and `sweep` may still speak of them.
        // Beats are heard until nearly everything has ended.
        switches.sort_by_key(|(name, _)| (*name == LoopName::Lease, *name == LoopName::Ingest, *name));
        let closed = self.closed.clone();
        Box::pin(async move {
            for (name, switch) in switches {
                if name == LoopName::Ingest {
                    closed.store(true, Relaxed);
                }
                switch.turn();
                while !switch.has_ended() {
                    link.sleep(Duration::from_millis(5)).await;
                }
            }
        })
    }
}

fn services(link: &Arc<Link>) -> Services {
    let (defaults, seed) = {
        let inner = link.world.lock();
        (inner.database.defaults.clone(), inner.chance.bits())
    };
    Services {
        beats: Arc::default(),
        store: store(link),
        catalog: Arc::new(LiveCatalog::new(defaults.clone())),
        queue: link.clone(),
        prober: link.clone(),
        clock: link.clone(),
        entropy: Arc::new(Dice::new(seed)),
        wake: link.clone(),
        vitals: Arc::new(Vitals::default()),
        defaults,
        base_url: "http://bellwether.test".into(),
        pulse_slack: None,
    }
}

/// Asks one loop to stop, and hears that it has.
#[derive(Default)]
struct Switch(Mutex<Position>);

#[derive(Default)]
struct Position {
    turned: bool,
    ended: bool,
    waker: Option<Waker>,
}

impl Switch {
    fn turn(&self) {
        let mut position = self.0.lock().expect("one thread, and it does not panic here");
        position.turned = true;
        if let Some(waker) = position.waker.take() {
            waker.wake();
        }
    }

    fn turned(self: &Arc<Self>) -> Fut<'static, ()> {
        let switch = self.clone();
        Box::pin(std::future::poll_fn(move |context| {
            let mut position = switch.0.lock().expect("one thread, and it does not panic here");
            position.waker = Some(context.waker().clone());
            if position.turned { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    fn end(&self) {
        self.0.lock().expect("one thread, and it does not panic here").ended = true;
    }

    fn has_ended(&self) -> bool {
        self.0.lock().expect("one thread, and it does not panic here").ended
    }
}

/// The loops that a process of the simulation runs.
pub fn loops() -> Vec<LoopName> {
    let script = Script::of(&Options::default());
    let world = World::new(Arc::new(script), None);
    let life = world.lock().lives.begin(0, 0);
    let (_, tasks) = Node::start(&world, life);
    tasks.iter().map(|(name, _)| *name).collect()
}
