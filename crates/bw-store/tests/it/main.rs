//! The store from outside: the contract of every port, and what only a database in a file can suffer.

mod beats;
mod child;
mod contract;
mod directory;
mod files;
mod full;
mod killed;
#[cfg(feature = "postgres")]
mod postgres;
mod start;
mod statements;
mod synchronised;
mod telling;
mod telling_beats;
