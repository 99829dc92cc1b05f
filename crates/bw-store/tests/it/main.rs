//! The store from outside: the contract of every port, and what only a database in a file can suffer.

mod contract;
mod directory;
