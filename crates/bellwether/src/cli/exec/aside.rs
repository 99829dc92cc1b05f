//! Work that may block — a reader that does not read, a home directory that is far away — on a thread of its own. Where
//! no thread can be had, because whoever limits us counts them, it is done in place: slower, but the command's output
//! is passed on and its status stays its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use tokio::sync::oneshot;

/// Does the work and answers its result. A thread that nobody waits for any more ends with the process.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = oneshot::channel();
    let work = Arc::new(Mutex::new(Some(work)));
    let there = work.clone();
    let thread = Builder::new().name("aside".to_owned()).spawn(move || {
        let work = take(&there).expect("it is done in place only where there is no thread");
        // Nobody waits any more: the result is dropped where it came to be.
        drop(sender.send(work()));
    });
    match thread {
        Ok(_) => receiver.await.expect("the work does not panic"),
        Err(_) => take(&work).expect("there is no thread that has taken it")(),
    }
}

fn take<W>(work: &Mutex<Option<W>>) -> Option<W> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_comes_back_from_elsewhere() {
        let here = std::thread::current().id();
        assert_ne!(aside(|| std::thread::current().id()).await, here);
    }
}
