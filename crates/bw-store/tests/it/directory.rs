//! An installation in a directory of its own.

use bw_domain::port::Fut;
use bw_domain::port::store::Store;
use bw_store::sqlite::{self, Handle, OpenError, Opened, Options};
use bw_store::{Retention, SealKey};
use bw_testkit::builders::START;
use bw_testkit::clock::ManualClock;
use bw_testkit::contract::store::Installation;
use bw_testkit::dice::Dice;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;

/// The files of a database.
pub const FILES: [&str; 2] = ["bellwether.db", "bellwether.db-wal"];

pub struct Directory {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

struct State {
    path: PathBuf,
    handle: Option<Handle>,
    /// Directories that go with this value: the present one, if it is ours, and those of processes that were killed.
    ours: Vec<TempDir>,
}

impl Directory {
    /// A new one.
    pub fn new() -> Self {
        let ours = temporary();
        let directory = Directory::at(ours.path().to_owned());
        directory.state().ours.push(ours);
        directory
    }

    /// One that is there, or will be.
    pub fn at(path: PathBuf) -> Self {
        let state = State { path, handle: None, ours: Vec::new() };
        Directory { clock: Arc::new(ManualClock::new(START)), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds it")
    }

    pub fn path(&self) -> PathBuf {
        self.state().path.clone()
    }
}

/// A directory that goes with its value.
pub fn temporary() -> TempDir {
    tempfile::tempdir().expect("the temporary directory takes a directory")
}

/// What tests give when they open a directory.
pub fn options(directory: &Path, clock: &Arc<ManualClock>) -> Options {
    Options {
        directory: directory.to_owned(),
        key: SealKey::new([7; 32]),
        retention: Retention::default(),
        clock: clock.clone(),
        entropy: Arc::new(Dice::new(1)),
    }
}

/// Opens a directory with the clock at the start of all tests.
pub fn open(directory: &Path) -> Result<Opened, OpenError> {
    sqlite::open(options(directory, &Arc::new(ManualClock::new(START))))
}

/// The directory as a process that dies now would leave it.
pub fn image(of: &Path) -> TempDir {
    let copy = temporary();
    for file in FILES {
        if of.join(file).exists() {
            std::fs::copy(of.join(file), copy.path().join(file)).expect("the copy fits");
        }
    }
    copy
}

impl Installation for Directory {
    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn start(&self) -> Fut<'_, Store> {
        Box::pin(async {
            let opened = sqlite::open(options(&self.path(), &self.clock)).expect("the directory is good");
            self.state().handle = Some(opened.handle);
            opened.store
        })
    }

    fn stop(&self, store: Store) -> Fut<'_, ()> {
        Box::pin(async move {
            let handle = self.state().handle.take().expect("it was started");
            handle.close().await.expect("it was open");
            drop(store);
        })
    }

    fn kill(&self, store: Store) -> Fut<'_, ()> {
        Box::pin(async move {
            let mut state = self.state();
            let image = image(&state.path);
            state.path = image.path().to_owned();
            state.ours.push(image);
            state.handle = None;
            drop(store);
        })
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn stores_text(&self, text: &str) -> bool {
        let path = self.path();
        FILES.iter().any(|file| {
            let bytes = std::fs::read(path.join(file)).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    }
}
