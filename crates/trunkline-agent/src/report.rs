//! Asks the API server how it is, and keeps the newest answer for the gateway.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};
use trunkline_proto::{StatusReport, UpstreamState};
use trunkline_runtime::chain;
use trunkline_upstream::Upstream;

/// How often a healthy API server is asked.
const EVERY: Duration = Duration::from_secs(30);
/// How often one that did not answer is asked.
const EVERY_WHEN_DOWN: Duration = Duration::from_secs(3);
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks for ever; every change goes to `report`.
pub(crate) async fn probe_for_ever(upstream: Upstream, report: watch::Sender<StatusReport>) {
    loop {
        let newest = match tokio::time::timeout(DEADLINE, upstream.probe()).await {
            Ok(Ok(version)) => StatusReport {
                upstream: UpstreamState::Up,
                kubernetes: Some(version),
                nodes: None,
                message: String::new(),
            },
            Ok(Err(error)) => down(chain(&error)),
            Err(_) => down(format!("the API server did not answer within {} s", DEADLINE.as_secs())),
        };
        let changed = report.send_if_modified(|last| {
            let changed = *last != newest;
            if changed {
                last.clone_from(&newest);
            }
            changed
        });
        match newest.upstream {
            UpstreamState::Up if changed => {
                info!(version = newest.kubernetes.as_deref().unwrap_or_default(), "the API server answers");
            }
            UpstreamState::Down if changed => warn!(why = newest.message, "the API server does not answer"),
            UpstreamState::Up | UpstreamState::Down | UpstreamState::Unknown => {}
        }
        let pause = if newest.upstream == UpstreamState::Up { EVERY } else { EVERY_WHEN_DOWN };
        tokio::time::sleep(pause).await;
    }
}

fn down(message: String) -> StatusReport {
    StatusReport { upstream: UpstreamState::Down, kubernetes: None, nodes: None, message }
}
