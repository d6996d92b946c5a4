//! Liveness by progress: any byte is a sign of life; silence is asked about, then ends the session.
//!
//! Asking goes through the whole other end (link, mux, its HTTP), so a frozen process is noticed although its
//! kernel still acknowledges packets.

use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;
use trunkline_proto::{CloseReason, ControlCall, Epoch};

use crate::control::call;
use crate::session::Session;

/// How much silence makes this end ask.
pub const PING_AFTER: Duration = Duration::from_secs(3);
/// How long after asking a session with no byte heard is dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(6);

impl Session {
    /// Watches the session until it ends; ends it when the other end stays silent.
    pub async fn keep_alive(&self, epoch: Epoch) {
        tokio::select! {
            _ = self.ended() => {}
            () = self.watch_silence(epoch) => {
                debug!(silence = ?self.silence(), "the other end is silent");
                self.close(CloseReason::Silent);
            }
        }
    }

    /// Returns when the other end is dead.
    async fn watch_silence(&self, epoch: Epoch) {
        loop {
            let silence = self.silence();
            if let Some(rest) = PING_AFTER.checked_sub(silence)
                && !rest.is_zero()
            {
                tokio::time::sleep(rest).await;
                continue;
            }
            let asked = Instant::now();
            let heard = self.traffic().received;
            tokio::select! {
                answer = call::<_, ()>(self, ControlCall::Ping, epoch, &()) => {
                    if answer.is_ok() {
                        self.set_rtt(asked.elapsed());
                    }
                }
                () = tokio::time::sleep(DEAD_AFTER) => {}
            }
            // Not the answer but any progress counts: a busy link may carry bytes and still be slow to answer. It is
            // counted in bytes, as an answer may come within the clock's own step.
            if self.traffic().received == heard {
                tokio::time::sleep_until(asked + DEAD_AFTER).await;
                if self.traffic().received == heard {
                    return;
                }
            }
        }
    }
}
