//! A sign of life to somebody else's monitoring. It stops when we are no longer able to tell anybody anything: that
//! silence is then the only honest voice.

use crate::config::OutboundHeartbeat;
use bw_domain::limits::SEND_TIMEOUT;
use bw_engine::usecase::Services;
use bw_engine::usecase::system::{Process, healthy, ready};
use bw_net::{OutRequest, Outbound};
use std::sync::Arc;
use tokio::sync::watch;

/// Sends a sign each `every`, as long as the loops tick and the store answers. New settings count at once.
pub async fn run(
    outbound: Outbound,
    services: Services,
    process: Arc<Process>,
    mut settings: watch::Receiver<Option<OutboundHeartbeat>>,
) {
    let mut last = Ok(());
    loop {
        let Some(heartbeat) = settings.borrow_and_update().clone() else {
            if settings.changed().await.is_err() {
                return;
            }
            continue;
        };
        let sent = match ready(&services, &process).and_then(|()| healthy(&services, &process)) {
            Ok(()) => send(&outbound, &heartbeat).await,
            Err(why) => Err(format!("none is sent: {why}")),
        };
        if sent != last {
            match &sent {
                Ok(()) => tracing::info!("the outbound heartbeat is accepted again"),
                Err(why) => tracing::warn!("the outbound heartbeat: {why}"),
            }
            last = sent;
        }
        tokio::select! {
            () = tokio::time::sleep(heartbeat.every) => {}
            changed = settings.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

async fn send(outbound: &Outbound, heartbeat: &OutboundHeartbeat) -> Result<(), String> {
    let request = OutRequest {
        method: http::Method::GET,
        url: heartbeat.url.expose().to_owned(),
        headers: Vec::new(),
        body: Default::default(),
        timeout: SEND_TIMEOUT.min(heartbeat.every),
    };
    match outbound.request(request).await {
        Ok(answer) if (200..400).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("the receiver answered {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}
