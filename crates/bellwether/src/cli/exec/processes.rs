//! What the operating system tells of processes: whether a terminal is ours, which signals were ignored before we
//! came, and who is left of a command. It is read from `/proc`; where there is none, nothing is known, and the
//! command gets a process group of its own, whose members the system knows.

use rustix::process::{Pid, Signal};
use std::fs;

/// The part of a line of `/proc/PID/stat` that counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    parent: i32,
    pub group: i32,
    session: i32,
    terminal: i32,
    /// The group that reads from its terminal.
    foreground: i32,
    /// Ticks since the machine started: with the number it names a process once.
    born: u64,
    ended: bool,
}

impl Process {
    /// This process.
    pub fn own() -> Option<Self> {
        parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// Whether a shell may stop, continue and interrupt it from a keyboard.
    pub fn has_terminal(&self) -> bool {
        self.terminal != 0
    }

    /// Whether it alone hears of the end of its terminal.
    pub fn leads_session(&self) -> bool {
        self.session == self.pid
    }

    /// Whether what is pressed goes to its group.
    pub fn is_foreground(&self) -> bool {
        self.has_terminal() && self.foreground == self.group
    }
}

/// The living processes of a group.
pub fn in_group(group: Pid) -> Vec<Process> {
    let group = group.as_raw_nonzero().get();
    living().into_iter().filter(|process| process.group == group).collect()
}

/// A process and everything below it, as far as it is in the same group; besides whoever of `known` still lives and
/// what is below those: a parent that has ended does not hide its children then.
pub fn below(root: Pid, known: &[Process]) -> Vec<Process> {
    let all = living();
    let root = root.as_raw_nonzero().get();
    let is_known =
        |process: &Process| known.iter().any(|old| (old.pid, old.born) == (process.pid, process.born));
    let mut found: Vec<Process> =
        all.iter().copied().filter(|process| process.pid == root || is_known(process)).collect();
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = all.iter().filter(|child| child.parent == parent.pid && child.group == parent.group);
        for child in children {
            if !found.contains(child) {
                found.push(*child);
            }
        }
        at += 1;
    }
    found
}

fn living() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(|c: char| c.is_ascii_digit()));
    // One that ends meanwhile cannot be read any more, and is not meant.
    let read = numbered.filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?));
    read.filter(|process| !process.ended).collect()
}

/// `PID (NAME) STATE PARENT GROUP SESSION TERMINAL FOREGROUND …`; the name may hold anything.
fn parse(line: &str) -> Option<Process> {
    let pid = line.split(' ').next()?.parse().ok()?;
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    Some(Process {
        pid,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        terminal: number(4)?,
        foreground: number(5)?,
        born: fields.get(19)?.parse().ok()?,
        ended: matches!(*fields.first()?, "Z" | "X" | "x"),
    })
}

/// Whether this process was told to ignore the signal by whoever started it, as `nohup` does.
pub fn is_ignored(signal: Signal) -> bool {
    mask("/proc/self/status", "SigIgn:").is_some_and(|mask| has(mask, signal))
}

/// Whether a process has certainly not got a signal that would end it: it lives, neither handles nor ignores it, and
/// has none waiting.
pub fn has_not_got(pid: Pid, signal: Signal) -> bool {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let clear = |name| mask(&path, name).is_some_and(|mask| !has(mask, signal));
    ["SigCgt:", "SigIgn:", "SigPnd:", "ShdPnd:"].into_iter().all(clear)
}

fn mask(path: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(path).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    u64::from_str_radix(value.trim(), 16).ok()
}

fn has(mask: u64, signal: Signal) -> bool {
    mask >> (signal.as_raw() - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = "42 (a) S 1) (x) R 7 42 40 34816 42 4194304 1 2 3 4 5 6 7 8 20 0 1 0 999 1 1";
        let process = parse(line).expect("a line of the system");
        assert_eq!((process.pid, process.parent, process.group, process.born), (42, 7, 42, 999));
        assert!(process.is_foreground() && !process.ended);
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn this_process_is_among_the_living() {
        let own = Process::own().expect("there is /proc");
        let pid = Pid::from_raw(own.pid).expect("a number");
        assert!(below(pid, &[]).iter().any(|process| process.pid == own.pid));
        let group = Pid::from_raw(own.group).expect("a number");
        assert!(in_group(group).iter().any(|process| process.pid == own.pid));
    }
}
