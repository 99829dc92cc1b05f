//! Servers of our own for what nginx cannot do: answer as told, hear messages, and never answer at all.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

/// Answers every request with the status it is told, and remembers when it did.
pub struct Told {
    pub address: SocketAddr,
    status: Arc<AtomicU16>,
    answers: Arc<Mutex<Vec<(Instant, u16)>>>,
}

impl Told {
    pub fn start(status: u16) -> Result<Told> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let status = Arc::new(AtomicU16::new(status));
        let answers = Arc::new(Mutex::new(Vec::new()));
        let told = Told { address, status: Arc::clone(&status), answers: Arc::clone(&answers) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (status, answers) = (Arc::clone(&status), Arc::clone(&answers));
                thread::spawn(move || answer(&stream, &status, &answers));
            }
        });
        Ok(told)
    }

    pub fn tell(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// When each answer with that status was complete, since an instant.
    pub fn answered(&self, status: u16, since: Instant) -> Vec<Instant> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().filter(|(at, given)| *given == status && *at >= since).map(|(at, _)| *at).collect()
    }
}

/// One request of a connection; a peer that goes away ends it.
fn answer(stream: &TcpStream, status: &AtomicU16, answers: &Mutex<Vec<(Instant, u16)>>) {
    let mut reader = BufReader::new(stream);
    if read_request(&mut reader).is_none() {
        return;
    }
    let status = status.load(Ordering::SeqCst);
    let text = format!("HTTP/1.1 {status} Told\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
    let mut stream = stream;
    if stream.write_all(text.as_bytes()).is_ok() {
        answers.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), status));
    }
}

/// Reads head and body of a request; nothing when the peer goes away.
fn read_request(reader: &mut impl BufRead) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).ok()?;
    Some(())
}

/// Accepts and never answers. Connections are let go after a while, longer than any timeout here.
pub fn hanging() -> Result<SocketAddr> {
    const HELD: Duration = Duration::from_secs(30);
    let listener = TcpListener::bind("127.0.2.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut held: Vec<(Instant, TcpStream)> = Vec::new();
        for stream in listener.incoming().flatten() {
            held.retain(|(since, _)| since.elapsed() < HELD);
            held.push((Instant::now(), stream));
        }
    });
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::{super::http::Client, *};

    #[test]
    fn it_answers_as_told_and_remembers() {
        let told = Told::start(200).unwrap();
        let start = Instant::now();
        let mut client = Client::new(told.address.to_string());
        assert_eq!(client.get("/").unwrap().status, 200);
        told.tell(500);
        assert_eq!(client.get("/").unwrap().status, 500);
        // The answer is noted just after the last byte has left.
        while told.answered(500, start).is_empty() {
            thread::yield_now();
        }
        assert_eq!(told.answered(200, start).len(), 1);
    }
}
