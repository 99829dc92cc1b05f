//! A TLS probe: a handshake and the facts of the certificate.

use crate::record::Record;
use bw_domain::monitor::Family;
use bw_domain::probe::TlsProbe;
use bw_net::{Alpn, Dial, Failure, Net, Stopwatch};
use std::time::Duration;

/// Connects, shakes hands, reads the certificate, closes.
pub(crate) async fn run(
    net: &Net,
    probe: &TlsProbe,
    (family, within): (Family, Duration),
    watch: &Stopwatch<'_>,
    record: &mut Record,
) -> Result<(), Failure> {
    let dial = Dial { host: &probe.host, port: probe.port, family, resolver: None, within };
    let stream = net.dial(&dial, watch, &mut record.address).await?;
    let shaken = net.shake(stream, &probe.host, Alpn::None, watch).await?;
    record.note(shaken.certificate);
    match shaken.distrust {
        Some(failure) if probe.verify => Err(failure),
        _ => Ok(()),
    }
}
