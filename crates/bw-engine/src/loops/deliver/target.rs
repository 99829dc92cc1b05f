//! What an action is at the moment of sending: declarations may change between the event and its delivery.

use crate::loops::noted;
use crate::usecase::Services;
use bw_domain::action::{ActionKind, ActionRef};
use bw_domain::port::store::StoreError;
use std::sync::Arc;

/// Where a message goes.
pub(super) struct Target {
    pub kind: Arc<ActionKind>,
    /// For timelines: the action's name, or whose webhook it is.
    pub name: String,
    pub five_lines: bool,
    pub was_broken: bool,
}

/// What the action is now; `None` when it is no more.
pub(super) async fn find(services: &Services, action: ActionRef) -> Result<Option<Target>, StoreError> {
    if let Some(target) = known(services, action) {
        return Ok(Some(target));
    }
    // It may be newer than the catalog.
    noted(services, services.catalog.refresh(&services.store).await)?;
    Ok(known(services, action))
}

fn known(services: &Services, action: ActionRef) -> Option<Target> {
    match action {
        ActionRef::Declared(id) => {
            let actions = services.catalog.actions();
            let found = actions.iter().find(|declared| declared.id == id)?;
            Some(Target {
                kind: Arc::new(found.kind.clone()),
                name: found.name.clone(),
                five_lines: false,
                was_broken: !found.broken.is_empty(),
            })
        }
        ActionRef::MonitorWebhook(id) => {
            let spec = services.catalog.get(id)?;
            let url = spec.declared.webhook_url.clone()?;
            Some(Target {
                kind: Arc::new(ActionKind::Slack { url }),
                name: format!("the webhook of {}", spec.name()),
                five_lines: true,
                was_broken: false,
            })
        }
        ActionRef::HeartbeatService => Some(Target {
            kind: Arc::new(ActionKind::Slack { url: services.pulse_slack.clone()? }),
            name: action.to_string(),
            five_lines: false,
            was_broken: false,
        }),
    }
}
