//! A place that neither accepts nor refuses: its queue of connections is full, so the kernel drops every further
//! attempt.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Held for as long as nobody shall get through.
#[derive(Debug)]
pub struct Full {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Full {
    pub async fn start() -> Self {
        let socket = TcpSocket::new_v4().expect("a descriptor");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback has a free port");
        let listener = socket.listen(1).expect("a bound socket listens");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut queue = Vec::new();
        // What hangs once the queue is full is the connection itself, so waiting for it is the only test.
        let patience = Duration::from_millis(100);
        while let Ok(connected) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            queue.push(connected.expect("loopback connects or hangs"));
        }
        Full { address, _listener: listener, _queue: queue }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
