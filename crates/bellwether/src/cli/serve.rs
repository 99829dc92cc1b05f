//! `serve` and the roles of a fleet: the whole life of the process. Configuration, telemetry, store, queue,
//! declarations, loops, and listeners last; in the end the same backwards.

use super::args::ServeArgs;
use super::{Setup, setup};
use crate::answer::{Answer, Outcome, Status, Stop};
use crate::compose::{self, House};
use crate::config::{Environment, Flags, OutboundHeartbeat, Settings};
use crate::reload::{self, Reload};
use crate::roles::Role;
use crate::supervise::{LISTEN, Plant, Side, Sides, Signals, hang_ups, is_beside, must_tick};
use crate::{observer, outbound_heartbeat, ready, resources, scaling, telemetry};
use bw_domain::port::clock::Clock;
use bw_engine::loops::{Rest, all};
use bw_engine::usecase::system::{ConfigStatus, Process};
use bw_server::auth::may_listen;
use bw_server::{App, Served};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, oneshot, watch};

/// Beyond this many connections that nobody has accepted yet, clients wait.
const BACKLOG: u32 = 1_024;

/// The first ticks take a few milliseconds.
const FIRST_TICK_LOOK: Duration = Duration::from_millis(1);

/// Where a process without pages tells how it is, unless it is told where.
const ANY_PORT: &str = "127.0.0.1:0";

/// Serves until a signal ends it.
pub fn run(args: ServeArgs, role: Role) -> Outcome {
    let setup = setup(&args, role)?;
    let clock = compose::clock();
    telemetry::start(setup.settings.log, clock.clone());
    resources::raise_open_files();
    resources::share_memory();
    // Two threads carry ten thousand probes; more would cost memory for nothing.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Stop::failed(format!("the runtime cannot start: {error}")))?;
    let answer = runtime.block_on(serve((args, role), setup, clock));
    runtime.shutdown_background();
    answer
}

async fn serve((args, role): (ServeArgs, Role), setup: Setup, clock: Arc<dyn Clock>) -> Outcome {
    let mut signals = Signals::listen()?;
    let Setup { environment, file, settings } = setup;
    let (path, first) = (file.path.clone(), file.fingerprint);
    let (mut house, file) = compose::house(&settings, &environment, file, clock).await?;
    let access = house.access(&settings, &environment).await?;
    let sockets = bind(&settings, &access)?;
    let url = url(&sockets)?;
    if house.services.base_url.is_empty() {
        house.services.base_url = url.as_str().into();
    }
    let process = process(&house, &settings, path.as_deref(), role);
    // The file with all that it declares ends here: it may be many times as large as what follows from it.
    if let Some(file) = file.filter(|_| role.declares()) {
        reload::take_over(&house.services, file).await?;
    }
    let parts = house.parts();
    let plant = Plant { make: Box::new(move || all(&parts)), rest: rest(&house), role };
    let (halt, halted) = watch::channel(false);
    // The listeners end when nearly everything has ended: whoever beats meanwhile is heard.
    let (ears, listening) = oneshot::channel::<Sides>();
    let deafen = async {
        if let Ok(ears) = listening.await {
            ears.end(LISTEN).await;
        }
    };
    let loops = tokio::task::JoinSet::from_iter([plant.run(is_true(halted), deafen)]);
    let app = App::new(house.services.clone(), process.clone(), access).with_beats(settings.beats.clone());
    if app.auth.is_none() {
        tracing::warn!("--auth none: whoever reaches {url} may do everything");
    }
    let mut sides = beside((&args, role), (&environment, &settings, first), &house, &process);
    sides.retain(|side| is_beside(side.name, role));
    let served = if role.has_pages() { Served::all(app) } else { Served::watched(app) };
    let listeners = listen(sockets, served)?;
    let sides = Sides::start(sides);
    ears.send(Sides::start(listeners)).map_err(|_| Stop::failed("the loops ended before they began"))?;
    first_ticks(&house, role).await;
    process.set_started();
    ready::announce(settings.log, &url);
    ready::tell_systemd(environment.notify_socket.as_deref(), "READY=1");
    signals.stop().await;
    ready::tell_systemd(environment.notify_socket.as_deref(), "STOPPING=1");
    tracing::info!("stopping; a second signal stops at once");
    let end = async {
        process.set_stopping();
        sides.end(0).await;
        halt.send_replace(true);
        loops.join_all().await;
        house.close().await;
    };
    tokio::select! {
        () = end => Ok(Answer { text: String::new(), status: Status::Good }),
        () = signals.stop() => Err(Stop::failed("stopped at once; what was under way is done again after the next start")),
    }
}

/// Waits until every loop that readiness depends on has looked once.
async fn first_ticks(house: &House, role: Role) {
    let vitals = &house.services.vitals;
    let needed: Vec<_> = role.loops().into_iter().filter(|name| must_tick(*name)).collect();
    while needed.iter().any(|name| vitals.last_tick(*name).is_none()) {
        tokio::time::sleep(FIRST_TICK_LOOK).await;
    }
}

