//! Saying that we are ready, once: a line on standard error with an address, and a word to systemd.

use crate::config::LogForm;
use serde_json::json;
use std::io::Write;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Writes the line, whole and at once.
pub fn announce(form: LogForm, url: &str) {
    let line = match form {
        LogForm::Human => format!("ready {url}\n"),
        LogForm::Json => format!("{}\n", json!({ "event": "ready", "url": url })),
    };
    // Without a standard error nobody is waiting for the line.
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}

/// Tells systemd (`READY=1`, `STOPPING=1`), if it wants to hear.
pub fn tell_systemd(socket: Option<&str>, word: &str) {
    let Some(path) = socket else { return };
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(path),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(word.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!("systemd could not be told {word}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_hears_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let heard = UnixDatagram::bind(&path).expect("a socket");
        tell_systemd(path.to_str(), "READY=1");
        let mut word = [0; 16];
        let length = heard.recv(&mut word).expect("a word");
        assert_eq!(&word[..length], b"READY=1");
    }
}
