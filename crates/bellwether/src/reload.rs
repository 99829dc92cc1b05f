//! Taking the configuration over: at the start, on SIGHUP, and when the file's content changes. A file with a
//! mistake changes nothing; the last good one stays in force and everybody can see why.

use crate::answer::{Outcome, Stop};
use crate::config::{self, ConfigFile, Environment, Flags, OutboundHeartbeat, Settings, variable};
use bw_domain::access::digest;
use bw_domain::port::store::Store;
use bw_engine::usecase::apply::{Plan, apply};
use bw_engine::usecase::system::{ConfigStatus, Process};
use bw_engine::usecase::{Services, UseError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often the file is looked at. Watching a directory misses what is mounted over it; reading a small file does
/// not.
const LOOK: Duration = Duration::from_secs(2);
/// How long a file must not change before it is believed.
const STILL: Duration = Duration::from_millis(250);

/// What is needed to take a file over.
pub struct Reload {
    pub services: Services,
    pub process: Arc<Process>,
    pub environment: Environment,
    pub flags: Flags,
    /// The file as it was named; `None`: the default one, if it is there.
    pub named: Option<String>,
    /// What is in force since the start.
    pub settings: Settings,
    /// What can change while we run.
    pub heartbeat: watch::Sender<Option<OutboundHeartbeat>>,
}

/// Whether the store has exactly this file already. So it is where there is none: a start in another directory must
/// not delete what the file declared.
pub async fn is_applied(store: &Store, file: &ConfigFile) -> Outcome<bool> {
    if file.path.is_none() {
        return Ok(true);
    }
    let known = store.catalog.applied_file(file.owner.as_str().into()).await;
    let known = known.map_err(|error| Stop::failed(format!("{}: {error}", file.shown())))?;
    Ok(known == Some(file.hash))
}

/// Applies what a file declares, unless that was done before.
pub async fn take_over(services: &Services, mut file: ConfigFile) -> Outcome<()> {
    if is_applied(&services.store, &file).await? {
        return Ok(());
    }
    let owner: Arc<str> = file.owner.as_str().into();
    let shown = file.shown();
    let failed = |what: String| Stop::failed(format!("{shown}: {what}"));
    let declared = std::mem::take(&mut file.declared);
    let plan = apply(services, &owner, declared).await.map_err(|error| refused(&file, error))?;
    let remembered = services.store.catalog.remember_file(owner, file.hash).await;
    remembered.map_err(|error| failed(error.to_string()))?;
    say(&file, &plan);
    Ok(())
}

/// Mistakes get their lines back.
fn refused(file: &ConfigFile, error: UseError) -> Stop {
    match error {
        UseError::Invalid(problems) => Stop::failed(file.locate(problems).to_string()),
        other => Stop::failed(format!("{}: {other}", file.shown())),
    }
}

fn say(file: &ConfigFile, plan: &Plan) {
    let Plan { create, replace, delete, unchanged, notes } = plan;
    let (file, new, changed, gone) = (file.shown(), create.len(), replace.len(), delete.len());
    tracing::info!("{file} applied: {new} new, {changed} changed, {gone} deleted, {unchanged} unchanged");
    for note in notes {
        tracing::warn!("{file}: {note}");
    }
}

impl Reload {
    /// Watches the file for ever.
    pub async fn run(self: Arc<Self>, asked: Arc<Notify>, first: Option<[u8; 32]>) {
        let mut seen = first;
        loop {
            let by_hand = tokio::select! {
                () = asked.notified() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let Some(path) = config::find(self.named.as_deref()) else { continue };
            if fingerprint(&path) == seen && !by_hand {
                continue;
            }
            seen = settled(&path).await;
            let status = match self.reload(path.clone()).await {
                Ok(()) => {
                    self.services.vitals.config_reload_failed.store(false, Relaxed);
                    let loaded_at = Some(self.services.clock.now());
                    ConfigStatus { file: Some(path.display().to_string()), loaded_at, error: None }
                }
                Err(stop) => {
                    self.services.vitals.config_reload_failed.store(true, Relaxed);
                    for line in stop.sentence.lines() {
                        tracing::error!("configuration refused, the last good one stays in force: {line}");
                    }
                    ConfigStatus { error: Some(stop.sentence), ..self.process.config() }
                }
            };
            self.process.set_config(status);
        }
    }

    async fn reload(&self, path: PathBuf) -> Outcome<()> {
        let failed = |mistakes: config::Mistakes| Stop::failed(mistakes.to_string());
        let file = config::read(Some(&path), &variable).map_err(failed)?;
        let settings = Settings::layered(file.stated.clone(), &self.environment, self.flags.clone());
        let settings = settings.map_err(|problems| failed(file.locate(problems)))?;
        file.check(&self.settings.defaults).map_err(failed)?;
        let shown = file.shown();
        take_over(&self.services, file).await?;
        let waiting = self.settings.needs_restart(&settings);
        if !waiting.is_empty() {
            tracing::warn!("{shown}: these settings count after a restart: {}", waiting.join(", "));
        }
        self.heartbeat.send_if_modified(|now| {
            let differs = *now != settings.outbound_heartbeat;
            *now = settings.outbound_heartbeat;
            differs
        });
        Ok(())
    }
}

/// Waits until the file is still. Who saves often empties it first, and an empty file is a valid one that declares
/// nothing.
async fn settled(path: &Path) -> Option<[u8; 32]> {
    let mut seen = fingerprint(path);
    loop {
        tokio::time::sleep(STILL).await;
        let now = fingerprint(path);
        if now == seen {
            return now;
        }
        seen = now;
    }
}

/// What the file holds, whatever it is: `None` when it cannot be read.
fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    std::fs::read_to_string(path).ok().map(|text| digest(&text))
}
