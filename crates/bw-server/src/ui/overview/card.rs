//! Open incidents as cards: what, for how long, why, seen from where, who was told, who has taken it on.

use super::headline::Broken;
use crate::ui::{notice, words};
use bw_domain::incident::Incident;
use bw_domain::port::store::IncidentFilter;
use bw_domain::time::Instant;
use bw_engine::usecase::{Services, UseError, incidents};

/// Cards of the first look; the rest is one link away.
const SHOWN: usize = 6;
/// Incidents counted at most for that link.
const COUNTED: usize = 1_000;

/// What stands on a card.
pub struct Card {
    pub id: i64,
    pub name: String,
    pub since: Instant,
    pub lasting: String,
    pub cause: String,
    pub detail: String,
    /// Who knows of it.
    pub told: String,
}

/// The newest open incidents, and how many more there are.
pub async fn load(services: &Services, now: Instant) -> Result<(Vec<Card>, usize), UseError> {
    let filter = IncidentFilter { open: Some(true), limit: COUNTED, ..IncidentFilter::default() };
    let open = incidents::list(services, filter).await?.items;
    let mut cards = Vec::with_capacity(SHOWN);
    for incident in open.iter().take(SHOWN) {
        let told = notice::sentence(services, incident.id).await?;
        cards.push(Card::of(incident, told, now));
    }
    Ok((cards, open.len().saturating_sub(SHOWN)))
}

impl Card {
    fn of(incident: &Incident, told: String, now: Instant) -> Self {
        let mut detail = vec![incident.scope.text.clone()];
        detail.extend(
            incident
                .not_observed_since
                .map(|since| format!("not observed for {}", words::long(now.since(since)))),
        );
        detail.push(told.clone());
        detail.push(match &incident.acknowledged {
            Some(acknowledged) => format!("acknowledged by {}", acknowledged.by),
            None => "not acknowledged".to_owned(),
        });
        Card {
            id: incident.id.0,
            name: incident.monitor_name.clone(),
            since: incident.first_failure_at,
            lasting: words::short(now.since(incident.first_failure_at)),
            cause: words::sentence(&incident.cause.text),
            detail: words::sentence(&detail.join(" · ")),
            told,
        }
    }

    /// What the first line needs.
    pub fn broken(&self) -> Broken {
        Broken { name: self.name.clone(), since: self.since }
    }
}
