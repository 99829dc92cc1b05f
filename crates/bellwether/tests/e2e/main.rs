//! The built binary from outside: start, configuration, probe, incident, message, kill in the middle, restart.
//!
//! Each test starts processes of its own on data directories of its own, speaks with them as people and programs do,
//! and takes them down with it.

mod access;
mod bad_input;
mod blind;
mod client;
mod compatible;
mod configuration;
mod eventually;
mod finished;
mod healthchecks;
mod heartbeat_clients;
mod heartbeat_kills;
mod heartbeat_silence;
mod heartbeat_users;
mod import_healthchecks;
mod installation;
mod job;
mod life;
mod message;
mod node;
mod random_kills;
mod raw;
mod secrets;
mod slots;
mod walk;
mod watched;
mod webhook;
