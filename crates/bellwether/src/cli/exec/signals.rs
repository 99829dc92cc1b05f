//! The signals that we take in the place of the command. Whatever was ignored when we started stays ignored, for us
//! and for the command that inherits it: else `nohup bellwether exec …` would end with the terminal. All others that are
//! not named here do what they do without us.

use super::processes;
use rustix::process::Signal;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind};
use tokio::time::timeout;

const TAKEN: [Signal; 9] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
    Signal::WINCH,
    Signal::CONT,
    Signal::ALARM,
];

/// How far apart two processes may hear of the same key.
const TOGETHER: Duration = Duration::from_millis(200);

/// What arrives from now on: nothing is lost between the start of the command and the first look.
pub struct Signals {
    taken: Vec<(Signal, unix::Signal)>,
    /// Where our parent ignores the ends of its children we inherit that, and would never hear how the command ended.
    _children: Option<unix::Signal>,
}

impl Signals {
    /// Begins to take them. Where the command has a group of its own we are stopped alone, and it has to hear of that:
    /// then `stop` is taken, too.
    pub fn listen(stop: bool) -> Self {
        let all = TAKEN.into_iter().chain(stop.then_some(Signal::TSTP));
        let wanted = all.filter(|signal| !processes::is_ignored(*signal));
        // One that cannot be taken ends us as it always would.
        let take = |signal: Signal| Some((signal, unix::signal(SignalKind::from_raw(signal.as_raw())).ok()?));
        let children = unix::signal(SignalKind::child()).ok();
        Signals { taken: wanted.filter_map(take).collect(), _children: children }
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        poll_fn(|cx| {
            let arrived = |(signal, stream): &mut (Signal, unix::Signal)| match stream.poll_recv(cx) {
                Poll::Ready(Some(())) => Some(*signal),
                Poll::Ready(None) | Poll::Pending => None,
            };
            self.taken.iter_mut().find_map(arrived).map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The command has ended: waits until somebody wants us to end, too. What arrives together with the end was the
    /// command's, and may well be why it ended.
    pub async fn told_to_end(&mut self) {
        let commands = async {
            loop {
                self.next().await;
            }
        };
        // It never ends by itself.
        timeout(TOGETHER, commands).await.unwrap_or(());
        while !ends(self.next().await) {}
    }
}

/// Whether this signal asks to end.
pub fn ends(signal: Signal) -> bool {
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM].contains(&signal)
}
