//! The composition root: which adapters stand behind the ports. Only this folder knows the mode: SQLite and a queue in
//! the process, or what a fleet shares.

mod queue;
mod store;

use crate::answer::{Outcome, Stop, chain};
use crate::config::{ConfigFile, Environment, Settings};
use crate::reload;
use crate::system::{SystemClock, SystemEntropy};
use bw_action::Senders;
use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::port::sender::Sender;
use bw_domain::port::store::NodeId;
use bw_engine::catalog::LiveCatalog;
use bw_engine::inbox::Inbox;
use bw_engine::loops::Parts;
use bw_engine::usecase::Services;
use bw_engine::usecase::system::Process;
use bw_engine::vitals::Vitals;
use bw_net::{Net, NetConfig, Outbound};
use bw_probe::{Anchors, BwProber, Gate};
use bw_server::auth::AuthConfig;
use std::path::Path;
use std::sync::Arc;
use store::{Handle, Opened, With};
use tokio::runtime::Handle as Runtime;

/// Everything that one process is made of.
pub struct House {
    pub services: Services,
    pub sender: Arc<dyn Sender>,
    pub outbound: Outbound,
    /// The observer's self-test, when there are anchors.
    pub gate: Option<Arc<Gate>>,
    pub node: NodeId,
    store: Handle,
}

/// The clock of this process.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// The way out, for probes and senders alike.
pub fn net(settings: &Settings, environment: &Environment, clock: Arc<dyn Clock>) -> Outcome<Arc<Net>> {
    let roots = environment.certificates.clone().map(Into::into);
    let config = NetConfig { guard: settings.guard, roots, ..NetConfig::default() };
    Net::new(config, clock).map_err(|error| {
        let why = chain(&error);
        Stop::failed(format!("{why}: set SSL_CERT_FILE to a file of PEM certificates, or unset it"))
    })
}

/// Opens the store and builds everything on it. Answers the file, too, unless the store has it already: then it ends here,
/// and the catalog takes the memory that it took. Nobody asks again later, when another process may have applied another
/// one.
pub async fn house(
    settings: &Settings,
    environment: &Environment,
    file: ConfigFile,
    clock: Arc<dyn Clock>,
) -> Outcome<(House, Option<ConfigFile>)> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let net = net(settings, environment, clock.clone())?;
    let gate = gate(settings, &net)?;
    let with = With { settings, environment, clock: clock.clone(), entropy: entropy.clone() };
    let Opened { store, wake, installation, handle } = store::open(with).await?;
    let queue = queue::open(settings, environment, installation, clock.clone()).await?;
    let file = if reload::is_applied(&store, &file).await? { None } else { Some(file) };
    let defaults = Arc::new(settings.defaults.clone());
    let catalog = Arc::new(LiveCatalog::new(defaults.clone()));
    catalog
        .refresh(&store)
        .await
        .map_err(|error| Stop::failed(format!("the monitors cannot be read: {error}")))?;
    for (id, problems) in catalog.broken() {
        let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
        tracing::error!("monitor={id} is not probed: {}", why.join("; "));
    }
    let prober =
        bw_probe::Config { gate: gate.clone(), ..bw_probe::Config::new(net.clone(), Runtime::current()) };
    let outbound = Outbound::new(net);
    let services = Services {
        beats: Arc::default(),
        store,
        catalog,
        queue,
        prober: Arc::new(BwProber::new(prober)),
        clock: clock.clone(),
        entropy: entropy.clone(),
        wake,
        vitals: Arc::new(Vitals::default()),
        defaults,
        base_url: environment.url.as_deref().unwrap_or_default().into(),
        pulse_slack: settings.beats.slack_url.clone(),
    };
    let sender = Arc::new(Senders::new(outbound.clone(), clock));
    let node = NodeId(entropy.bits());
    Ok((House { services, sender, outbound, gate, node, store: handle }, file))
}

fn gate(settings: &Settings, net: &Arc<Net>) -> Outcome<Option<Arc<Gate>>> {
    let self_test = &settings.self_test;
    if self_test.anchors.is_empty() {
        return Ok(None);
    }
    let anchors = Anchors::parse(&self_test.anchors, self_test.need);
    let anchors = anchors.map_err(|sentence| Stop::failed(format!("self_test: {sentence}")))?;
    Ok(Some(Gate::new(net.clone(), anchors)))
}

/// Prepares the database of a fleet, and answers what to say.
pub async fn prepare(settings: &Settings, environment: &Environment) -> Outcome<String> {
    let entropy = Arc::new(SystemEntropy::new());
    store::prepare(With { settings, environment, clock: clock(), entropy }).await
}

/// Its owner alone may look into it.
fn make_directory(directory: &Path) -> Outcome<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| {
        let directory = directory.display();
        Stop::failed(format!(
            "the data directory {directory} cannot be made: {error}; name another with --data DIR"
        ))
    })
}

impl House {
    /// What the loops are made of.
    pub fn parts(&self) -> Parts {
        Parts {
            services: self.services.clone(),
            sender: self.sender.clone(),
            inbox: Arc::new(Inbox::default()),
            node: self.node,
        }
    }

    /// What the process tells of itself.
    pub fn process(&self, settings: &Settings) -> Process {
        let figures = store::figures(settings);
        Process::new(env!("CARGO_PKG_VERSION"), self.services.clock.now(), figures)
    }

    /// Who may come in.
    pub async fn access(&self, settings: &Settings, environment: &Environment) -> Outcome<AuthConfig> {
        let tokens = self.services.store.access.tokens().await;
        let tokens = tokens.map_err(|error| Stop::failed(format!("the tokens cannot be read: {error}")))?;
        Ok(AuthConfig {
            admin_password: environment.admin_password.clone(),
            token: environment.token.clone(),
            stored_tokens: tokens.iter().any(|token| token.revoked_at.is_none()),
            none: settings.open,
            metrics_public: settings.metrics_public,
            beyond_loopback: settings.listen.iter().any(|address| !address.ip().to_canonical().is_loopback()),
            https: environment.url.as_ref().is_some_and(|url| url.starts_with("https://")),
        })
    }

    /// Lets go of the store.
    pub async fn close(self) {
        self.store.close().await;
    }
}
