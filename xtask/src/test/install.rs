//! Brings what is missing: Debian packages with apt-get, Python packages into an environment of their own.
//!
//! Must hold: no service of an installed package starts, and `policy-rc.d` is afterwards what it was before,
//! whatever happens in between. So one shell script does both, with a trap; a leftover of a killed run is
//! recognised by its mark.

use std::{fs, path::PathBuf};

use anyhow::{Result, ensure};

use super::needs::{self, Brings, Need, PythonTool};
use crate::shell;

/// The environment of the Python packages, below the root.
pub const TOOLS: &str = "target/tools/venv";

/// Why the needs cannot be met here, with the command line that would.
pub type Refusal = String;

/// Lists the needs with where they lie, and installs the missing ones.
pub fn bring(needs: &[Need]) -> Result<Option<Refusal>> {
    let missing = list(needs);
    if missing.is_empty() {
        return Ok(None);
    }
    let packages = packages(&missing);
    let by_hand = format!("sudo apt-get install --no-install-recommends -y {}", packages.join(" "));
    let refuse = |why: &str| Ok(Some(format!("{why}. This brings what is missing:\n{by_hand}")));
    if shell::find("apt-get", &needs::folders()).is_none() {
        return refuse("apt-get is not here");
    }
    let Some(mut command) = privileged() else {
        return refuse("not root, and `sudo -n` is refused");
    };
    println!("installing {}", packages.join(" "));
    command.args(["sh", "-c", SCRIPT, "install"]).args(&packages);
    if !shell::run(&mut command)? {
        return refuse("apt-get failed");
    }
    let still = list(&missing);
    if still.is_empty() { Ok(None) } else { refuse("a package was installed but did not bring its program") }
}

/// Prints each need and returns those that are not there.
fn list(needs: &[Need]) -> Vec<Need> {
    let folders = needs::folders();
    let mut missing = Vec::new();
    for need in needs {
        let place = need.look.found(&folders);
        let text = match &place {
            Some(path) => path.display().to_string(),
            None => format!("missing, from the package {}", need.package),
        };
        println!("{:<16} {text}", need.look.name().rsplit('/').next().unwrap_or_default());
        if place.is_none() {
            missing.push(*need);
        }
    }
    missing
}

fn packages(missing: &[Need]) -> Vec<&'static str> {
    let mut packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// `env`, as root: directly or through `sudo -n`; nothing when neither works.
fn privileged() -> Option<std::process::Command> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if effective_user(&status) == Some(0) {
        return Some(shell::program("env"));
    }
    shell::capture(shell::program("sudo").args(["-n", "true"])).ok()?;
    let mut sudo = shell::program("sudo");
    sudo.args(["-n", "env"]);
    Some(sudo)
}

fn effective_user(status: &str) -> Option<u32> {
    let line = status.lines().find(|line| line.starts_with("Uid:"))?;
    line.split_whitespace().nth(2)?.parse().ok()
}

/// Installs the packages named by its arguments while `policy-rc.d` forbids every service to start.
const SCRIPT: &str = r#"
set -u
policy=${POLICY:-/usr/sbin/policy-rc.d}
saved=$policy.saved-by-xtask
mark='# for the moment: written by xtask'
ours() { [ -e "$policy" ] && grep -qF "$mark" "$policy"; }
restore() {
    if ours; then rm -f "$policy"; fi
    if [ -e "$saved" ]; then mv -f "$saved" "$policy"; fi
}
restore
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$policy" ]; then mv "$policy" "$saved" || exit 1; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" > "$policy" && chmod 755 "$policy" || exit 1
export DEBIAN_FRONTEND=noninteractive
bring() { apt-get -o DPkg::Lock::Timeout=300 install --no-install-recommends -y "$@" </dev/null; }
ls "${LISTS:-/var/lib/apt/lists}"/*_Packages* >/dev/null 2>&1 || apt-get update || exit 1
bring "$@" || { apt-get update && bring "$@"; }
"#;

/// Puts the Python packages, each at its version, into the environment.
pub fn bring_python(tools: &[PythonTool]) -> Result<Option<Refusal>> {
    let bin = shell::root().join(TOOLS).join("bin");
    let wanted: Vec<_> = tools.iter().filter(|tool| !installed(&bin, tool)).collect();
    for tool in &wanted {
        println!("{:<16} missing, from Python's {}", tool.brings.name(), tool.requirement);
        if !bin.join("pip").is_file() {
            let good = shell::run(shell::program("python3").args(["-m", "venv", TOOLS]))?;
            ensure!(good, "python3 cannot make an environment: install python3-venv");
        }
        let mut pip = shell::program(bin.join("pip"));
        if !shell::run(pip.args(["install", "--quiet", "--disable-pip-version-check", tool.requirement]))? {
            return Ok(Some(format!("pip cannot install {}", tool.requirement)));
        }
        fs::write(stamp(&bin, tool), tool.requirement)?;
    }
    Ok(None)
}

/// The file that says which version of a package the environment holds.
fn stamp(bin: &std::path::Path, tool: &PythonTool) -> PathBuf {
    bin.join(format!("{}.requirement", tool.brings.name()))
}

fn installed(bin: &std::path::Path, tool: &PythonTool) -> bool {
    let stamped = fs::read_to_string(stamp(bin, tool));
    let is_there = match tool.brings {
        Brings::Program(name) => bin.join(name).is_file(),
        // The stamp was written once pip had put it there.
        Brings::Library(_) => bin.join("python3").is_file(),
    };
    is_there && stamped.is_ok_and(|stamped| stamped == tool.requirement)
}

#[cfg(test)]
mod tests;
