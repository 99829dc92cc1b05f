//! Which tasks want to be polled. A waker puts its task here and does nothing else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Wake, Waker};

/// A task of the simulation, numbered in the order of their begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// The tasks that were woken.
#[derive(Debug, Default)]
pub struct Ready(Mutex<BTreeSet<TaskId>>);

impl Ready {
    /// All of them.
    pub fn lock(&self) -> MutexGuard<'_, BTreeSet<TaskId>> {
        self.0.lock().expect("one thread, and it does not panic here")
    }

    /// The waker of a task.
    pub fn waker(self: &Arc<Self>, task: TaskId) -> Waker {
        Waker::from(Arc::new(TaskWaker { task, ready: self.clone() }))
    }
}

struct TaskWaker {
    task: TaskId,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.task);
    }
}
