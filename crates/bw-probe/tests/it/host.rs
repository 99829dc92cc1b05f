//! What this host lacks is its own fault: the test runs itself again as a process that may open hardly a file.

use super::{World, check, monitor};
use bw_domain::outcome::Code;
use bw_net::NetConfig;
use serde_json::json;
use std::fs::File;
use std::process::{Command, Stdio};

#[test]
fn a_host_without_descriptors_is_overloaded() {
    let this = std::env::current_exe().expect("a test runs from a file");
    let limited = "ulimit -n 64 && exec \"$0\" --exact host::child_without_descriptors";
    let child = Command::new("sh").args(["-c", limited]).arg(this).stdin(Stdio::null()).output();
    let child = child.expect("there is a shell");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

/// The other process: it does something only where it was asked for by its name.
#[tokio::test]
async fn child_without_descriptors() {
    if !std::env::args().any(|argument| argument == "host::child_without_descriptors") {
        return;
    }
    let world = World::new(NetConfig::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let document = monitor(json!({"tcp": address}), json!({}));
    check(&world.probe(&document).await, Code::OK, "");
    let this = std::env::current_exe().expect("a test runs from a file");
    let mut held = Vec::new();
    while let Ok(file) = File::open(&this) {
        held.push(file);
    }
    let names = json!({"http": {"url": "http://shop.example/", "resolver": "127.0.0.1"}});
    for document in [&document, &monitor(names, json!({}))] {
        let outcome = world.probe(document).await;
        check(&outcome, Code::SELF_OVERLOADED, "too many open files");
    }
    drop(held);
    check(&world.probe(&document).await, Code::OK, "");
}
