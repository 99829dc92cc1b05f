//! Where jobs report: every client's way to say that a job ran. One shape behind all of them: an address, what was said,
//! and an answer once it is durable.
//!
//! These routes stand outside of the guard: a beat's key is its right, and its answer must not depend on who else may come
//! in.

mod settings;

pub use settings::BeatSettings;

use crate::App;
use axum::Router;

/// The routes of all dialects.
pub fn router(_app: &App) -> Router<App> {
    Router::new()
}
