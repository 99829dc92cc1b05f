//! The heartbeat service as its users knew it: dashboard, edit and monitor, below the same paths.
//!
//! Its pulses are heartbeats of ours; nothing is kept here. The pages stand outside of the guard because they have a
//! secret of their own (`door`); whoever comes without it is judged by the guard as at any page. The secret is in no log,
//! no message and no link, unless it came in an address: then the pages hand it on in theirs, as the original's did.
//!
//! `monitor` tells through the ledger (`bw_engine::usecase::pulses`), so that each pulse is told of once, whatever
//! restarts and however many nodes there are. The routes of people's own actions hear of the same incidents at once; this
//! one speaks only when it is asked, because its users chose their hours by their scheduler.

mod dashboard;
mod door;
mod edit;
mod monitor;
mod order;
mod original;
mod row;

use crate::App;
use axum::Router;
use axum::routing::get;

/// Its routes, below each base, with a slash at the end and without.
pub fn router(app: &App) -> Router<App> {
    let mut router = Router::new();
    for base in &app.beats.bases {
        for end in ["", "/"] {
            router = router
                .route(&format!("{base}/dashboard{end}"), get(dashboard::show))
                .route(&format!("{base}/edit{end}"), get(edit::show).post(edit::save))
                .route(&format!("{base}/monitor{end}"), get(monitor::ask).post(monitor::ask));
        }
    }
    router
}
