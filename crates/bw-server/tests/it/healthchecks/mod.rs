//! The management interface of Healthchecks as its clients know it: statuses, bodies, headers, the order of members. Its
//! checks get real pings, which the real loop keeps in the real store.

mod access;
mod badges;
mod beats;
mod figures;
mod reading;
mod writing;

use crate::house::{House, Reply};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::delivery::Receipt;
use bw_domain::port::Fut;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::port::store::NodeId;
use bw_domain::secret::Secret;
use bw_domain::time::Duration;
use bw_engine::loops::{Parts, Tick, all};
use bw_engine::vitals::LoopName;
use bw_server::beat::BeatSettings;
use bw_server::router;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::Mutex;

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const READ_ONLY: &str = "fedcba9876543210fedcba9876543210";
pub const PING_KEY: &str = "0123456789abcdefghijkl";

/// A house with keys, in which beats are kept.
pub struct World {
    pub house: House,
    router: Router,
    ingest: Mutex<Box<dyn Tick>>,
    strangers: AtomicU16,
}

impl World {
    pub async fn new() -> World {
        let mut house = House::new().await;
        let settings = BeatSettings {
            ping_key: Some(Secret::new(PING_KEY)),
            api_key: Some(Secret::new(KEY)),
            read_only_key: Some(Secret::new(READ_ONLY)),
            ..BeatSettings::default()
        };
        house.app = house.app.clone().with_beats(settings);
        let parts = Parts {
            services: house.app.services.clone(),
            sender: Arc::new(Nobody),
            inbox: Arc::default(),
            node: NodeId(1),
        };
        let ingest = all(&parts).into_iter().find(|looped| looped.name() == LoopName::Ingest);
        let ingest = Mutex::new(ingest.expect("the loop that keeps beats"));
        World { router: router(house.app.clone()), house, ingest, strangers: AtomicU16::new(0) }
    }

    /// `METHOD PATH` with the key that may do everything, and a body unless it is null.
    pub async fn ask(&self, what: &str, body: Value) -> Reply {
        self.with_key(what, KEY, body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), Value::Null).await
    }

    /// The same with this key; none where it is empty.
    pub async fn with_key(&self, what: &str, key: &str, body: Value) -> Reply {
        let mut request = self.house.request(what, body);
        if !key.is_empty() {
            request.headers_mut().insert("x-api-key", key.parse().expect("a header"));
        }
        self.send(request).await
    }

    /// The same from somewhere else each time, so that nobody has guessed too often.
    pub async fn as_stranger(&self, what: &str, key: &str, body: Value) -> Reply {
        let mut request = self.house.request(what, body);
        if !key.is_empty() {
            request.headers_mut().insert("x-api-key", key.parse().expect("a header"));
        }
        let [high, low] = self.strangers.fetch_add(1, Relaxed).to_be_bytes();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, high, low], 50_000))));
        self.send(request).await
    }

    /// Sends anything, while beats are kept.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let mut ingest = self.ingest.lock().await;
        let mut reply = std::pin::pin!(House::send_to(&self.router, request));
        loop {
            tokio::select! {
                biased;
                reply = &mut reply => return reply,
                () = turn(ingest.as_mut()) => {}
            }
        }
    }

    /// The same beside others: it does not wait for its turn, and no beat is kept meanwhile.
    pub async fn aside(&self, what: &str, body: Value) -> Reply {
        let mut request = self.house.request(what, body);
        request.headers_mut().insert("x-api-key", KEY.parse().expect("a header"));
        House::send_to(&self.router, request).await
    }

    /// Makes a check through the third version, and answers its object.
    pub async fn make(&self, body: Value) -> Value {
        let reply = self.ask("POST /api/v3/checks/", body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        reply.json()
    }

    /// Sends a ping: the end of its path after the address, with a body.
    pub async fn ping(&self, uuid: &str, end: &str, body: &'static str) {
        let request = self.house.request(&format!("POST /ping/{uuid}{end}"), Value::Null);
        let reply = self.send(request.map(|_| Body::from(body))).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"));
    }

    /// The check, once it has this status.
    pub async fn when(&self, uuid: &str, status: &str) -> Value {
        self.eventually(&format!("/api/v3/checks/{uuid}"), |check| check["status"] == status).await
    }

    /// What is at this path, once it is so.
    pub async fn eventually(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..10_000 {
            let seen = self.get(path).await.json();
            if is_so(&seen) {
                return seen;
            }
            turn(self.ingest.lock().await.as_mut()).await;
        }
        panic!("it did not become so: {}", self.get(path).await.text());
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        self.house.clock.advance(Duration::from_secs(seconds));
    }
}

/// One tick, and whatever the store has answered by then.
async fn turn(ingest: &mut dyn Tick) {
    ingest.tick().await;
    tokio::select! {
        () = ingest.progress() => {}
        () = tokio::task::yield_now() => {}
    }
}

/// The uuid of an object.
pub fn uuid(check: &Value) -> String {
    check["uuid"].as_str().expect("an address").to_owned()
}

/// A body of an error, literally.
pub fn error(sentence: &str) -> String {
    format!(r#"{{"error": {}}}"#, json!(sentence))
}

/// Every answer of the interface may be read by pages of other origins.
pub fn is_open(reply: &Reply, methods: &str) {
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "X-Api-Key"),
        ("access-control-allow-methods", methods),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
}

struct Nobody;

impl Sender for Nobody {
    fn send(&self, _: Dispatch) -> Fut<'_, Receipt> {
        Box::pin(std::future::pending())
    }
}
