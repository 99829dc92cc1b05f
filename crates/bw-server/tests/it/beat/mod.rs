//! Beats as clients send them, to a server whose `ingest` runs: what is answered, and what is kept.

mod bodies;
mod limits;
mod ping;
mod pulse;
mod push;
mod sockets;

use crate::house::{House, Reply};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::port::Fut;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::port::store::{BeatRow, NodeId};
use bw_domain::port::wake::{Topic, Wake};
use bw_domain::secret::Secret;
use bw_engine::inbox::Inbox;
use bw_engine::loops::{Parts, Rest, Tick, all, run};
use bw_engine::usecase::beats;
use bw_engine::vitals::{BEAT_WORDS, LoopName};
use bw_server::App;
use bw_server::beat::BeatSettings;
use http::Request;
use serde_json::{Value, json};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

const KEY: &str = "fqOOd6-F4MMNuCEnzTU01w";

struct World {
    house: House,
    app: App,
    router: Router,
}

impl World {
    /// With a ping key.
    async fn new() -> Self {
        World::with(BeatSettings { ping_key: Some(Secret::new(KEY)), ..BeatSettings::default() }).await
    }

    async fn with(settings: BeatSettings) -> Self {
        let house = House::new().await;
        let mut app = house.app.clone().with_beats(settings);
        app.services.wake = Arc::new(Wakes::default());
        let router = bw_server::router(app.clone());
        World { house, app, router }
    }

    /// Declares a heartbeat; answers its id and address.
    async fn heartbeat(&self, name: &str, rules: Value) -> (MonitorId, Uuid) {
        let document = json!({"name": name, "slug": name, "heartbeat": rules});
        let id = MonitorId(self.house.declare(document).await);
        (id, self.app.services.catalog.get(id).expect("it was declared").uuid)
    }

    /// Runs a test while beats are kept.
    async fn hearing<T>(&self, test: impl Future<Output = T>) -> T {
        let services = &self.app.services;
        let rest = Rest {
            clock: services.clock.clone(),
            wake: services.wake.clone(),
            vitals: services.vitals.clone(),
            sleep: Arc::new(|_| Box::pin(std::future::pending())),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let testing = async {
            let answer = test.await;
            stop.send(()).expect("it runs");
            answer
        };
        let running = run(self.ingest(), &rest, async move { drop(stopped.await) });
        tokio::join!(running, testing).1
    }

    fn ingest(&self) -> Box<dyn Tick> {
        let parts = Parts {
            services: self.app.services.clone(),
            sender: Arc::new(Mute),
            inbox: Arc::new(Inbox::default()),
            node: NodeId(1),
        };
        all(&parts).into_iter().find(|looped| looped.name() == LoopName::Ingest).expect("it is a loop")
    }

    /// `METHOD TARGET` from this machine.
    async fn ask(&self, what: &str) -> Reply {
        self.send(request(what, Body::empty(), &[])).await
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        House::send_to(&self.router, request).await
    }

    /// What is kept of a heartbeat, oldest first.
    async fn kept(&self, monitor: MonitorId) -> Vec<BeatRow> {
        let mut rows = beats::list(&self.app.services, monitor, None, 1_000).await.expect("it is there");
        rows.reverse();
        rows
    }

    async fn body(&self, row: &BeatRow) -> Vec<u8> {
        beats::body(&self.app.services, row.monitor, row.number).await.expect("it is kept").to_vec()
    }

    /// How many beats ended so.
    fn counted(&self, word: &str) -> u64 {
        let place = BEAT_WORDS.iter().position(|known| *known == word).expect("a known word");
        self.app.services.vitals.beats()[place]
    }
}

fn request(what: &str, body: Body, headers: &[(&str, &str)]) -> Request<Body> {
    let (method, target) = what.split_once(' ').expect("METHOD TARGET");
    let from: SocketAddr = "127.0.0.1:50000".parse().expect("an address");
    let request = Request::builder().method(method).uri(target).extension(ConnectInfo(from));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(body).expect("a request")
}

/// The same from another machine.
fn request_from(address: &str, what: &str) -> Request<Body> {
    let mut request = request(what, Body::empty(), &[]);
    let from: SocketAddr = address.parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(from));
    request
}

#[derive(Default)]
struct Wakes([Notify; Topic::ALL.len()]);

impl Wake for Wakes {
    fn notify(&self, topic: Topic) {
        self.0[topic as usize].notify_one();
    }

    fn wait(&self, topic: Topic) -> Fut<'_, ()> {
        Box::pin(self.0[topic as usize].notified())
    }
}

struct Mute;

impl Sender for Mute {
    fn send(&self, _: Dispatch) -> Fut<'_, bw_domain::delivery::Receipt> {
        Box::pin(std::future::pending())
    }
}