/// Resolves once the flag is set, or nobody can set it any more.
async fn is_true(mut flag: watch::Receiver<bool>) {
    drop(flag.wait_for(|set| *set).await);
}

fn process(house: &House, settings: &Settings, file: Option<&Path>, role: Role) -> Arc<Process> {
    let mut process = house.process(settings);
    process.roles = vec![role.word()];
    process.loops = role.loops();
    process.node = format!("{:032x}", house.node.0);
    process.set_config(ConfigStatus {
        file: file.map(|path| path.display().to_string()),
        loaded_at: Some(house.services.clock.now()),
        error: None,
    });
    Arc::new(process)
}

fn rest(house: &House) -> Rest {
    let services = &house.services;
    Rest {
        clock: services.clock.clone(),
        wake: services.wake.clone(),
        vitals: services.vitals.clone(),
        sleep: Arc::new(|length| Box::pin(tokio::time::sleep(length))),
    }
}

/// Sockets with their addresses: bound, so that nobody else can have them, and not yet open.
fn bind(settings: &Settings, access: &bw_server::auth::AuthConfig) -> Outcome<Vec<(TcpSocket, SocketAddr)>> {
    let mut sockets = Vec::with_capacity(settings.listen.len());
    for address in &settings.listen {
        may_listen(*address, access).map_err(Stop::failed)?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(*address)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        });
        sockets.push(bound.map_err(|error| {
            Stop::failed(format!("cannot listen on {address}: {error}; stop what listens there, or choose another with --listen"))
        })?);
    }
    Ok(sockets)
}

/// Where people on this machine reach us.
fn url(sockets: &[(TcpSocket, SocketAddr)]) -> Outcome<String> {
    let (_, address) =
        sockets.first().ok_or_else(|| Stop::failed("there is no address to listen on: see --listen"))?;
    let mut shown = *address;
    if shown.ip().is_unspecified() {
        let loopback =
            if shown.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        shown.set_ip(loopback);
    }
    Ok(format!("http://{shown}"))
}

/// One task a listener.
fn listen(sockets: Vec<(TcpSocket, SocketAddr)>, served: Served) -> Outcome<Vec<Side>> {
    let served = Arc::new(served);
    let mut sides = Vec::with_capacity(sockets.len());
    for (socket, address) in sockets {
        let failed = |error| Stop::failed(format!("cannot listen on {address}: {error}"));
        let listener = Arc::new(socket.listen(BACKLOG).and_then(TcpListener::into_std).map_err(failed)?);
        let served = served.clone();
        let make = move |stop| -> bw_domain::port::Fut<'static, ()> {
            let (listener, served) = (listener.clone(), served.clone());
            Box::pin(async move {
                match listener.try_clone().and_then(TcpListener::from_std) {
                    Ok(listener) => bw_server::listen(listener, served, stop).await,
                    Err(error) => tracing::error!("the listener on {address} is lost: {error}"),
                }
            })
        };
        sides.push(Side { name: "listen", make: Box::new(make) });
    }
    Ok(sides)
}

/// What runs beside loops and listeners.
fn beside(
    (args, role): (&ServeArgs, Role),
    (environment, settings, first): (&Environment, &Settings, Option<[u8; 32]>),
    house: &House,
    process: &Arc<Process>,
) -> Vec<Side> {
    let (heartbeat, _) = watch::channel::<Option<OutboundHeartbeat>>(settings.outbound_heartbeat.clone());
    let mut sides = vec![Side::new("memory", resources::give_back)];
    let beat = (house.outbound.clone(), house.services.clone(), process.clone(), heartbeat.clone());
    sides.push(Side::new("outbound_heartbeat", move || {
        let (outbound, services, process, heartbeat) = beat.clone();
        outbound_heartbeat::run(outbound, services, process, heartbeat.subscribe())
    }));
    if args.emf {
        let services = house.services.clone();
        sides.push(Side::new("scaling_signals", move || scaling::run(services.clone(), role)));
    }
    if let Some(gate) = house.gate.clone() {
        let vitals = house.services.vitals.clone();
        sides.push(Side::new("observer", move || observer::run(gate.clone(), vitals.clone())));
    }
    let reload = Arc::new(Reload {
        services: house.services.clone(),
        process: process.clone(),
        environment: environment.clone(),
        flags: flags(args, role),
        named: args.place.config.clone().or_else(|| environment.config.clone()),
        settings: settings.clone(),
        heartbeat,
    });
    sides.push(Side::new("configuration", move || {
        let (reload, asked) = (reload.clone(), Arc::new(Notify::new()));
        async move {
            tokio::join!(hang_ups(asked.clone()), reload.run(asked, first));
        }
    }));
    sides
}

/// What the command line said of settings.
pub fn flags(args: &ServeArgs, role: Role) -> Flags {
    Flags {
        listen: args.listen.clone(),
        data: args.place.data.clone(),
        auth: args.auth.clone(),
        log: args.log.clone(),
        without_pages: (!role.has_pages()).then_some(ANY_PORT),
    }
}
