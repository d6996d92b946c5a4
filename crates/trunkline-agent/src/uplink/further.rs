//! Further links: they come when the gateway wishes for them, and end when idle.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::debug;
use trunkline_proto::{ControlCall, Drain, Lane};
use trunkline_runtime::chain;

use super::attempt::Live;
use super::{Uplink, tell};

/// The most links of the `api` lane, whatever the gateway wishes for.
const MOST_LINKS: u16 = 4;
/// How long a further link is kept with nothing on it.
const IDLE: Duration = Duration::from_secs(60);
/// How much goes over an idle link in that time, in bytes: pings alone are a few hundred bytes a minute.
const IDLE_TRAFFIC: u64 = 32 * 1024;

impl Uplink {
    /// Brings further links up while the gateway wishes for more than there are.
    pub(super) async fn grant_wishes(&self) {
        let shared = &self.shared;
        let mut wishes = shared.wish.subscribe();
        while wishes.changed().await.is_ok() {
            let wanted = (*wishes.borrow_and_update()).min(MOST_LINKS);
            let there = 1 + shared.further.load(Ordering::Relaxed);
            for ordinal in there..wanted {
                shared.further.fetch_add(1, Ordering::Relaxed);
                let uplink = self.clone();
                shared.tasks.spawn_until_stopped(async move {
                    uplink.run_further_link(ordinal).await;
                    uplink.shared.further.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }

    async fn run_further_link(&self, ordinal: u16) {
        let mut swaps = self.shared.swaps.subscribe();
        let Some(mut live) = self.further_link(ordinal).await else { return };
        let mut last = live.session.traffic();
        loop {
            tokio::select! {
                _ = live.session.ended() => return,
                () = live.move_on.cancelled() => {}
                () = tokio::time::sleep(IDLE) => {}
                _ = swaps.changed() => {
                    // Without another one this one stays, for as long as its certificate lasts.
                    if let Some(next) = self.further_link(ordinal).await {
                        self.let_go(&live);
                        live = next;
                        last = live.session.traffic();
                    }
                    continue;
                }
            }
            let now = live.session.traffic();
            let idle = now.received - last.received < IDLE_TRAFFIC && now.sent - last.sent < IDLE_TRAFFIC;
            if idle || live.move_on.is_cancelled() {
                let drain = Drain { grace_ms: 0, message: "an idle further link".into() };
                tell(&live.session, ControlCall::Drain, live.epoch, drain).await;
                live.session.ended().await;
                return;
            }
            last = now;
        }
    }

    async fn further_link(&self, ordinal: u16) -> Option<Live> {
        match self.bring_up(self.address(), Lane::Api, ordinal).await {
            Ok(live) => {
                debug!(ordinal, "further link is up");
                Some(live)
            }
            Err(error) => {
                debug!(ordinal, error = %chain(&error), "no further link");
                None
            }
        }
    }
}
