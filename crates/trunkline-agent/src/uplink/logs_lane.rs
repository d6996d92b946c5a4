//! The link of the `logs` lane: it is there while records are shipped, and never carries anything else.
//!
//! Whoever ships asks for it before each batch; then it is brought up if there is none, brought up elsewhere if its gateway
//! asked for that, and anew if there is another certificate.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::debug;
use trunkline_proto::{CloseReason, Epoch, Lane};
use trunkline_tunnel::Session;

use super::Uplink;
use super::attempt::{AttemptError, Live};

/// How long the link is kept with no batch on it.
const IDLE: Duration = Duration::from_secs(60);

/// The link of the `logs` lane. Clones share it.
#[derive(Clone)]
pub(crate) struct LogsLane {
    uplink: Uplink,
    held: Arc<Mutex<Option<Held>>>,
}

struct Held {
    live: Live,
    /// The swap after which it came up.
    swap: u64,
    used: Instant,
}

/// Why there is no link to ship on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoLane {
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    #[error("the gateway takes no logs: is it older than this agent, or has it no log store?")]
    NotTaken,
}

impl LogsLane {
    pub(crate) fn new(uplink: &Uplink) -> Self {
        Self { uplink: uplink.clone(), held: Arc::default() }
    }

    /// The round trip of the `api` lane is asked on this.
    pub(crate) fn api(&self) -> Option<(Session, Epoch)> {
        self.uplink.newest()
    }

    /// Waits until the tunnel is up, so that what ships does not dial beside it.
    pub(crate) async fn tunnel_is_up(&self) {
        let _ = self.uplink.up().wait_for(|up| *up).await;
    }

    /// A session to hand a batch in on.
    pub(crate) async fn session(&self) -> Result<(Session, Epoch), NoLane> {
        let mut held = self.held.lock().await;
        let swap = *self.uplink.shared.swaps.borrow();
        if let Some(held) = &mut *held
            && held.live.session.is_open()
            && !held.live.move_on.is_cancelled()
            && held.swap == swap
        {
            held.used = Instant::now();
            return Ok((held.live.session.clone(), held.live.epoch));
        }
        let live = self.uplink.bring_up(self.uplink.address(), Lane::Logs, 0).await?;
        if !live.takes_logs {
            live.session.close(CloseReason::Shutdown);
            return Err(NoLane::NotTaken);
        }
        debug!("the logs lane is up");
        let session = (live.session.clone(), live.epoch);
        if let Some(old) = held.replace(Held { live, swap, used: Instant::now() }) {
            self.uplink.let_go(&old.live);
        }
        Ok(session)
    }

    /// Lets the link go when it is idle, and one that nothing is on when there is another certificate, until the tasks are told
    /// to stop.
    pub(crate) async fn let_go_when_idle(self) {
        loop {
            tokio::time::sleep(IDLE / 4).await;
            let mut held = self.held.lock().await;
            let swap = *self.uplink.shared.swaps.borrow();
            let unused = |held: &mut Held| {
                held.live.session.in_flight() == 0 && (held.used.elapsed() >= IDLE || held.swap != swap)
            };
            if let Some(held) = held.take_if(unused) {
                debug!("the logs lane is not used");
                self.uplink.let_go(&held.live);
            }
        }
    }
}
