//! The store from outside: the contract of every port, and what only a database in a file can suffer.

mod child;
mod contract;
mod directory;
mod files;
mod full;
mod killed;
mod start;
mod statements;
mod synchronised;
mod telling;
