//! The action `log`: a line in our own log. It cannot fail.

use crate::classes::Ending;
use bw_domain::port::sender::Dispatch;

/// Writes the event's sentence.
pub(crate) fn send(dispatch: &Dispatch) -> Ending {
    tracing::info!("{}", line(dispatch));
    Ending::sent(0)
}

fn line(dispatch: &Dispatch) -> String {
    let event = &dispatch.event;
    let missed = crate::text::missed(event, &dispatch.merged);
    let about = event.monitor.as_ref().map(|monitor| format!(" monitor={}", monitor.id)).unwrap_or_default();
    let earlier = if missed.is_empty() { missed } else { format!(" ({missed})") };
    format!("[EVENT] {}{about} {}{earlier}", event.kind, event.summary)
}

#[cfg(test)]
mod tests;
