//! `/ui/deliveries`: what was told to whom, with every attempt.

use super::address::Address;
use super::frame::{Frame, Here};
use super::markup::Markup;
use super::shape;
use super::words;
use bw_domain::delivery::{Attempt, AttemptResult, DeliveryState};
use bw_domain::port::store::DeliveryItem;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::deliveries::{self, DeliveriesQuery};
use bw_engine::usecase::{Services, UseError};

/// The page.
#[derive(askama::Template)]
#[template(path = "deliveries.html")]
pub struct Ledger {
    frame: Frame,
    headline: String,
    shape: &'static str,
    chips: Vec<(&'static str, String, bool)>,
    told: Vec<Told>,
    next: Option<String>,
}

/// One delivery as it is shown, here and with its incident.
pub struct Told {
    pub icon: &'static str,
    pub state: &'static str,
    pub action: String,
    pub kind: &'static str,
    pub summary: String,
    /// The page that the event is about.
    pub link: String,
    pub created: Markup,
    pub reason: String,
    pub attempts: Vec<Try>,
}

/// One attempt.
pub struct Try {
    pub word: &'static str,
    pub when: Markup,
    pub took: String,
    pub status: String,
    pub text: String,
}

impl Ledger {
    /// Reads one page of the ledger.
    pub async fn load(
        services: &Services,
        frame: Frame,
        pairs: &[(String, String)],
    ) -> Result<Self, UseError> {
        let value =
            |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let state = value("state").and_then(|state| DeliveryState::parse(&state));
        let query = DeliveriesQuery { state, after: value("after"), ..DeliveriesQuery::default() };
        let page = deliveries::list(services, query).await?;
        let (waiting, oldest) = services.store.deliveries.backlog().await?;
        let now = frame.now;
        let (headline, shape) = match oldest.filter(|_| waiting > 0) {
            None => ("Everything that was to be told is told".to_owned(), "up"),
            Some(oldest) => {
                let waits = if waiting == 1 {
                    "1 delivery waits".to_owned()
                } else {
                    format!("{} deliveries wait", words::number(waiting))
                };
                (format!("{waits}, the oldest for {}", words::long(now.since(oldest))), "unknown")
            }
        };
        let address = |state: Option<DeliveryState>| {
            Address::new("/ui/deliveries").with("state", state.map_or("", DeliveryState::word))
        };
        let chip = |(word, wanted): (&'static str, Option<DeliveryState>)| {
            (word, address(wanted).to_string(), wanted == state)
        };
        let chips = [
            ("All", None),
            ("Waiting", Some(DeliveryState::Waiting)),
            ("Sent", Some(DeliveryState::Sent)),
            ("Dead", Some(DeliveryState::Dead)),
        ];
        Ok(Ledger {
            frame: frame.titled(Some(Here::Deliveries), &headline).moving().wide("read"),
            headline,
            shape,
            chips: chips.into_iter().map(chip).collect(),
            told: page.items.iter().map(|item| Told::of(item, now)).collect(),
            next: page.next.map(|next| address(state).with("after", next).to_string()),
        })
    }
}

impl Told {
    /// Looks at one row.
    pub fn of(item: &DeliveryItem, now: Instant) -> Self {
        let delivery = &item.delivery;
        let link = match (&item.event.incident, &item.event.monitor) {
            (Some(incident), _) => format!("/ui/incidents/{}", incident.id),
            (None, Some(monitor)) => format!("/ui/monitors/{}", monitor.id),
            (None, None) => "/ui/system".to_owned(),
        };
        Told {
            icon: match delivery.state {
                DeliveryState::Waiting => "late",
                DeliveryState::Sent => "told",
                DeliveryState::Dead => "down",
            },
            state: delivery.state.word(),
            action: item.action_name.clone(),
            kind: item.event.kind.name(),
            summary: item.event.summary.clone(),
            link,
            created: words::ago(delivery.created_at, now),
            reason: delivery.reason.clone(),
            attempts: delivery.attempts.iter().map(|attempt| Try::of(attempt, now)).collect(),
        }
    }
}

impl Try {
    fn of(attempt: &Attempt, now: Instant) -> Self {
        Try {
            word: match attempt.result {
                AttemptResult::Sent => "sent",
                AttemptResult::Retry => "failed, tried again",
                AttemptResult::Refused => "refused",
                AttemptResult::Unknown => "unknown",
            },
            when: words::ago(attempt.at, now),
            took: words::latency(Duration::from_millis(u64::from(attempt.took_ms)).as_micros() as u32),
            status: if attempt.status > 0 { attempt.status.to_string() } else { String::new() },
            text: attempt.text.clone(),
        }
    }
}
