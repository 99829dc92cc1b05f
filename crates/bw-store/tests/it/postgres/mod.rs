//! PostgreSQL: the contract of every port, and what only a server can suffer. One server for all tests of the binary, a
//! database for each.

mod beats;
mod contract;
mod database;
mod fleet;
mod lost;
mod partitions;
mod refusals;
mod statements;
mod tls;
mod wake;
