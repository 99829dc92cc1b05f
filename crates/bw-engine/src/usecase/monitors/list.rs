//! Lists of monitors from memory alone: the catalog and the rows of observations. Ten thousand of them cost two
//! walks over sorted lists, whatever the filter.

use super::cursor::Cursor;
use super::{MonitorView, Shown, mode};
use crate::usecase::{Services, UseError};
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::monitor::Spec;
use bw_domain::port::store::Loaded;
use bw_domain::state::{Health, Observed, State};
use std::sync::Arc;

/// Which monitors, in which order. The default is the first page of all, by id.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub limit: usize,
    /// Where to go on: [`MonitorPage::next`] of the page before, with the same order.
    pub after: Option<String>,
    pub state: Option<Shown>,
    /// `http`, `tcp`, `tls` or `heartbeat`.
    pub kind: Option<&'static str>,
    /// All must match.
    pub labels: Vec<LabelFilter>,
    /// A part of the name, the target or a label's value, in any case.
    pub q: Option<String>,
    pub sort: Sort,
}

impl Default for ListQuery {
    fn default() -> Self {
        ListQuery {
            limit: limits::PAGE_DEFAULT,
            after: None,
            state: None,
            kind: None,
            labels: Vec::new(),
            q: None,
            sort: Sort::default(),
        }
    }
}

/// `team:web`, or `team` for any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelFilter {
    pub key: String,
    pub value: Option<String>,
}

impl LabelFilter {
    /// Reads `key:value` or `key`.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((key, value)) => LabelFilter { key: key.to_owned(), value: Some(value.to_owned()) },
            None => LabelFilter { key: text.to_owned(), value: None },
        }
    }

    fn matches(&self, spec: &Spec) -> bool {
        spec.declared
            .labels
            .get(&self.key)
            .is_some_and(|value| self.value.as_ref().is_none_or(|want| want == value))
    }
}

/// The order of a list; equal ones by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sort {
    pub key: SortKey,
    pub descending: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortKey {
    #[default]
    Id,
    Name,
    /// The most urgent first.
    State,
    /// The longest in its state first.
    Since,
    /// The fastest first; those without a latency last.
    Latency,
}

impl SortKey {
    /// The words of `?sort=`.
    pub const WORDS: [(&'static str, SortKey); 5] = [
        ("id", SortKey::Id),
        ("name", SortKey::Name),
        ("state", SortKey::State),
        ("since", SortKey::Since),
        ("latency", SortKey::Latency),
    ];
}

impl Sort {
    /// Reads `name`, or `-name` for descending.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let key = SortKey::WORDS.iter().find(|(known, _)| *known == word)?.1;
        Some(Sort { key, descending })
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct MonitorPage {
    pub items: Vec<MonitorView>,
    /// `ListQuery::after` of the next page, if there is one.
    pub next: Option<String>,
    /// How many match, on all pages.
    pub total: usize,
    /// How many match in each state, the filter on state aside.
    pub counts: Counts,
}

/// Monitors by the word shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([usize; Shown::ALL.len()]);

impl Counts {
    /// How many show this word.
    pub fn of(&self, shown: Shown) -> usize {
        self.0[shown as usize]
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}

/// A page of monitors.
pub async fn list(services: &Services, query: &ListQuery) -> Result<MonitorPage, UseError> {
    let after = query.after.as_deref().map(Cursor::parse).transpose()?;
    let needle = query.q.as_deref().map(str::to_lowercase).filter(|needle| !needle.is_empty());
    let (specs, rows) = (services.catalog.all(), services.store.states.all().await?);
    let mut counts = Counts::default();
    // Nothing is copied before it is known to be on the page.
    let mut found: Vec<Met<'_>> = Vec::new();
    for met in meet(&specs, &rows) {
        if query.kind.is_some_and(|kind| kind != met.spec.kind()) {
            continue;
        }
        if !query.labels.iter().all(|label| label.matches(met.spec)) || !mentions(met.spec, needle.as_deref())
        {
            continue;
        }
        let shown = met.shown();
        counts.0[shown as usize] += 1;
        if query.state.is_none_or(|wanted| wanted == shown) {
            found.push(met);
        }
    }
    if query.sort != Sort::default() {
        found.sort_by_cached_key(|met| Cursor::of(met, query.sort));
    }
    let begin = after.map_or(0, |after| found.partition_point(|met| Cursor::of(met, query.sort) <= after));
    let end = found.len().min(begin + query.limit.clamp(1, limits::PAGE_MAX));
    let page = &found[begin..end];
    let next = page.last().filter(|_| end < found.len()).map(|last| Cursor::of(last, query.sort).to_string());
    let items = page.iter().map(|met| view(met.spec.clone(), met.row.cloned())).collect();
    Ok(MonitorPage { items, next, total: found.len(), counts })
}

/// One monitor.
pub async fn get(services: &Services, id: MonitorId) -> Result<MonitorView, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    let loaded = services.store.states.load(vec![id]).await?.pop().flatten();
    Ok(view(spec, loaded))
}

/// Every monitor, by id.
pub async fn all(services: &Services) -> Result<Vec<MonitorView>, UseError> {
    let (specs, rows) = (services.catalog.all(), services.store.states.all().await?);
    Ok(meet(&specs, &rows).map(|met| view(met.spec.clone(), met.row.cloned())).collect())
}

/// A monitor and its rows, borrowed.
pub(super) struct Met<'a> {
    pub spec: &'a Arc<Spec>,
    pub row: Option<&'a Loaded>,
}

impl Met<'_> {
    pub fn shown(&self) -> Shown {
        Shown::of(self.row.map_or(Health::Unknown, |row| row.state.health), mode(self.spec))
    }
}

/// Two ascending lists, walked together.
fn meet<'a>(specs: &'a [Arc<Spec>], rows: &'a [Loaded]) -> impl Iterator<Item = Met<'a>> {
    let mut rows = rows.iter().peekable();
    specs.iter().map(move |spec| {
        while rows.next_if(|row| row.monitor < spec.id).is_some() {}
        Met { spec, row: rows.next_if(|row| row.monitor == spec.id) }
    })
}

pub(super) fn view(spec: Arc<Spec>, loaded: Option<Loaded>) -> MonitorView {
    let (observed, state, track) = match loaded {
        Some(loaded) => (loaded.observed, loaded.state, loaded.track),
        None => (Observed::default(), State::new(spec.created_at, spec.revision), None),
    };
    MonitorView { mode: mode(&spec), spec, state, observed, track }
}

fn mentions(spec: &Spec, needle: Option<&str>) -> bool {
    let Some(needle) = needle else { return true };
    let holds = |text: &str| text.to_lowercase().contains(needle);
    holds(spec.name()) || holds(&spec.target()) || spec.declared.labels.values().any(|value| holds(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_filters_are_read() {
        assert_eq!(Sort::parse("-name"), Some(Sort { key: SortKey::Name, descending: true }));
        assert_eq!(Sort::parse("colour"), None);
        assert_eq!(LabelFilter::parse("a:b:c"), LabelFilter { key: "a".into(), value: Some("b:c".into()) });
        assert_eq!(LabelFilter::parse("a").value, None);
    }
}
