//! PostgreSQL keeps the contract of every store port.

use super::database::database;

bw_testkit::store_contract!(database!());
