//! The heartbeat service as its users knew it: table, form and monitor, on a real store.

mod dashboard;
mod door;
mod edit;
mod monitor;

use crate::house::{House, Reply};
use axum::Router;
use axum::body::Body;
use bw_domain::beat::{Beat, Signal, Via};
use bw_domain::id::MonitorId;
use bw_domain::monitor::Declaration;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Appended, Incoming};
use bw_domain::secret::Secret;
use bw_domain::time::Instant;
use bw_engine::usecase::By;
use bw_engine::usecase::monitors::{self, Create};
use bw_server::auth::AuthConfig;
use bw_server::beat::BeatSettings;
use bw_server::{App, router};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

pub const SECRET: &str = "s3cret & more";
pub const PASSWORD: &str = "correct horse battery staple";
/// As it stands in an address.
pub const ENCODED: &str = "s3cret+%26+more";

/// A server with the service's secret.
pub struct World {
    pub house: House,
    pub app: App,
    router: Router,
}

impl World {
    /// Open to this machine.
    pub async fn new() -> Self {
        World::with(AuthConfig::default(), false).await
    }

    /// `tells`: an address of Slack is configured.
    pub async fn with(auth: AuthConfig, tells: bool) -> Self {
        let house = House::with(auth).await;
        let secret = Some(Secret::new(SECRET));
        let mut app = house.app.clone().with_beats(BeatSettings { secret, ..BeatSettings::default() });
        app.services.base_url = "https://beats.example.com".into();
        app.services.pulse_slack = tells.then(|| Secret::new("https://hooks.example.com/T0/B0/hush"));
        World { router: router(app.clone()), app, house }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.house.request(&format!("GET {path}"), Value::Null)).await
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        House::send_to(&self.router, request).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        let mut request = self.house.request(&format!("POST {path}"), Value::Null);
        let kind = "application/x-www-form-urlencoded".parse().expect("a header");
        request.headers_mut().insert("content-type", kind);
        *request.body_mut() = Body::from(form.to_owned());
        self.send(request).await
    }

    /// Declares a pulse, and answers its id.
    pub async fn declare(&self, key: [&str; 4], every: &str, saturday: bool) -> MonitorId {
        let [host, category, r#type, name] = key;
        let count = if saturday { "weekdays+saturday" } else { "weekdays" };
        let declared = Declaration::from_json(&json!({
            "name": key.join(" / "),
            "heartbeat": {
                "every": every, "count": count,
                "pulse": {"host": host, "category": category, "type": r#type, "name": name},
            },
        }));
        let create = Create { declared: declared.expect("a monitor"), idempotency_key: None };
        let made = monitors::create(&self.app.services, create, By::hand("a test")).await;
        made.expect("it is declared").spec.id
    }

    /// Signs in, and answers the cookie.
    pub async fn sign_in(&self) -> String {
        let reply = self.post("/ui/sign-in", &format!("password={}", PASSWORD.replace(' ', "+"))).await;
        assert_eq!(reply.status, http::StatusCode::SEE_OTHER, "{}", reply.text());
        reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }

    pub fn uuid(&self, id: MonitorId) -> String {
        self.app.services.catalog.get(id).expect("a monitor").uuid.to_string()
    }

    /// It pulses now.
    pub async fn pulse(&self, id: MonitorId) {
        let spec = self.app.services.catalog.get(id).expect("a monitor");
        let beat = Beat {
            monitor: id,
            at: self.house.clock.now(),
            happened: None,
            signal: Signal::Success,
            ignored: false,
            run: None,
            took: None,
            via: Via::default(),
            body: Bytes::new(),
        };
        let beats = &self.app.services.store.beats;
        let kept = beats.append(vec![Incoming { spec, beat }]).await.expect("it is kept");
        assert!(matches!(kept[..], [Appended::Taken(_)]));
    }

    /// Time passes until this instant.
    pub fn until(&self, at: Instant) {
        let now = self.house.clock.now();
        assert!(at >= now, "{at} is before {now}");
        self.house.clock.advance(at.since(now));
    }
}

pub fn at(text: &str) -> Instant {
    Instant::parse(text).expect("a time")
}
