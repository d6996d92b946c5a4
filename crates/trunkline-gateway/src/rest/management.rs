//! The management cluster: reached without a tunnel, so the gateway asks its API server itself how it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use trunkline_proto::{StatusReport, UpstreamState};
use trunkline_runtime::{Tasks, chain};
use trunkline_upstream::Upstream;

use super::view::management;
use crate::standing::Observed;
use crate::tunnels::Tunnels;

/// How often an API server that answers is asked.
const EVERY: Duration = Duration::from_secs(30);
/// How often one that does not is.
const EVERY_WHEN_DOWN: Duration = Duration::from_secs(3);
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The management cluster as it was seen last. Clones share it.
#[derive(Clone)]
pub(super) struct Management {
    pub(super) upstream: Upstream,
    seen: Arc<Mutex<Observed>>,
}

impl Management {
    /// Asks for as long as the tasks go on, and tells of each change where changes of tunnels are told.
    pub(super) fn new(upstream: Upstream, tunnels: &Tunnels, tasks: &Tasks) -> Self {
        let this = Self { upstream, seen: Arc::default() };
        let (asking, tunnels) = (this.clone(), tunnels.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (report, changed) = asking.ask().await;
                if let Some(id) = management().filter(|_| changed) {
                    tunnels.tell_of(&id);
                }
                let pause = if report == UpstreamState::Up { EVERY } else { EVERY_WHEN_DOWN };
                tokio::time::sleep(pause).await;
            }
        });
        this
    }

    /// What was seen last.
    pub(super) fn observe(&self) -> Observed {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self) -> (UpstreamState, bool) {
        let down =
            |message| StatusReport { upstream: UpstreamState::Down, message, ..StatusReport::default() };
        let report = match tokio::time::timeout(DEADLINE, self.upstream.probe()).await {
            Ok(Ok(version)) => StatusReport {
                upstream: UpstreamState::Up,
                kubernetes: Some(version),
                ..StatusReport::default()
            },
            Ok(Err(error)) => down(chain(&error)),
            Err(_) => down(format!("no answer within {} s", DEADLINE.as_secs())),
        };
        let state = report.upstream;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if state == UpstreamState::Up {
            seen.last_seen = Some(SystemTime::now());
        }
        let changed = seen.report != report;
        seen.report = report;
        (state, changed)
    }
}
