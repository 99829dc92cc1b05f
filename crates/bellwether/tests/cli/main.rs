//! The command line of the built binary: every command, what it prints, how it ends, and what wrong input gets. What
//! a server does while it runs is told by `tests/e2e`; here stand only the parts of it that the command line and the
//! environment decide.

mod beats;
mod check;
mod configuration;
mod database;
mod declare;
mod exec;
mod harness;
mod import;
mod import_healthchecks;
mod serve;
mod things;
mod usage;
