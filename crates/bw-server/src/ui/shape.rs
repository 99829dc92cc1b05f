//! The shapes of states and verdicts. A state is never told by colour alone: each has its own outline in the
//! sprite of the frame, and its word stands beside it.

use super::markup::Markup;
use bw_domain::beat::{Standing, Status};
use bw_domain::outcome::Verdict;
use bw_engine::usecase::monitors::{MonitorView, Shown};

/// The name of a state's outline, which is also the class of its colour and its word in addresses.
pub const fn of(shown: Shown) -> &'static str {
    match shown {
        Shown::Down => "down",
        Shown::Unknown => "unknown",
        Shown::Maintenance => "maintenance",
        Shown::Up => "up",
        Shown::Paused => "paused",
    }
}

/// The outline and the word of a monitor. A heartbeat that is late is up as far as anybody was told, and says so.
pub fn of_view(view: &MonitorView, standing: Option<&Standing>) -> (&'static str, &'static str) {
    let shown = view.shown();
    match standing {
        Some(standing) if shown == Shown::Up && standing.status == Status::Grace => ("late", "LATE"),
        _ => (of(shown), shown.word()),
    }
}

/// A verdict borrows the outline of the state that it speaks for.
pub const fn of_verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "up",
        Some(Verdict::Fail) => "down",
        Some(Verdict::Inconclusive) | None => "unknown",
    }
}

/// Draws an outline of the sprite. The name is ours.
pub fn icon(name: &str) -> Markup {
    Markup(format!("<svg class=\"i {name}\" aria-hidden=true><use href=#{name} /></svg>"))
}
