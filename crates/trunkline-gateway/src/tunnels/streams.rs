//! A free stream of a cluster, whichever of its sessions has one; users take turns where there is none.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::select_all;
use trunkline_proto::{ClusterId, ClusterUid};
use trunkline_tunnel::{OpenError, Reserved};

use super::{Live, Tunnels, WAIT};
use crate::fair::{Crowd, Excess, Limit, OF_ONE_USER};
use crate::refusal::Refusal;

/// How often another session is tried after one that was about to end.
const ROUNDS: usize = 8;

/// Where to, to which registration of it, and for whom.
pub(crate) type Errand<'a> = (&'a ClusterId, Option<ClusterUid>, &'a Arc<str>);

impl Tunnels {
    /// How many streams the live sessions of a cluster have in all.
    pub(crate) fn streams(&self, cluster: &ClusterId) -> usize {
        let open = self.of(cluster).into_iter().filter(|live| live.session.is_open());
        open.map(|live| live.session.streams()).sum()
    }

    /// A stream to a cluster; waits a little for the cluster, and for one's turn when all streams are in use.
    pub(crate) async fn reserve(
        &self,
        (cluster, uid, user): Errand<'_>,
        upgrade: bool,
    ) -> Result<(Arc<Live>, Reserved), Refusal> {
        let turns = &self.shared.turns;
        if turns.nobody_waits(cluster)
            && let Some(found) = self.reserve_now(cluster, uid, upgrade).await?
        {
            return Ok(found);
        }
        let waiting = async {
            let _turn = turns.wait(cluster, user).await.map_err(|crowd| match crowd {
                Crowd::OfUser => Excess::new(Limit::UserQueue, OF_ONE_USER as u64).at(cluster).into(),
                Crowd::OfAll => busy(cluster, "too many wait for one"),
            })?;
            loop {
                let news = self.news_of_streams(cluster);
                if let Some(found) = self.reserve_now(cluster, uid, upgrade).await? {
                    return Ok(found);
                }
                news.await;
            }
        };
        match tokio::time::timeout(WAIT, waiting).await {
            Ok(found) => found,
            Err(_) if self.of(cluster).is_empty() => Err(self.disconnected(cluster)),
            Err(_) => Err(busy(cluster, "all are in use, and none got free in time")),
        }
    }

    /// A stream, if there is one now.
    async fn reserve_now(
        &self,
        cluster: &ClusterId,
        uid: Option<ClusterUid>,
        upgrade: bool,
    ) -> Result<Option<(Arc<Live>, Reserved)>, Refusal> {
        let mut why = String::new();
        for _ in 0..ROUNDS {
            let live = self.pick(cluster, uid).await?;
            match live.session.reserve_now(upgrade).await {
                Ok(stream) => return Ok(Some((live, stream))),
                // The session picked has the most room: the others are full as well.
                Err(OpenError::NoStreams) => return Ok(None),
                Err(error) => why = error.to_string(),
            }
        }
        Err(busy(cluster, &why))
    }

    /// Returns when a stream of a cluster got free since this was called, or a session came or went.
    fn news_of_streams(&self, cluster: &ClusterId) -> impl Future<Output = ()> + use<> {
        let mut changes = self.shared.changed.subscribe();
        let freed: Vec<Pin<Box<_>>> =
            self.of(cluster).iter().map(|live| Box::pin(live.session.freed())).collect();
        async move {
            if freed.is_empty() {
                let _ = changes.changed().await;
                return;
            }
            tokio::select! {
                _ = select_all(freed) => {}
                _ = changes.changed() => {}
            }
        }
    }
}

fn busy(cluster: &ClusterId, why: &str) -> Refusal {
    Refusal::ClusterBusy { cluster: cluster.clone(), why: why.to_owned() }
}
