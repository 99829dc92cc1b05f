//! One check: finding it by its address or its digest, writing to it, pausing, resuming, deleting.

use super::check::{Check, Reader};
use super::mistake::Mistake;
use super::place::Key;
use super::unique::unique_key;
use super::wish::{Body, Wish};
use super::{ACTOR, channels, declare};
use crate::App;
use bw_domain::id::{MonitorId, Uuid};
use bw_engine::catalog::BeatKey;
use bw_engine::usecase::{By, UseError, monitors};

/// How often a write is made anew because somebody else wrote meanwhile.
const TRIES: usize = 8;

/// The heartbeat with this address or digest.
pub async fn find(app: &App, key: &Key) -> Result<MonitorId, Mistake> {
    match key {
        Key::Uuid(uuid) => by_uuid(app, *uuid).await,
        Key::Unique(wanted) => {
            let specs = app.services.catalog.all();
            let found = specs.iter().find(|spec| spec.beats().is_some() && unique_key(spec.uuid) == *wanted);
            found.map(|spec| spec.id).ok_or(Mistake::NotFound)
        }
    }
}

/// The heartbeat with this address.
pub async fn by_uuid(app: &App, uuid: Uuid) -> Result<MonitorId, Mistake> {
    let services = &app.services;
    let known = || services.catalog.heartbeats(&BeatKey::Uuid(uuid)).pop();
    if known().is_none() {
        // Another node may have made it a moment ago.
        services.catalog.refresh(&services.store).await.map_err(UseError::from)?;
    }
    known().map(|spec| spec.id).ok_or(Mistake::NotFound)
}

/// The check as it stands.
pub async fn show(reader: &Reader<'_>, id: MonitorId) -> Result<Check, Mistake> {
    let view = monitors::get(&reader.app.services, id).await?;
    reader.check(&view).ok_or(Mistake::NotFound)
}

/// Writes the members that the body names.
pub async fn update(reader: &Reader<'_>, id: MonitorId, body: &Body) -> Result<Check, Mistake> {
    write(reader, id, &Wish::read(body)?).await
}

/// The same for what was read already.
pub async fn write(reader: &Reader<'_>, id: MonitorId, wish: &Wish) -> Result<Check, Mistake> {
    channels::known(reader.app, wish.channels.as_deref().unwrap_or_default())?;
    let services = &reader.app.services;
    for _ in 0..TRIES {
        let spec = services.catalog.get(id).ok_or(Mistake::NotFound)?;
        let mut declared = (*spec.declared).clone();
        declare::write(wish, &mut declared, spec.uuid, reader.version);
        // What is not named is what another request may write at the same time.
        match monitors::replace(services, id, declared, Some(spec.revision), By::hand(ACTOR)).await {
            Ok(view) => return reader.check(&view).ok_or(Mistake::NotFound),
            Err(UseError::Stale { .. }) => {
                services.catalog.refresh(&services.store).await.map_err(UseError::from)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(UseError::Refused("it is edited by too many at once: try again".to_owned()).into())
}

/// Pauses the check; one that is paused stays so.
pub async fn pause(reader: &Reader<'_>, id: MonitorId) -> Result<Check, Mistake> {
    let view = monitors::pause(&reader.app.services, id, By::hand(ACTOR)).await?;
    reader.check(&view).ok_or(Mistake::NotFound)
}

/// Resumes a paused check: it is as new.
pub async fn resume(reader: &Reader<'_>, id: MonitorId) -> Result<Check, Mistake> {
    let services = &reader.app.services;
    let spec = services.catalog.get(id).ok_or(Mistake::NotFound)?;
    if spec.enabled {
        return Err(Mistake::NotPaused);
    }
    let view = monitors::resume(services, id, By::hand(ACTOR)).await?;
    reader.check(&view).ok_or(Mistake::NotFound)
}

/// Deletes the check, and answers it as it was.
pub async fn delete(reader: &Reader<'_>, id: MonitorId) -> Result<Check, Mistake> {
    let was = show(reader, id).await?;
    monitors::delete(&reader.app.services, id, None, By::hand(ACTOR)).await?;
    Ok(was)
}
