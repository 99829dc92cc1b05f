//! Healthchecks' users point their programs here by the address alone: a client from PyPI, which `xtask` installs, walks
//! through a project on the built binary.

use crate::installation::Installation;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// What the client does and expects.
const WALK: &str = include_str!("healthchecks.py");
const WRITE: &str = "0123456789abcdef0123456789abcdef";
const READ: &str = "fedcba9876543210fedcba9876543210";
const PING: &str = "0123456789abcdefghijkl";

#[tokio::test]
async fn a_client_from_pypi_walks_through_a_project() {
    let file = format!(
        "healthchecks:\n  ping_key: {PING}\n  api_key: {WRITE}\n  read_only_key: {READ}\n\
         actions:\n  - name: ops\n    type: log\n"
    );
    let mut node = Installation::new().file(&file).start().await;
    let site = node.ready_line().expect("it is ready");
    let site = site.trim_end_matches('/');
    let python = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/venv/bin/python3"));
    assert!(python.is_file(), "Healthchecks' client is not here: `cargo xtask test` brings it");
    let walk = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(python)
        .args(["-c", WALK, site, WRITE, READ, PING])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("setpriv of util-linux starts programs");
    let said = String::from_utf8_lossy(&walk.stderr);
    assert!(walk.status.success(), "{said}\n{}", node.log());
    for key in [WRITE, READ, PING] {
        assert!(!node.log().contains(key), "a key is in the log");
    }
}
