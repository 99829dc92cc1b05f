//! Who knows of an incident, in a sentence: read off the ledger, so it says what was sent and not what was meant.

use super::words;
use bw_domain::delivery::{AttemptResult, DeliveryState};
use bw_domain::id::IncidentId;
use bw_domain::port::store::DeliveryItem;
use bw_domain::time::Instant;
use bw_engine::usecase::deliveries::{self, DeliveriesQuery};
use bw_engine::usecase::{Services, UseError};

/// Names in one sentence at most.
const NAMED: usize = 3;

/// `ops-slack was told at 10:31 UTC; pager is not reached yet`, without its full stop.
pub async fn sentence(services: &Services, incident: IncidentId) -> Result<String, UseError> {
    let query = DeliveriesQuery { incident: Some(incident), ..DeliveriesQuery::default() };
    Ok(said(&deliveries::list(services, query).await?.items))
}

fn said(items: &[DeliveryItem]) -> String {
    let told = names(items, DeliveryState::Sent);
    let open =
        |state| names(items, state).into_iter().filter(|name| !told.contains(name)).collect::<Vec<_>>();
    let mut parts = Vec::new();
    if let Some(first) = items.iter().filter_map(sent_at).min() {
        let were = if told.len() == 1 { "was" } else { "were" };
        parts.push(format!("{} {were} told at {} UTC", words::listed(&told, NAMED), words::hour(first)));
    }
    for (state, rest) in [(DeliveryState::Waiting, "not reached yet"), (DeliveryState::Dead, "never reached")]
    {
        let names = open(state);
        let is = if names.len() == 1 { "is" } else { "are" };
        parts.extend((!names.is_empty()).then(|| format!("{} {is} {rest}", words::listed(&names, NAMED))));
    }
    if parts.is_empty() { "nobody was told".to_owned() } else { parts.join("; ") }
}

/// Actions with a delivery in this state, each once, the first told first.
fn names(items: &[DeliveryItem], state: DeliveryState) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for item in items.iter().rev().filter(|item| item.delivery.state == state) {
        if !names.contains(&item.action_name.as_str()) {
            names.push(&item.action_name);
        }
    }
    names
}

fn sent_at(item: &DeliveryItem) -> Option<Instant> {
    item.delivery
        .attempts
        .iter()
        .find(|attempt| attempt.result == AttemptResult::Sent)
        .map(|attempt| attempt.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::action::ActionRef;
    use bw_domain::delivery::{Attempt, Delivery};
    use bw_domain::event::{Event, EventKind, Severity};
    use bw_domain::id::{ActionId, EventId};
    use bw_testkit::builders::START;

    fn item(name: &str, state: DeliveryState) -> DeliveryItem {
        let event = Event::new(
            EventId::of(&[b"x"]),
            EventKind::IncidentOpened,
            START,
            Severity::Critical,
            "Shop is DOWN",
        );
        let mut delivery = Delivery::new(&event, ActionRef::Declared(ActionId(1)));
        delivery.state = state;
        if state == DeliveryState::Sent {
            let attempt = Attempt {
                at: START,
                took_ms: 9,
                result: AttemptResult::Sent,
                status: 200,
                text: String::new(),
            };
            delivery.attempts.push(attempt);
        }
        DeliveryItem { delivery, event, action_name: name.to_owned() }
    }

    #[test]
    fn who_knows() {
        use DeliveryState::{Dead, Sent, Waiting};
        for (items, expected) in [
            (vec![], "nobody was told"),
            (vec![item("slack", Sent)], "slack was told at 12:00 UTC"),
            (vec![item("b", Sent), item("a", Sent), item("a", Sent)], "a and b were told at 12:00 UTC"),
            (
                vec![item("pager", Waiting), item("slack", Sent)],
                "slack was told at 12:00 UTC; pager is not reached yet",
            ),
            (vec![item("slack", Waiting), item("slack", Sent)], "slack was told at 12:00 UTC"),
            (vec![item("a", Dead), item("b", Dead)], "b and a are never reached"),
        ] {
            assert_eq!(said(&items), expected);
        }
    }
}
