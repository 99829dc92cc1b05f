//! Places that we expect to reach: `tcp:host:port`, `https://…`, `dns:name`, and how many of them are needed.

use bw_domain::monitor::Family;
use bw_domain::probe::Scheme;
use bw_net::{Alpn, Dial, Endpoint, Net, Stopwatch};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Longest wait for one anchor: an outcome waits for it.
const PATIENCE: Duration = Duration::from_secs(1);
/// More anchors than this prove nothing more.
const ANCHORS_MAX: usize = 16;

/// `self_test:` of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchors {
    each: Vec<Anchor>,
    need: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Anchor {
    /// A connection comes about.
    Tcp { host: Box<str>, port: u16 },
    /// A connection comes about and shows a certificate that we trust: no captive portal.
    Https { host: Box<str>, port: u16 },
    /// The name has an address.
    Dns { name: Box<str> },
}

impl Anchors {
    /// Reads `anchors` and `need`; a mistake is a sentence.
    pub fn parse(texts: &[String], need: usize) -> Result<Self, String> {
        if texts.len() > ANCHORS_MAX {
            return Err(format!("at most {ANCHORS_MAX} anchors"));
        }
        if need == 0 || need > texts.len() {
            let text =
                format!("`need` is from 1 to the number of anchors, which is {}, not {need}", texts.len());
            return Err(text);
        }
        let each = texts.iter().map(|text| anchor(text)).collect::<Result<_, _>>()?;
        Ok(Anchors { each, need })
    }

    /// Whether enough of them are within reach now. All are asked at once.
    pub(super) async fn reached(&self, net: &Arc<Net>) -> bool {
        let mut asked = JoinSet::new();
        for anchor in &self.each {
            asked.spawn(reach(net.clone(), anchor.clone()));
        }
        let mut reached = 0;
        while let Some(answer) = asked.join_next().await {
            reached += usize::from(matches!(answer, Ok(true)));
            if reached >= self.need {
                return true;
            }
        }
        false
    }
}

fn anchor(text: &str) -> Result<Anchor, String> {
    let wrong = || format!("`{text}` is no anchor: write tcp:host:port, https://host or dns:name");
    if let Some(rest) = text.strip_prefix("tcp:") {
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        return if host.is_empty() { Err(wrong()) } else { Ok(Anchor::Tcp { host: host.into(), port }) };
    }
    if let Some(name) = text.strip_prefix("dns:").filter(|name| !name.is_empty()) {
        return Ok(Anchor::Dns { name: name.into() });
    }
    match Endpoint::parse(text) {
        Ok(Endpoint { scheme: Scheme::Https, host, port, .. }) => Ok(Anchor::Https { host, port }),
        _ => Err(wrong()),
    }
}

async fn reach(net: Arc<Net>, anchor: Anchor) -> bool {
    let watch = Stopwatch::start(net.clock());
    let dial = |host, port| Dial { host, port, family: Family::Any, resolver: None, within: PATIENCE };
    let asked = async {
        match &anchor {
            Anchor::Tcp { host, port } => net.dial(&dial(host, *port), &watch, &mut None).await.is_ok(),
            Anchor::Https { host, port } => match net.dial(&dial(host, *port), &watch, &mut None).await {
                Ok(stream) => {
                    let shaken = net.shake(stream, host, Alpn::None, &watch).await;
                    shaken.is_ok_and(|shaken| shaken.distrust.is_none())
                }
                Err(_) => false,
            },
            Anchor::Dns { name } => net.resolves(&dial(name, 0)).await,
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_read_or_refused() {
        let parse = |texts: &[&str], need| {
            Anchors::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), need)
        };
        let three = parse(&["tcp:[::1]:53", "https://example.com/x", "dns:example.com"], 2).expect("anchors");
        assert_eq!(three.each[0], Anchor::Tcp { host: "::1".into(), port: 53 });
        assert_eq!(three.each[1], Anchor::Https { host: "example.com".into(), port: 443 });
        for text in ["tcp:host", "tcp::1", "tcp:host:99999", "http://example.com", "dns:", "icmp:host", ""] {
            assert!(parse(&[text], 1).expect_err(text).contains("is no anchor"), "{text}");
        }
        assert!(parse(&["dns:a"], 0).is_err() && parse(&["dns:a"], 2).is_err() && parse(&[], 1).is_err());
    }
}
