//! A real NATS server with JetStream, its files in a temporary directory.

use crate::program::{Program, free_address};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use tempfile::TempDir;

/// A running server.
#[derive(Debug)]
pub struct Server {
    directory: TempDir,
    address: SocketAddr,
    /// What else stands in its configuration.
    settings: String,
    program: Mutex<Program>,
}

impl Server {
    /// Starts one.
    pub async fn start() -> Self {
        Server::start_with("").await
    }

    /// Starts one with further lines in its configuration, such as users.
    pub async fn start_with(settings: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("bellwether-nats-").tempdir();
        let directory = directory.expect("a temporary directory can be made");
        let address = free_address();
        let program = Mutex::new(run(&directory, address, settings).await);
        Server { directory, address, settings: settings.to_owned(), program }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for a client.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.program().kill();
    }

    /// Starts again on the same files and port.
    pub async fn restart(&self) {
        self.kill();
        let program = run(&self.directory, self.address, &self.settings).await;
        *self.program() = program;
    }

    fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().expect("no one panics while holding the program")
    }
}

async fn run(directory: &TempDir, address: SocketAddr, settings: &str) -> Program {
    let (store, file) = (directory.path().join("store"), directory.path().join("nats.conf"));
    let text =
        format!("listen: \"{address}\"\njetstream {{ store_dir: \"{}\" }}\n{settings}\n", store.display());
    std::fs::write(&file, text).expect("a temporary directory takes files");
    let file = file.to_str().expect("the path of a temporary directory is text");
    let mut program = Program::start("nats-server", "nats-server", &["-c", file]);
    program.listening(address).await;
    program
}
