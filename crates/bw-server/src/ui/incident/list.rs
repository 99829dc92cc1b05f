//! `/ui/incidents`: what is open, and what was.

use crate::ui::address::Address;
use crate::ui::frame::{Frame, Here};
use crate::ui::markup::Markup;
use crate::ui::shape;
use crate::ui::words;
use bw_domain::id::IncidentId;
use bw_domain::incident::Incident;
use bw_domain::limits;
use bw_domain::port::store::IncidentFilter;
use bw_domain::time::Instant;
use bw_engine::usecase::{Services, UseError, incidents};

/// The page.
#[derive(askama::Template)]
#[template(path = "incidents.html")]
pub struct IncidentList {
    frame: Frame,
    headline: String,
    shape: &'static str,
    chips: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: i64,
    open: bool,
    name: String,
    began: Markup,
    lasted: String,
    why: String,
    taken: String,
}

impl IncidentList {
    /// Reads one page of incidents.
    pub async fn load(
        services: &Services,
        frame: Frame,
        pairs: &[(String, String)],
    ) -> Result<Self, UseError> {
        let value =
            |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let state = value("state").filter(|state| ["open", "closed"].contains(state)).unwrap_or_default();
        let filter = IncidentFilter {
            open: (!state.is_empty()).then_some(state == "open"),
            monitor: None,
            before: value("after").and_then(|after| after.parse().ok()).map(IncidentId),
            limit: limits::PAGE_DEFAULT,
        };
        let page = incidents::list(services, filter).await?;
        let open = IncidentFilter { open: Some(true), limit: limits::PAGE_MAX, ..IncidentFilter::default() };
        let open = incidents::list(services, open).await?.items.len();
        let headline = if open == 0 {
            "No incident is open".to_owned()
        } else {
            format!("{} open", words::counted(open, "incident"))
        };
        let now = frame.now;
        let mut frame = frame.titled(Some(Here::Incidents), &headline).moving().wide("read");
        frame.trouble = open > 0;
        let address = |state: &str| Address::new("/ui/incidents").with("state", state);
        let chips = [("All", ""), ("Open", "open"), ("Closed", "closed")];
        Ok(IncidentList {
            frame,
            headline,
            shape: if open == 0 { "up" } else { "down" },
            chips: chips.map(|(word, name)| (word, address(name).to_string(), name == state)).into(),
            rows: page.items.iter().map(|incident| Row::of(incident, now)).collect(),
            next: page.next.map(|next| address(state).with("after", next.to_string()).to_string()),
        })
    }
}

impl Row {
    fn of(incident: &Incident, now: Instant) -> Self {
        Row {
            id: incident.id.0,
            open: incident.closed_at.is_none(),
            name: incident.monitor_name.clone(),
            began: words::ago(incident.first_failure_at, now),
            lasted: words::exact(incident.closed_at.unwrap_or(now).since(incident.first_failure_at)),
            why: words::sentence(&incident.cause.text),
            taken: incident
                .acknowledged
                .as_ref()
                .map(|acknowledged| acknowledged.by.clone())
                .unwrap_or_default(),
        }
    }
}
