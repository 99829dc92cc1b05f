//! The command itself: started, given our signals, ended at its time limit, and waited for.
//!
//! Without a controlling terminal (cron, a service, a pipeline of a build) the command gets a process group of its own:
//! what asks us to end asks all of it, and the time limit ends all of it and nobody else. With one, job control is the
//! shell's, which knows our group and no other: the command stays in it, so that it reads from the terminal, stops and
//! continues as if we were not there. Ctrl-C then reaches it by itself and is not passed on.
//!
//! Killed with -9 we can do nothing more, and nobody does it for us. The command lives on, as it does when a shell is
//! killed that waits for it; what it writes has no reader any more (`SIGPIPE`, as in every pipeline). The server has seen
//! a start and sees no end.

use super::output::Output;
use super::processes::{self, Process};
use super::signals::{Signals, ends};
use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Sleep, sleep};

/// From `SIGTERM` to `SIGKILL`.
const MERCY: Duration = Duration::from_secs(10);
/// How long Ctrl-C takes to reach everybody, and more.
const KEYBOARD: Duration = Duration::from_millis(200);
/// How often somebody is looked for who has outlived the command at its time limit.
const LOOK: Duration = Duration::from_millis(20);
/// The status when the time limit was reached, as `timeout` has it.
const LIMIT_REACHED: u8 = 124;

/// A running command.
pub struct Job {
    child: Child,
    pid: Pid,
    own_group: bool,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub status: u8,
    pub limit_reached: bool,
}

/// A command that cannot be run.
pub struct NotStarted {
    pub status: u8,
    pub sentence: String,
}

/// Whether the command is to have a group of its own.
pub fn wants_own_group() -> bool {
    !Process::own().is_some_and(|own| own.has_terminal())
}

impl Job {
    /// Starts it, its output passed on by `output`.
    pub fn start(words: &[OsString], own_group: bool, output: &mut Output) -> Result<Self, NotStarted> {
        let [program, arguments @ ..] = words else {
            unreachable!("a command line without a command is refused")
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if own_group {
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(|error| {
            let status = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
            let program = program.to_string_lossy();
            NotStarted { status, sentence: format!("bellwether: `{program}` cannot be run: {error}") }
        })?;
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pid = pid.expect("a child that nobody has waited for has a number");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        output.pass(out.expect("it is piped"), err.expect("it is piped"));
        Ok(Job { child, pid, own_group })
    }

    /// Waits for its end.
    pub async fn end(mut self, signals: &mut Signals, limit: Option<Duration>) -> Ended {
        let mut limit = limit.map(|limit| Box::pin(sleep(limit)));
        let mut kill = None;
        let mut doubt: Option<(Pin<Box<Sleep>>, Signal)> = None;
        let mut marked = None;
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status.map_or(1, code),
                signal = signals.next() => {
                    if self.is_from_terminal(signal) {
                        doubt = Some((Box::pin(sleep(KEYBOARD)), signal));
                    } else {
                        self.pass(signal);
                    }
                }
                () = due(doubt.as_mut().map(|(due, _)| due)) => {
                    if let Some((_, signal)) = doubt.take()
                        && processes::has_not_got(self.pid, signal)
                    {
                        self.tell(signal);
                    }
                }
                () = due(limit.as_mut()) => {
                    limit = None;
                    marked = Some(self.members(&[]));
                    self.tell_all(Signal::TERM, &[]);
                    // Who is stopped cannot end.
                    self.tell_all(Signal::CONT, &[]);
                    kill = Some(Box::pin(sleep(MERCY)));
                }
                () = due(kill.as_mut()) => {
                    kill = None;
                    self.tell_all(Signal::KILL, marked.as_deref().unwrap_or_default());
                }
            }
        };
        let Some(marked) = marked else { return Ended { status, limit_reached: false } };
        self.outlived(kill, &marked).await;
        Ended { status: LIMIT_REACHED, limit_reached: true }
    }

    /// The command has ended at its limit. Nobody of its group lives longer than the command would have been allowed to.
    async fn outlived(&self, kill: Option<Pin<Box<Sleep>>>, marked: &[Process]) {
        let Some(mut kill) = kill else { return };
        while !self.members(marked).is_empty() {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = &mut kill => return self.tell_all(Signal::KILL, marked),
            }
        }
    }

    /// Whether the terminal has sent this to the command, too. Who sent a signal cannot be seen: in the foreground of a
    /// terminal an interrupt is taken for a key, and a hang-up without a terminal for its end. It is looked at again a
    /// moment later: a command that it would have ended and that still lives has not got it. So only an interrupt that
    /// was sent to us alone, while somebody could have pressed it, and that the command handles, is taken for a key.
    fn is_from_terminal(&self, signal: Signal) -> bool {
        let own = if self.own_group { None } else { Process::own() };
        own.is_some_and(|own| match signal {
            Signal::INT | Signal::QUIT => own.is_foreground(),
            Signal::HUP => !own.has_terminal() && !own.leads_session(),
            _ => false,
        })
    }

    fn pass(&self, signal: Signal) {
        if signal == Signal::TSTP {
            self.tell_all(signal, &[]);
            // We have taken it, so we stop by the other one; SIGCONT wakes us, and is passed on.
            gone(kill_process(getpid(), Signal::STOP));
        } else if self.own_group && (ends(signal) || signal == Signal::CONT) {
            self.tell_all(signal, &[]);
        } else {
            self.tell(signal);
        }
    }

    fn tell(&self, signal: Signal) {
        gone(kill_process(self.pid, signal));
    }

    /// Tells the command and all that came from it, but nobody who only shares its group.
    fn tell_all(&self, signal: Signal, known: &[Process]) {
        if self.own_group {
            return gone(kill_process_group(self.pid, signal));
        }
        for process in self.members(known) {
            gone(Pid::from_raw(process.pid).map_or(Ok(()), |pid| kill_process(pid, signal)));
        }
    }

    fn members(&self, known: &[Process]) -> Vec<Process> {
        if self.own_group { processes::in_group(self.pid) } else { processes::below(self.pid, known) }
    }
}

/// Who has gone meanwhile, or is not ours to tell (a command that has become somebody else), needs no signal of ours.
fn gone(told: rustix::io::Result<()>) {
    told.unwrap_or_default();
}

/// Waits for an instant, if there is one.
async fn due(at: Option<&mut Pin<Box<Sleep>>>) {
    match at {
        Some(at) => at.as_mut().await,
        None => std::future::pending().await,
    }
}

/// The status as a shell says it.
fn code(status: ExitStatus) -> u8 {
    let number = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(number).unwrap_or(1)
}
