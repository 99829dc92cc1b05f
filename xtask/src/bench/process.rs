//! A process that ends with its guard, and what the kernel says of it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::shell;

/// The kernel counts CPU time in hundredths of a second on every machine that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// How long a process may take to stop on request.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Process {
    child: Child,
}

impl Process {
    pub fn start(command: &mut Command) -> Result<Process> {
        let name = shell::line(command);
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot start `{name}`"))?;
        Ok(Process { child })
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU seconds so far, user and system, all threads.
    pub fn cpu(&self) -> Result<f64> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = fs::read_to_string(&path).context("the measured process has ended")?;
        cpu_of(&stat).with_context(|| format!("cannot read {path}"))
    }

    /// Memory in MB: what is resident now, and the most there ever was.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).context("the measured process has ended")?;
        let field = |name| kilobytes(&status, name).map(|kb| kb * 1024.0 / 1e6);
        field("VmRSS:").zip(field("VmHWM:")).with_context(|| format!("cannot read {path}"))
    }

    /// Asks it to stop and waits; true if it stopped by itself.
    pub fn stop(mut self) -> Result<bool> {
        let id = self.child.id().to_string();
        shell::capture(shell::program("kill").args(["-TERM", &id]))?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// CPU seconds of the children that a process has now.
pub fn cpu_of_children(parent: u32) -> Result<f64> {
    let processes = fs::read_dir("/proc")?.flatten().map(|entry| entry.path().join("stat"));
    // What ends meanwhile has no file any more.
    let stats = processes.filter_map(|path| fs::read_to_string(path).ok());
    Ok(stats.filter(|stat| parent_of(stat) == Some(parent)).filter_map(|stat| cpu_of(&stat)).sum())
}

fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// CPU seconds of this very process.
pub fn own_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    cpu_of(&stat).context("cannot read /proc/self/stat")
}

/// The name of the program is in brackets and may hold anything; the rest are numbers.
fn cpu_of(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 1 0 100 1 1";
        assert_eq!(cpu_of(stat), Some(3.0));
        assert_eq!(kilobytes("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n", "VmRSS:"), Some(1024.0));
        assert!(own_cpu().is_ok());
    }

    #[test]
    fn a_process_stops_on_request_and_has_memory() {
        let process = Process::start(Command::new("sleep").arg("60")).unwrap();
        assert!(process.memory().unwrap().0 > 0.0);
        assert!(!process.stop().unwrap(), "a signal is no success");
    }
}
