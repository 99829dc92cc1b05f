//! The way out against local servers: senders, name servers, addresses. What probes see is tested in `bw-probe`.

mod outbound;
mod resolve;

use bw_net::{Net, NetConfig, SystemFiles};
use bw_testkit::server::RunningClock;
use std::sync::Arc;

fn net(config: NetConfig) -> Arc<Net> {
    Net::new(config, Arc::new(RunningClock::starting("2026-11-21T12:00:00Z")))
        .expect("the configuration is sound")
}

/// A host whose resolver settings are these texts.
fn host(resolv_conf: &str, hosts: &str) -> (tempfile::TempDir, SystemFiles) {
    let dir = tempfile::tempdir().expect("the temporary directory takes a directory");
    let files = SystemFiles { resolv_conf: dir.path().join("resolv.conf"), hosts: dir.path().join("hosts") };
    std::fs::write(&files.resolv_conf, resolv_conf).expect("the temporary directory has room");
    std::fs::write(&files.hosts, hosts).expect("the temporary directory has room");
    (dir, files)
}
