//! `/`: is anything wrong? Open incidents first, then every monitor as a row.

mod card;
mod choice;
mod headline;
mod row;

use super::frame::{Frame, Here, REFRESH_LONG_S, REFRESH_S};
use super::shape;
use super::words;
use bw_domain::limits;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::{self, Counts, ListQuery, MonitorPage, MonitorView, Shown, Sort, SortKey};
use bw_engine::usecase::{Services, UseError, kept_beats};
use card::Card;
use choice::Choice;
use headline::{Broken, Headline};
use row::{Heard, Row};
use std::collections::HashMap;

/// Rows beyond which the page asks for itself less often.
const LONG: usize = 500;
/// Labels that may be grouped by, at most: more would be no choice.
const KEYS: usize = 20;

/// The page.
#[derive(askama::Template)]
#[template(path = "overview.html")]
pub struct Overview {
    frame: Frame,
    headline: Headline,
    cards: Vec<Card>,
    more_cards: usize,
    view: Choice,
    chips: Vec<Chip>,
    keys: Vec<String>,
    /// Filters on labels, each with the address that is without it.
    dropped: Vec<(String, String)>,
    heads: Vec<Head>,
    groups: Vec<Group>,
    /// Nothing is watched yet.
    fresh: bool,
    everything: String,
    total: String,
    shown: String,
    next: Option<String>,
    first: Option<String>,
    whole: Option<String>,
}

/// One state to filter by.
struct Chip {
    icon: Option<&'static str>,
    word: &'static str,
    count: String,
    href: String,
    here: bool,
}

/// The head of a column, with the address that orders by it.
struct Head {
    text: &'static str,
    href: String,
    num: bool,
    sorted: Option<&'static str>,
}

/// Rows under one value of the label that parts them.
struct Group {
    name: Option<String>,
    said: String,
    rows: Vec<Row>,
}

impl Overview {
    /// Reads what the page shows.
    pub async fn load(
        services: &Services,
        frame: Frame,
        pairs: Vec<(String, String)>,
    ) -> Result<Self, UseError> {
        let view = Choice::read(pairs);
        let page = monitors::list(services, &view.query()).await?;
        // The first line speaks of everything, whatever is filtered below it.
        let all = match view.is_filtered() {
            true => monitors::list(services, &ListQuery { limit: 1, ..ListQuery::default() }).await?.counts,
            false => page.counts,
        };
        let (cards, more_cards) = match all.total() {
            0 => (Vec::new(), 0),
            _ => card::load(services, frame.now).await?,
        };
        let heard = heard(services, &page.items).await?;
        Ok(Overview::new(frame, view, (page, heard), all, (cards, more_cards)))
    }

    fn new(
        frame: Frame,
        view: Choice,
        (page, heard): (MonitorPage, Heard),
        all: Counts,
        (cards, more_cards): (Vec<Card>, usize),
    ) -> Self {
        let now = frame.now;
        let down = all.of(Shown::Down);
        let broken: Vec<Broken> = cards.iter().map(Card::broken).collect();
        let told = cards.first().map(|card| card.told.as_str()).unwrap_or_default();
        let headline = Headline::of(|shown| all.of(shown), &broken, told, now);
        let mut frame = frame.titled(Some(Here::Overview), &headline.text);
        frame.trouble = down > 0;
        frame.width = if all.total() == 0 { "narrow" } else { "" };
        frame.refresh_s = if page.items.len() > LONG { REFRESH_LONG_S } else { REFRESH_S };
        let paged = !view.after.is_empty();
        Overview {
            frame,
            headline,
            cards,
            more_cards,
            chips: chips(&view, &page.counts),
            keys: keys(&page.items),
            dropped: dropped(&view),
            heads: heads(&view, &page.items),
            fresh: all.total() == 0,
            everything: words::number(all.total() as u64),
            total: words::number(page.total as u64),
            shown: said(page.items.len(), page.total, paged),
            next: page.next.map(|next| view.address(|changed| changed.after = next)),
            first: paged.then(|| view.address(|_| {})),
            whole: (page.total > page.items.len() && view.limit < limits::PAGE_MAX)
                .then(|| view.address(|changed| changed.limit = limits::PAGE_MAX)),
            groups: groups(&view, &page.items, &heard, now),
            view,
        }
    }
}

