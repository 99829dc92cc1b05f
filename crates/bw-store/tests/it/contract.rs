//! SQLite keeps the contract of every store port.

use crate::directory::Directory;

bw_testkit::store_contract!(Directory::new());
