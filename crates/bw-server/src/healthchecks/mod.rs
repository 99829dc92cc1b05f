//! The management interface of Healthchecks, versions 1 to 3, with its badges: for scripts and tools that people have.
//! A check is a heartbeat; its tags, keywords and times are those of the heartbeat's declaration.

use crate::App;
use axum::Router;

/// Its routes. They stand outside of the guard: they have keys of their own.
pub fn router(_app: &App) -> Router<App> {
    Router::new()
}
