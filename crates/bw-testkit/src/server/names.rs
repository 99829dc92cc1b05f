//! A DNS server that says what it is told, over UDP. Messages are built by hand, so that it shares no code with
//! the resolver under test.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// What the server says of a name. An address answers only questions for its own family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Addresses(Vec<IpAddr>),
    NxDomain,
    ServFail,
    Silence,
}

/// A name server on a free port of 127.0.0.1. Names it was not told do not exist.
#[derive(Debug)]
pub struct Names {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Dropped, it ends the server.
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct State {
    replies: HashMap<String, Reply>,
    asked: Vec<String>,
}

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

impl Names {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let state = Arc::<Mutex<State>>::default();
        let mut task = JoinSet::new();
        task.spawn(serve(socket, state.clone()));
        Names { address, state, _task: task }
    }

    /// `127.0.0.1:port`, as a monitor's `resolver` is written.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on says this of the name.
    pub fn set(&self, name: &str, reply: Reply) {
        locked(&self.state).replies.insert(name.to_ascii_lowercase(), reply);
    }

    /// The name has these addresses.
    pub fn set_addresses(&self, name: &str, addresses: &[&str]) {
        let parsed = addresses.iter().map(|text| text.parse().expect("a literal address"));
        self.set(name, Reply::Addresses(parsed.collect()));
    }

    /// The names of every question, in order of arrival.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.state).asked.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no test panics while it holds the replies")
}

async fn serve(socket: UdpSocket, state: Arc<Mutex<State>>) {
    let mut buffer = [0; 1_500];
    loop {
        // An unreachable client of an earlier answer shows up here; it says nothing of the next question.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let Some(question) = Question::read(&buffer[..length]) else { continue };
        let reply = {
            let mut state = locked(&state);
            state.asked.push(question.name.clone());
            state.replies.get(&question.name).cloned().unwrap_or(Reply::NxDomain)
        };
        if let Some(answer) = question.answer(&reply) {
            // A client that is gone needs no answer.
            drop(socket.send_to(&answer, client).await);
        }
    }
}

struct Question<'a> {
    id: &'a [u8],
    /// Lower case, without the last dot.
    name: String,
    kind: u16,
    /// Name, type and class as they came.
    bytes: &'a [u8],
}

impl<'a> Question<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = 12;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
            at += length;
        }
        let kind = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
        let bytes = message.get(12..at + 4)?;
        Some(Question { id: &message[..2], name: labels.join("."), kind, bytes })
    }

    fn answer(&self, reply: &Reply) -> Option<Vec<u8>> {
        let (code, addresses): (u8, Vec<IpAddr>) = match reply {
            Reply::Silence => return None,
            Reply::NxDomain => (3, Vec::new()),
            Reply::ServFail => (2, Vec::new()),
            Reply::Addresses(all) => (0, all.iter().copied().filter(|ip| self.wants(ip)).collect()),
        };
        let mut out = self.id.to_vec();
        // An answer, recursion desired and available.
        out.extend([0x81, 0x80 | code, 0, 1]);
        out.extend((addresses.len() as u16).to_be_bytes());
        out.extend([0, 0, 0, 0]);
        out.extend(self.bytes);
        for ip in addresses {
            // The name is that of the question, at offset 12; class IN, one second.
            out.extend([0xc0, 12]);
            out.extend(self.kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 1]);
            match ip {
                IpAddr::V4(ip) => {
                    out.extend([0, 4]);
                    out.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    out.extend([0, 16]);
                    out.extend(ip.octets());
                }
            }
        }
        Some(out)
    }

    fn wants(&self, ip: &IpAddr) -> bool {
        matches!((self.kind, ip), (TYPE_A, IpAddr::V4(_)) | (TYPE_AAAA, IpAddr::V6(_)))
    }
}
