//! The pages in a real browser: what people do with them, with scripts and without, and how they look.
//!
//! Each test starts the built binary, a browser and its driver of its own. Pictures go to `target/screenshots/`: a
//! person looks at them before a page is called done.

#[allow(dead_code, reason = "shared with the tests from outside; each suite uses a part of it")]
#[path = "../e2e/client.rs"]
mod client;
#[path = "../e2e/eventually.rs"]
mod eventually;
#[allow(dead_code, reason = "shared with the tests from outside; each suite uses a part of it")]
#[path = "../e2e/installation.rs"]
mod installation;
#[allow(dead_code, reason = "shared with the tests from outside; each suite uses a part of it")]
#[path = "../e2e/node.rs"]
mod node;

mod browser;
mod deeds;
mod driver;
mod heartbeats;
mod keys;
mod looks;
mod refresh;
mod sign_in;
