//! Bulk: what has carried much for a while, and the further links that are asked for because of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;
use trunkline_proto::{ControlCall, Lane, LinkWish};
use trunkline_tunnel::call;

use super::{Live, MOST_LINKS, Tunnels};

/// How long an agent that was asked for a further link is not asked again.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A bulk exchange under way on a session.
pub(crate) struct Bulk(Arc<Live>);

impl Drop for Bulk {
    fn drop(&mut self) {
        self.0.bulk.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tunnels {
    /// An exchange has carried bulk for a while: others should not stand behind it. Asks the agent for a further
    /// link when all it has carry bulk.
    pub(crate) fn mark_bulk(&self, live: &Arc<Live>) -> Bulk {
        live.bulk.fetch_add(1, Ordering::Relaxed);
        let mut map = self.map();
        if let Some(tunnel) = map.get_mut(&live.cluster) {
            let of_lane = |live: &&Arc<Live>| live.lane == Lane::Api && live.session.is_open();
            let open: Vec<_> = tunnel.live.iter().filter(of_lane).collect();
            let all_bulk = open.iter().all(|live| live.bulk.load(Ordering::Relaxed) > 0);
            let wish = u16::try_from(open.len() + 1).unwrap_or(u16::MAX);
            let asked_just_now = tunnel.wished.is_some_and(|when| when.elapsed() < ASK_EVERY);
            if all_bulk && live.more_links && wish <= MOST_LINKS && !asked_just_now {
                tunnel.wished = Some(Instant::now());
                let asked = live.clone();
                self.shared.tasks.spawn_until_stopped(async move {
                    let wish = LinkWish { api: wish };
                    let asking = call::<_, ()>(&asked.session, ControlCall::Links, asked.epoch, &wish);
                    if let Err(error) = asking.await {
                        debug!(cluster = %asked.cluster, %error, "the agent was not asked for a further link");
                    }
                });
            }
        }
        Bulk(live.clone())
    }
}