/// What the rows of heartbeats are drawn from: one question for the page, and none for a long one.
async fn heard(services: &Services, items: &[MonitorView]) -> Result<Heard, UseError> {
    if items.len() > LONG || !items.iter().any(|item| item.track.is_some()) {
        return Ok(Heard { recent: None, deaf: Vec::new() });
    }
    let recent = kept_beats::recent(services, items, row::BEATS).await?;
    Ok(Heard { recent: Some(recent), deaf: kept_beats::deaf(services).await? })
}

fn said(rows: usize, total: usize, paged: bool) -> String {
    if rows == total && !paged {
        words::counted(total, "monitor")
    } else {
        format!("{} of {}", words::number(rows as u64), words::counted(total, "monitor"))
    }
}

fn chips(view: &Choice, counts: &Counts) -> Vec<Chip> {
    let chip = |state: Option<Shown>, word, count: usize| Chip {
        icon: state.map(shape::of),
        word,
        count: words::number(count as u64),
        href: view.address(|changed| changed.state = state),
        here: view.state == state,
    };
    let mut chips = vec![chip(None, "All", counts.total())];
    let there = Shown::ALL.into_iter().filter(|shown| counts.of(*shown) > 0 || view.state == Some(*shown));
    chips.extend(there.map(|shown| chip(Some(shown), shown.word(), counts.of(shown))));
    chips
}

/// The keys of labels that stand on the page.
fn keys(items: &[MonitorView]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for key in items.iter().flat_map(|item| item.spec.declared.labels.keys()) {
        if keys.len() < KEYS && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys.sort_unstable();
    keys
}

fn dropped(view: &Choice) -> Vec<(String, String)> {
    let without = |label: &String| view.address(|changed| changed.labels.retain(|kept| kept != label));
    view.labels.iter().map(|label| (label.clone(), without(label))).collect()
}

fn heads(view: &Choice, items: &[MonitorView]) -> Vec<Head> {
    let beats = items.iter().filter(|item| item.spec.beats().is_some()).count();
    let strip = match beats {
        0 => "Last 60 slots",
        _ if beats == items.len() => "Last runs",
        _ => "Last slots or runs",
    };
    let head = |text, key: Option<SortKey>, num| {
        let sorted = key.filter(|key| *key == view.sort.key).map(|_| view.sort.descending);
        let sort = |key| Sort { key, descending: sorted == Some(false) };
        Head {
            text,
            href: key.map(|key| view.address(|changed| changed.sort = sort(key))).unwrap_or_default(),
            num,
            sorted: sorted.map(|descending| if descending { "descending" } else { "ascending" }),
        }
    };
    vec![
        head("State", Some(SortKey::State), false),
        head("Monitor", Some(SortKey::Name), false),
        head(strip, None, false),
        head("Latency", Some(SortKey::Latency), false),
        head("p50", None, true),
        head("p95", None, true),
        head("Passed", None, true),
        head("Since", Some(SortKey::Since), true),
    ]
}

/// The rows of the page, parted by the values of a label where the reader chose one. Groups stand in the order of
/// their first rows, so that what the reader sorted for still comes first: trouble, unless asked otherwise.
fn groups(view: &Choice, items: &[MonitorView], heard: &Heard, now: Instant) -> Vec<Group> {
    if items.is_empty() {
        return Vec::new();
    }
    if view.group.is_empty() {
        let rows = items.iter().map(|item| Row::of(item, heard, now)).collect();
        return vec![Group { name: None, said: String::new(), rows }];
    }
    let mut places: HashMap<Option<&str>, usize> = HashMap::new();
    let mut parted: Vec<(Option<&str>, Vec<&MonitorView>)> = Vec::new();
    for item in items {
        let value = item.spec.declared.labels.get(&view.group).map(String::as_str);
        let place = *places.entry(value).or_insert(parted.len());
        if place == parted.len() {
            parted.push((value, Vec::new()));
        }
        parted[place].1.push(item);
    }
    let group = |(value, members): (Option<&str>, Vec<&MonitorView>)| {
        let up = members.iter().filter(|item| item.shown() == Shown::Up).count();
        Group {
            name: Some(
                value.map_or_else(|| format!("no {}", view.group), |value| format!("{}:{value}", view.group)),
            ),
            said: format!("{up} of {} up", members.len()),
            rows: members.iter().map(|item| Row::of(item, heard, now)).collect(),
        }
    };
    parted.into_iter().map(group).collect()
}
