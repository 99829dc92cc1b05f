//! The line in our own log.

use super::line;
use crate::sample;
use bw_domain::action::ActionKind;

#[test]
fn one_line() {
    let mut dispatch = sample::dispatch(ActionKind::Log, sample::closed());
    assert_eq!(line(&dispatch), "[EVENT] incident.closed monitor=7 Shop is UP again after 7 min");
    dispatch.merged = vec![sample::opened().into()];
    assert_eq!(
        line(&dispatch),
        "[EVENT] incident.closed monitor=7 Shop is UP again after 7 min (was DOWN 10:02–10:09 UTC, now UP)"
    );
}
