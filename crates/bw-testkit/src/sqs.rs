//! An emulator of SQS (moto). It keeps everything in memory: a restart begins with nothing.

use crate::program::{Program, free_address};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};

/// A running emulator.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    program: Mutex<Program>,
}

impl Server {
    /// Starts one.
    pub async fn start() -> Self {
        let address = free_address();
        Server { address, program: Mutex::new(run(address).await) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of one of its queues, as a client reaches it at `place`: the emulator or a proxy before it.
    pub fn queue_url(place: SocketAddr, name: &str) -> String {
        format!("http://{place}/123456789012/{name}")
    }

    /// `kill -9`; everything in it is gone.
    pub fn kill(&self) {
        self.program().kill();
    }

    /// Starts again, empty, on the same port.
    pub async fn restart(&self) {
        self.kill();
        let program = run(self.address).await;
        *self.program() = program;
    }

    fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().expect("no one panics while holding the program")
    }
}

async fn run(address: SocketAddr) -> Program {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let mut program = Program::start("moto_server", "python3-venv", &["-H", &host, "-p", &port]);
    program.listening(address).await;
    program
}
