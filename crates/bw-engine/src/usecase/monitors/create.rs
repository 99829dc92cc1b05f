//! Declaring a monitor, once even when the request is sent again.

use super::MonitorView;
use super::consequence::{apply_one, load, present, refusal};
use super::list::view;
use crate::catalog::BeatKey;
use crate::usecase::{By, Services, UseError};
use bw_domain::access;
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::monitor::{Declaration, HeartbeatDeclared, compile};
use bw_domain::port::store::{Edit, EditKind, Refused, Revision};
use bw_domain::read::Problem;
use bw_domain::secret::MASK;

/// A monitor to declare.
#[derive(Clone, Debug)]
pub struct Create<'a> {
    pub declared: Declaration,
    /// The same key from the same caller declares the same monitor once, across restarts: its UUID is made of it.
    pub idempotency_key: Option<&'a str>,
}

/// Declares a monitor. It is looked at at once rather than at its first slot.
pub async fn create(services: &Services, create: Create<'_>, by: By<'_>) -> Result<MonitorView, UseError> {
    let Create { mut declared, idempotency_key } = create;
    let heartbeat = declared.heartbeat();
    let (is_heartbeat, given) = (heartbeat.is_some(), heartbeat.and_then(HeartbeatDeclared::uuid));
    let uuid = match (given, idempotency_key) {
        (Some(uuid), _) => uuid,
        (None, Some(key)) => uuid_of(by.actor, key),
        (None, None) => Uuid::from_random(services.entropy.bits()),
    };
    if idempotency_key.is_some()
        && let Some(known) = known(services, uuid, is_heartbeat).await?
    {
        return repeated(known, &declared);
    }
    nothing_masked(&mut declared)?;
    let now = services.clock.now();
    let draft = Revision {
        id: MonitorId(0),
        uuid,
        revision: 1,
        effective_from: now,
        created_at: now,
        updated_at: now,
        owner: by.owner.cloned(),
        declared: Some(declared.clone()),
    };
    compile(&draft, &services.defaults).map_err(UseError::Invalid)?;
    // Nobody looks at a heartbeat.
    let (owner, first_look) = (by.owner.cloned(), !is_heartbeat);
    let kind = EditKind::Create { uuid, owner, declared: Box::new(declared), first_look };
    match apply_one(services, Edit { kind, consequence: None }).await? {
        Ok(revision) => present(services, &revision).await,
        // The UUID is known: the same request was served a moment ago, or long ago and its monitor has ended.
        Err(Refused::Conflict) if idempotency_key.is_some() => {
            services.catalog.refresh(&services.store).await?;
            let gone =
                || UseError::Refused("this Idempotency-Key made a monitor that has ended since".to_owned());
            known(services, uuid, is_heartbeat).await?.ok_or_else(gone)
        }
        Err(Refused::Conflict) if given.is_some() => {
            let taken = format!("a heartbeat with the address {uuid} is or was here already");
            Err(UseError::invalid("heartbeat.uuid", taken))
        }
        Err(refused) => Err(refusal(refused)),
    }
}

/// `***` in something new has nothing to keep.
pub fn nothing_masked(declared: &mut Declaration) -> Result<(), UseError> {
    unkept(declared.keep_masked(&Declaration::default()))
}

/// Refuses paths whose `***` found nothing to keep.
pub fn unkept(paths: Vec<String>) -> Result<(), UseError> {
    if paths.is_empty() {
        return Ok(());
    }
    let problem =
        |path: String| Problem::new(path, format!("`{MASK}` keeps a stored value, and none is stored here"));
    Err(UseError::Invalid(paths.into_iter().map(problem).collect()))
}

fn uuid_of(actor: &str, key: &str) -> Uuid {
    let digest = access::digest(&format!("create\0{actor}\0{key}"));
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest[..16]);
    Uuid::from_random(u128::from_be_bytes(bits))
}

async fn known(services: &Services, uuid: Uuid, is_heartbeat: bool) -> Result<Option<MonitorView>, UseError> {
    // The addresses of heartbeats are indexed, because a first beat comes by here.
    let found = if is_heartbeat {
        services.catalog.heartbeats(&BeatKey::Uuid(uuid)).pop()
    } else {
        services.catalog.all().into_iter().find(|spec| spec.uuid == uuid)
    };
    let Some(spec) = found else { return Ok(None) };
    let loaded = load(services, &spec).await?;
    Ok(Some(view(spec, loaded)))
}

/// The answer of the first request, unless this one asks for something else.
fn repeated(known: MonitorView, declared: &Declaration) -> Result<MonitorView, UseError> {
    if known.spec.revision == 1 && known.spec.declared.to_json() != declared.to_json() {
        return Err(UseError::Refused("this Idempotency-Key was used for another monitor".to_owned()));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_monitor_for_one_caller() {
        assert_eq!(uuid_of("a", "k"), uuid_of("a", "k"));
        assert_ne!(uuid_of("a", "k"), uuid_of("b", "k"));
    }
}
