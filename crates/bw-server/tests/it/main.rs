//! The router without sockets, on a real store: what programs, people and orchestrators are answered.

mod access;
mod api;
mod applying;
mod beat;
mod beats_api;
mod compat;
mod front;
mod healthchecks;
mod heartbeat_service;
mod history;
mod house;
mod metrics;
mod openapi;
mod serving;
