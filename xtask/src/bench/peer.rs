//! A peer of the same run: the blackbox exporter, driven by a bare loop instead of a server that stores.

use std::{fs, thread, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    Bench,
    http::Client,
    process::Process,
    target::{self, Target},
};
use crate::{shell, test::needs};

const PROGRAM: &str = "prometheus-blackbox-exporter";

/// Microseconds of CPU for a probe of the target; nothing where the exporter is not installed.
pub fn blackbox(bench: &Bench, target: &Target, secure: bool, probes: usize) -> Result<Option<f64>> {
    let Some(program) = shell::find(PROGRAM, &needs::folders()) else {
        return Ok(None);
    };
    let file = bench.work.join("blackbox.yml");
    let authority = target.certificate.authority.display();
    let module = format!(
        "modules:\n  web:\n    prober: http\n    timeout: 5s\n    http:\n      preferred_ip_protocol: ip4\n      \
         tls_config:\n        ca_file: {authority}\n"
    );
    fs::write(&file, module)?;
    let address = format!("127.0.0.1:{}", target::free_port()?);
    let mut command = target::pinned(&program, None);
    command.arg(format!("--config.file={}", file.display())).arg("--log.level=error");
    let process = Process::start(command.arg(format!("--web.listen-address={address}")))?;
    let mut client = Client::new(address);
    wait(&mut client)?;

    let mut probe = |n: usize| -> Result<()> {
        let answer = client.get(&format!("/probe?module=web&target={}", target.url(secure, n)))?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(text.contains("probe_success 1"), "the blackbox exporter's probe fails");
        Ok(())
    };
    (0..probes / 10).try_for_each(&mut probe)?;
    let before = process.cpu()?;
    (0..probes).try_for_each(&mut probe)?;
    Ok(Some((process.cpu()? - before) * 1e6 / probes as f64))
}

fn wait(client: &mut Client) -> Result<()> {
    for _ in 0..200 {
        if client.get("/-/healthy").is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(25));
    }
    client.get("/-/healthy").map(drop).context("the blackbox exporter does not start")
}
