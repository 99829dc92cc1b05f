//! A road between a process and a service that a test can close: `cut` ends all connections and refuses new ones,
//! `stall` leaves them open and lets nothing through, `heal` makes it a road again.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Road {
    Open,
    Cut,
    Stalled,
    /// The test is over.
    Gone,
}

/// A proxy for one service.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    road: watch::Sender<Road>,
}

impl Proxy {
    /// Leads to this service.
    #[expect(clippy::disallowed_methods, reason = "the tasks of a test end with its runtime")]
    pub async fn to(service: SocketAddr) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("this machine has a loopback");
        let address = listener.local_addr().expect("it is bound");
        let (road, seen) = watch::channel(Road::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let road = *seen.borrow();
                match road {
                    Road::Gone => return,
                    Road::Cut => drop(client),
                    Road::Open | Road::Stalled => drop(tokio::spawn(lead(client, service, seen.clone()))),
                }
            }
        });
        Proxy { address, road }
    }

    /// Where the process connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection; new ones end at once.
    pub fn cut(&self) {
        self.road.send_replace(Road::Cut);
    }

    /// Connections stay, and nothing passes.
    pub fn stall(&self) {
        self.road.send_replace(Road::Stalled);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.road.send_replace(Road::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.road.send_replace(Road::Gone);
    }
}

async fn lead(client: TcpStream, service: SocketAddr, road: watch::Receiver<Road>) {
    let Ok(server) = TcpStream::connect(service).await else { return };
    let mut end = road.clone();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pass(from_client, to_server, road.clone()) => {}
        () = pass(from_server, to_client, road) => {}
        // Both ways end together, whatever lies in them.
        _ = end.wait_for(|road| matches!(road, Road::Cut | Road::Gone)) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut road: watch::Receiver<Road>,
) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if road.wait_for(|road| *road != Road::Stalled).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
