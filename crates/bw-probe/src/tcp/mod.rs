//! A TCP probe: a connection, and nothing said over it.

use crate::record::Record;
use bw_domain::monitor::Family;
use bw_domain::probe::TcpProbe;
use bw_net::{Dial, Failure, Net, Stopwatch};
use std::time::Duration;

/// Connects and closes.
pub(crate) async fn run(
    net: &Net,
    probe: &TcpProbe,
    (family, within): (Family, Duration),
    watch: &Stopwatch<'_>,
    record: &mut Record,
) -> Result<(), Failure> {
    let dial = Dial { host: &probe.host, port: probe.port, family, resolver: None, within };
    net.dial(&dial, watch, &mut record.address).await.map(drop)
}
