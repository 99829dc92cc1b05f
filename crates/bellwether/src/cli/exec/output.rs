//! The way of the command's output to ours: bytes as they come, each stream by itself, and a copy of their end. Nobody
//! who reads us slowly or not at all stops anything but this: writing happens aside, a reader that has gone is
//! forgotten, and the command writes on. To the command its output is a pipe, also at a terminal.
//!
//! Children that a command leaves behind may hold its output open for ever. Once it has ended, what it had written is
//! read at once, whoever reads us, `GRACE` is waited for an end, and all of it is passed on, however long that takes.

use super::aside::aside;
use super::tail::Tail;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Sleep;

/// How long output is waited for that children may still write.
const GRACE: Duration = Duration::from_millis(500);
/// As much as a pipe holds unless somebody has changed it.
const CHUNK: usize = 64 << 10;
/// What children may add after the end of the command, beyond what is left to them.
const REST_MAX: usize = 1 << 20;

/// Both streams of one command.
pub struct Output {
    tail: Arc<Mutex<Tail>>,
    ended: watch::Sender<bool>,
    /// Each ends without a word when its stream is read.
    read: Vec<oneshot::Receiver<()>>,
    pumps: JoinSet<()>,
}

/// One stream and its way.
struct Pipe<R> {
    from: R,
    /// Nobody any more, if nobody reads it.
    to: Option<File>,
    ended: watch::Receiver<bool>,
}

impl Output {
    /// Nothing yet.
    pub fn new() -> Self {
        let (tail, ended) = (Arc::default(), watch::Sender::new(false));
        Output { tail, ended, read: Vec::new(), pumps: JoinSet::new() }
    }

    /// Passes both streams on from now on.
    pub fn pass(&mut self, out: ChildStdout, err: ChildStderr) {
        self.pump(out, std::io::stdout().as_fd());
        self.pump(err, std::io::stderr().as_fd());
    }

    fn pump(&mut self, from: impl AsyncRead + AsFd + Unpin + Send + Sync + 'static, to: BorrowedFd<'_>) {
        let to = to.try_clone_to_owned().ok().map(File::from);
        let pipe = Pipe { from, to, ended: self.ended.subscribe() };
        let (is_read, read) = oneshot::channel();
        self.read.push(read);
        self.pumps.spawn(pump(pipe, self.tail.clone(), is_read));
    }

    /// The command has ended: what is there is the end, apart from what its children may add.
    pub fn command_has_ended(&self) {
        self.ended.send_replace(true);
    }

    /// Waits until everything is read.
    pub async fn read(&mut self) {
        for read in &mut self.read {
            // Nothing is ever sent.
            read.await.unwrap_or_default();
        }
        self.read.clear();
    }

    /// Waits until everything is passed on.
    pub async fn passed(&mut self) {
        while let Some(pump) = self.pumps.join_next().await {
            pump.expect("passing bytes on does not panic");
        }
    }

    /// The end of both, at most `limit` bytes.
    pub fn end(&self, limit: usize, last: Option<&str>) -> Vec<u8> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).end(limit, last)
    }
}

async fn pump(
    mut pipe: Pipe<impl AsyncRead + AsFd + Unpin>,
    tail: Arc<Mutex<Tail>>,
    is_read: oneshot::Sender<()>,
) {
    let mut buffer = vec![0; CHUNK];
    let under_way = loop {
        let read = tokio::select! {
            biased;
            () = over(&mut pipe.ended) => break None,
            read = pipe.from.read(&mut buffer) => read,
        };
        let Some(count) = read.ok().filter(|count| *count > 0) else { return };
        keep(&tail, &buffer[..count]);
        let Some(to) = pipe.to.take() else { continue };
        let mut writing = Box::pin(aside(move || (write(to, &buffer[..count]), buffer)));
        tokio::select! {
            biased;
            written = &mut writing => (pipe.to, buffer) = written,
            () = over(&mut pipe.ended) => break Some(writing),
        }
    };
    let rest = rest(&mut pipe.from, &tail).await;
    drop(is_read);
    if let Some(writing) = under_way {
        (pipe.to, _) = writing.await;
    }
    if let Some(to) = pipe.to {
        drop(aside(move || write(to, &rest)).await);
    }
}

/// Everything that a command had written when it ended, and what its children add within the grace.
async fn rest(from: &mut (impl AsyncRead + AsFd + Unpin), tail: &Mutex<Tail>) -> Vec<u8> {
    let (mut rest, mut buffer, mut grace) = (Vec::new(), vec![0; CHUNK], None);
    let owed = usize::try_from(rustix::io::ioctl_fionread(&*from).unwrap_or(0)).unwrap_or(0);
    while rest.len() < owed + REST_MAX {
        if rest.len() >= owed && grace.is_none() {
            grace = Some(Box::pin(tokio::time::sleep(GRACE)));
        }
        let read = tokio::select! {
            biased;
            () = passed(&mut grace) => break,
            read = from.read(&mut buffer) => read,
        };
        let Some(count) = read.ok().filter(|count| *count > 0) else { break };
        keep(tail, &buffer[..count]);
        rest.extend_from_slice(&buffer[..count]);
    }
    rest
}

fn keep(tail: &Mutex<Tail>, bytes: &[u8]) {
    tail.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
}

/// Waits for the end of the grace, once there is one.
async fn passed(grace: &mut Option<Pin<Box<Sleep>>>) {
    match grace {
        Some(grace) => grace.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Waits for the end of the command.
async fn over(ended: &mut watch::Receiver<bool>) {
    // The sender outlives the pumps, or they end with it.
    drop(ended.wait_for(|ended| *ended).await);
}

/// Writes everything; nothing comes back when there is nobody any more who would read it.
fn write(mut to: File, mut bytes: &[u8]) -> Option<File> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return None,
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody who shares our output has made it so; it is full for the moment.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return None,
        }
    }
    Some(to)
}
