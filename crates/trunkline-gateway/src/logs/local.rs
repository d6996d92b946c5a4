//! The management cluster's own records: from the spools of the gateway's own intake to the store, by the same way as everybody's.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{error, info, warn};
use trunkline_intake::report;
use trunkline_proto::{ClusterId, ClusterUid, Dataset, MANAGEMENT, Slot, SpoolEpoch};
use trunkline_runtime::{Tasks, chain};
use trunkline_spool::{Epoch, Spool};
use trunkline_tunnel::Backoff;

use super::unpack::{Says, look};
use super::{Logs, Source};

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// How often what waits is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Starts what takes the records of these spools to the store.
pub(crate) fn ship_own(logs: &Logs, uid: ClusterUid, spools: Vec<(Dataset, Spool)>, tasks: &Tasks) {
    let Ok(cluster) = MANAGEMENT.parse::<ClusterId>() else { return };
    for (dataset, spool) in &spools {
        let (cluster, its) = (cluster.clone(), dataset.clone());
        let of = move |epoch: Epoch| Source {
            cluster: cluster.clone(),
            uid,
            slot: Slot(0),
            dataset: its.clone(),
            spool: SpoolEpoch(*epoch.as_bytes()),
        };
        tasks.aside().spawn_until_stopped(ship(logs.clone(), dataset.clone(), of, spool.clone()));
    }
    let logs = logs.clone();
    tasks.spawn_until_stopped(async move {
        loop {
            let reports = spools.iter().map(|(dataset, spool)| report(dataset, &spool.status())).collect();
            logs.standing().report(uid, Slot(0), reports);
            sleep(LOOK).await;
        }
    });
}

/// Ships one spool until it is closed; `of` says whose the records of one of its lives are.
async fn ship(logs: Logs, dataset: Dataset, of: impl Fn(Epoch) -> Source, spool: Spool) {
    let mut reader = spool.reader();
    let mut backoff = Backoff::default();
    let mut is_well = true;
    loop {
        let chunk = match reader.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return,
            Err(error) => {
                warn!(%dataset, why = chain(&error), "the spool cannot be read; trying again");
                sleep(backoff.pause().max(Duration::from_millis(200))).await;
                continue;
            }
        };
        let source = of(chunk.epoch);
        let says = match look(&source, &chunk.bytes) {
            Ok(says) => says,
            Err(bad) => {
                error!(dataset = %source.dataset, why = %bad, "a chunk of the gateway's own spool cannot be read");
                Says::default()
            }
        };
        let ack = logs.take_in(&source, chunk.bytes, says).await;
        if ack.through >= chunk.head.first
            && let Err(error) = spool.ack(ack.through)
        {
            warn!(dataset = %source.dataset, %error, "the spool does not know its own records");
        }
        if ack.why.is_empty() {
            if !is_well {
                info!(dataset = %source.dataset, "the management cluster's records are taken again");
            }
            is_well = true;
            backoff.reset();
            continue;
        }
        if is_well {
            warn!(dataset = %source.dataset, why = ack.why, "the management cluster's records are not taken");
        }
        is_well = false;
        reader.rewind();
        let asked = ack.retry_after_ms.map_or(Duration::ZERO, Duration::from_millis).min(LONGEST);
        sleep(asked.max(backoff.pause())).await;
    }
}
