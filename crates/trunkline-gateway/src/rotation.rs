//! A new root for the tunnel, without a link lost.
//!
//! While it goes on both roots are trusted and the new one issues. The door goes on showing its certificate under the
//! old root, which every agent trusts, also one that is away. When every cluster's certificates stand under the new root,
//! or somebody decides not to wait, the old one is dropped.
//!
//! And new certificates for one cluster alone, under the root that issues: by the same word to its agents.

use std::collections::HashMap;

use jiff::Timestamp;
use tracing::{info, warn};
use trunkline_api::{AuditChange, AuditEvent, Root, RootRole, RotationCluster, RotationStatus};
use trunkline_pki::{KeyPin, PapersError};
use trunkline_proto::{ClusterId, ControlCall, Slot, Trust};
use trunkline_registry::{Record, SlotRecord};
use trunkline_runtime::chain;
use trunkline_tunnel::{CallError, call};

use crate::fleet::Fleet;
use crate::tunnels::Tunnels;

/// Why a rotation did not begin or end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotationError {
    /// There is nothing to rotate.
    #[error(
        "this gateway has no roots of its own, since it has no data folder; rotate the files it was given"
    )]
    NoPapers,
    /// The papers could not be written.
    #[error("the gateway's papers could not be changed")]
    Papers(#[from] PapersError),
    /// There is nobody to tell.
    #[error(
        "no agent of {0} is connected with a certificate of this gateway; one that is away gets a new one when it comes, once \
         its own has ended. To keep an agent out, lock the cluster"
    )]
    Away(ClusterId),
    /// An agent did not hear.
    #[error(
        "the agent of slot {1} of {0} did not answer; others may have been told, and it can be asked again"
    )]
    Untold(ClusterId, Slot, #[source] CallError),
}

/// Has the agents of a cluster renew their certificates now. Answers when the agent of each slot that is up has been told;
/// from the moment that a slot's new certificate is used, the one before lets nobody in.
pub(crate) async fn renew_certificates(
    fleet: &Fleet,
    tunnels: &Tunnels,
    id: &ClusterId,
) -> Result<(), RotationError> {
    let papers = fleet.papers.as_ref().ok_or(RotationError::NoPapers)?;
    let issued = tunnels.of(id).into_iter().filter(|live| live.root.is_some());
    // An agent has several links, and one certificate.
    let agents: HashMap<Slot, _> = issued.map(|live| (live.identity.slot, live)).collect();
    if agents.is_empty() {
        return Err(RotationError::Away(id.clone()));
    }
    for (slot, live) in agents {
        let trust = Trust { roots: papers.roots_pem(), renew: true };
        call::<_, ()>(&live.session, ControlCall::Trust, live.epoch, &trust)
            .await
            .map_err(|error| RotationError::Untold(id.clone(), slot, error))?;
    }
    Ok(())
}

impl Fleet {
    /// How far the rotation has come.
    pub(crate) fn rotation_status(&self) -> Result<RotationStatus, RotationError> {
        let papers = self.papers.as_ref().ok_or(RotationError::NoPapers)?;
        let roots = papers.roots();
        let rotating = roots.len() > 1;
        let issuing = roots.iter().find(|root| root.issuing).map(|root| root.pin.to_string());
        let now = Timestamp::now();
        let clusters = match (&issuing, rotating) {
            (Some(issuing), true) => {
                self.registry.list().iter().map(|record| progress(record, issuing, now)).collect()
            }
            _ => Vec::new(),
        };
        let roots = roots
            .into_iter()
            .map(|root| Root {
                pin: root.pin.to_string(),
                not_after: Timestamp::try_from(root.not_after).unwrap_or(Timestamp::MAX),
                role: if root.issuing { RootRole::Issuing } else { RootRole::Retiring },
            })
            .collect();
        Ok(RotationStatus::new(roots, clusters))
    }

    /// Makes a new root that issues from here on, unless that was done already and is not finished.
    pub(crate) fn begin_rotation(&self, by: &str) -> Result<RotationStatus, RotationError> {
        let papers = self.papers.as_ref().ok_or(RotationError::NoPapers)?;
        if papers.begin_rotation()? {
            info!(target: "audit", by, "the rotation of the tunnel's root begins");
            self.tell();
        }
        self.finish_rotation_if_moved();
        self.rotation_status()
    }

    /// Drops the old root, although clusters may still stand under it.
    pub(crate) fn finish_rotation(&self, by: &str) -> Result<RotationStatus, RotationError> {
        let papers = self.papers.as_ref().ok_or(RotationError::NoPapers)?;
        if papers.finish_rotation()? {
            info!(target: "audit", by, "the rotation of the tunnel's root is finished");
            self.tell();
        }
        self.rotation_status()
    }

    /// Finishes the rotation when the last cluster has moved.
    pub(crate) fn finish_rotation_if_moved(&self) {
        let Ok(status) = self.rotation_status() else { return };
        if status.rotating && status.clusters.iter().all(|cluster| cluster.moved) {
            match self.finish_rotation("gateway") {
                Ok(_) => self.audit.note(&AuditEvent::Change(AuditChange {
                    user: "gateway".into(),
                    what: "finishRotation".into(),
                    ..AuditChange::default()
                })),
                Err(error) => {
                    warn!(why = chain(&error), "the rotation could not be finished; it is tried again");
                }
            }
        }
    }

    /// How many clusters hold certificates that are good and stand under no root of these papers: the papers were
    /// lost, or others were put in their place.
    pub(crate) fn orphans(&self) -> usize {
        let Some(papers) = &self.papers else { return 0 };
        let roots: Vec<_> = papers.roots().into_iter().map(|root| root.pin.to_string()).collect();
        let now = Timestamp::now();
        let orphan = |slot: &SlotRecord| slot.not_after > now && !roots.contains(&slot.root);
        self.registry.list().iter().filter(|record| record.slots.values().any(orphan)).count()
    }

    /// Whether a link's certificate stands under a root of ours that no longer issues.
    pub(crate) fn is_behind(&self, root: Option<&KeyPin>) -> bool {
        let (Some(papers), Some(root)) = (&self.papers, root) else { return false };
        papers.roots().iter().any(|own| !own.issuing && own.pin == *root)
    }
}

/// How far a cluster is: moved when all certificates of it that are good stand under the issuing root.
fn progress(record: &Record, issuing: &str, now: Timestamp) -> RotationCluster {
    let good: Vec<_> = record.slots.values().filter(|slot| slot.not_after > now).collect();
    let behind = good.iter().filter(|slot| slot.root != issuing).count();
    let waiting = record.join.as_ref().is_some_and(|join| join.used.is_none() && join.expires > now);
    let detail = if behind > 0 {
        format!("{behind} of {} certificates stand under the old root", good.len())
    } else if waiting {
        "its join command pins the old root; it may still be used".into()
    } else if record.key.is_some() && good.is_empty() {
        "its agent is away and trusts the old root only".into()
    } else {
        String::new()
    };
    RotationCluster { name: record.metadata.name.to_string(), moved: detail.is_empty(), detail }
}
