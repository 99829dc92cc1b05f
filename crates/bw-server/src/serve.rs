//! One listener: connections within a bound, each with a time for its request's head, and a stop that lets those
//! finish that are being answered. What comes in goes through the front, which makes the lines of beats' requests
//! acceptable to the HTTP library; a beat is answered at once, everything else goes to the router.

use crate::front::{BeatPaths, Front};
use crate::{App, beat, limits, panicked, router, watched};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// What a listener serves.
pub struct Served {
    router: Router,
    paths: BeatPaths,
    /// Whose beats are answered before the router sees them.
    beats: Option<App>,
}

impl Served {
    /// Everything.
    pub fn all(app: App) -> Self {
        let paths = beat::paths(&app);
        Served { router: router(app.clone()), paths, beats: Some(app) }
    }

    /// What a process without pages serves.
    pub fn watched(app: App) -> Self {
        Served { router: watched(app), paths: BeatPaths::default(), beats: None }
    }

    async fn answer(self: Arc<Self>, request: Request) -> Response {
        match &self.beats {
            Some(app) if beat::takes(app, request.uri().path()) => {
                let answer = AssertUnwindSafe(beat::answer(app, request)).catch_unwind();
                answer.await.unwrap_or_else(panicked)
            }
            _ => match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }
}

/// Serves a router until `shutdown` resolves and the requests under way are answered, at most `limits::GRACE` later.
/// Beats are expected at the paths of the original servers.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_beats(listener, router, BeatPaths::default(), shutdown).await;
}

/// The same with beats at other paths.
pub async fn serve_beats(
    listener: TcpListener,
    router: Router,
    paths: BeatPaths,
    shutdown: impl Future<Output = ()>,
) {
    listen(listener, Arc::new(Served { router, paths, beats: None }), shutdown).await;
}

/// The same for all that a process serves.
pub async fn listen(listener: TcpListener, served: Arc<Served>, shutdown: impl Future<Output = ()>) {
    let seats = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = pin!(accept(&listener, seats.clone()));
        match select(next, shutdown.as_mut()).await {
            Either::Left(((stream, peer, seat), _)) => {
                connections.spawn(connection((stream, peer), served.clone(), stopping.clone(), seat));
                while connections.try_join_next().is_some() {}
            }
            Either::Right(_) => break,
        }
    }
    drop(listener);
    stop.send_replace(true);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits::GRACE, all_ended).await.is_err() {
        tracing::warn!("requests were still being answered when the listener's time was over");
    }
}

/// The next connection, once there is a seat for it.
async fn accept(
    listener: &TcpListener,
    seats: Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let seat = seats.acquire_owned().await.expect("nobody closes the seats");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, seat),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    served: Arc<Served>,
    mut stopping: watch::Receiver<bool>,
    _seat: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "the connection may answer late");
    }
    let (stream, turns) = Front::new(stream, served.paths.clone());
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let last = turns.is_last();
        let answer = served.clone().answer(request.map(axum::body::Body::new));
        async move {
            let mut response = answer.await;
            if last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEADER_READ)
            // A client that ends its half of the connection has still asked: `printf … | nc` does. Without this the
            // handler would be dropped in the middle, and its beat with it.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
    );
    let stopped = async move { stopping.wait_for(|stopping| *stopping).await.is_ok() };
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        _ = stopped => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}
