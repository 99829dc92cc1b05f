//! What an edit means, whatever keeps it: which goes first, what must be unique, and when a first look begins.

use bw_domain::job::window;
use bw_domain::limits::EDIT_LEAD;
use bw_domain::monitor::{Declaration, Defaults, LOCAL, Vantage};
use bw_domain::port::store::{Commit, Edit, EditKind};
use bw_domain::state::{Ask, Round, State};
use bw_domain::time::{Duration, Instant};

/// The order in which the edits of a transaction are made. What goes makes room for what comes: deletions are first.
pub(crate) fn order(edits: &[Edit]) -> Vec<usize> {
    let deletes = |edit: &Edit| matches!(edit.kind, EditKind::Delete { .. } | EditKind::DeleteAction(_));
    let mut order: Vec<usize> = (0..edits.len()).collect();
    order.sort_by_key(|index| !deletes(&edits[*index]));
    order
}

/// When an edit counts: the lead after now, and never among slots that are published already, whatever the clock does.
pub(crate) fn counts_from(now: Instant, published: Instant) -> Instant {
    (now + EDIT_LEAD).max(published + Duration::from_millis(1))
}

/// What must be unique among the living of an owner. Monitors of nobody may share a name: people make them by hand.
pub(crate) fn key_of<'d>(owner: Option<&str>, declared: &'d Declaration) -> Option<&'d str> {
    declared.id.as_deref().or_else(|| owner.map(|_| declared.key()))
}

/// The first look at a new monitor, as `step` makes it for an edited one. Its end is a first guess: `step` moves it
/// when the probe is published.
pub(crate) fn first_round(declared: &Declaration, due: Instant) -> Option<Round> {
    let defaults = Defaults::default();
    let probing = &declared.probing;
    let every = probing.every.map_or(defaults.every, Duration::from);
    let timeout = probing.timeout.map_or_else(|| Duration::from_secs(5).min(every), Duration::from);
    let families = probing.family.unwrap_or_default().each().iter();
    let ask =
        |family: &_| Ask { vantage: Vantage { location: LOCAL, family: *family }, due, published: false };
    let ends = window(due, every, timeout).lost_at;
    // A heartbeat is not looked at: its job reports.
    let probed = declared.enabled.unwrap_or(true) && declared.heartbeat().is_none();
    probed.then(|| Round { slot: due, r#try: 1, asked: families.map(ask).collect(), ends })
}

/// The decision that goes with an edit was made with a guess of when the edit counts; a round that it opened begins
/// when it really does.
pub(crate) fn settled(consequence: &Commit, effective_from: Instant) -> Commit {
    let mut consequence = consequence.clone();
    if let Some(State { round: Some(round), .. }) = &mut consequence.state {
        move_to(round, effective_from);
    }
    consequence
}

fn move_to(round: &mut Round, slot: Instant) {
    let by = slot.ms() - round.slot.ms();
    let moved = |at: Instant| Instant::from_ms(at.ms().saturating_add(by));
    for ask in &mut round.asked {
        ask.due = moved(ask.due);
    }
    round.ends = moved(round.ends);
    round.slot = slot;
}
