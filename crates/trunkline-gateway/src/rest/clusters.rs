//! The clusters: list and watch, show, change, lock, unlock, rotate, remove.
//!
//! A change is an order to the registry, and a record in the audit log before it. What follows from it, such as cutting streams,
//! follows from the registry's change and not from this request.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use trunkline_api::{
    AuditChange, Cluster, ClusterEvent, ClusterList, ClusterPatch, Confirmed, FleetRole, HopReport,
    JoinReport, LinkHistory, Lock, LockRequest, Problem, ProblemReason, Selector,
};
use trunkline_proto::ClusterId;

use super::problem::No;
use super::read::{Admin, Asked, MaySend, Name, Nothing, Reader, Sent};
use super::view::Source;
use super::{Shared, hops, list};
use crate::authz::HOLDS;
use crate::rotation::renew_certificates;

/// What of the clusters is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Choice {
    selector: String,
    watch: bool,
}

/// Lists the clusters, or watches them.
#[utoipa::path(
    get,
    path = "/trunkline/v1/clusters",
    operation_id = "listClusters",
    tag = "clusters",
    params(
        ("selector" = Option<String>, Query, description = "Only clusters with these labels, as kubectl's -l"),
        ("watch" = Option<bool>, Query, description = "Whether to go on telling what changes"),
    ),
    responses(
        (status = 200, description = "The management cluster first, the others by name; or the events of a watch", content(
            (ClusterList = "application/json"),
            (ClusterEvent = "text/event-stream"),
        )),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many watches", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    reader: Reader,
    Asked(choice): Asked<Choice>,
) -> Result<Response, No> {
    let selector: Selector = choice
        .selector
        .parse()
        .map_err(|error: trunkline_api::InvalidSelector| No::invalid(format!("selector: {error}")))?;
    if choice.watch {
        shared.watches.begin(&reader.who.user, selector, reader.sight)
    } else {
        Ok(list::answer(&shared.view, &selector, &reader.sight))
    }
}

/// Shows a cluster.
#[utoipa::path(
    get,
    path = "/trunkline/v1/clusters/{name}",
    operation_id = "showCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "The cluster", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    reader: Reader,
    Name(id): Name,
    _: Asked<Nothing>,
) -> Result<Json<Cluster>, No> {
    let source = shared.find_for(&id, &reader)?;
    Ok(Json(shared.view.cluster(&source, Timestamp::now())))
}

/// Changes a cluster's labels and what people are told of it.
#[utoipa::path(
    patch,
    path = "/trunkline/v1/clusters/{name}",
    operation_id = "editCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    request_body = ClusterPatch,
    responses(
        (status = 200, description = "The cluster, changed", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn edit(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
    Sent(patch): Sent<ClusterPatch>,
) -> Result<Json<Cluster>, No> {
    shared.changeable(&id)?;
    let order = shared.view.fleet.registry.edit(&id, &patch, &admin.who.user);
    let record = shared.audit.change(&admin, "edit", &id, order).await?;
    Ok(shared.told(Source::Registered(record)))
}

/// Removes a cluster. Whoever uses it is cut; its agent is turned away.
#[utoipa::path(
    delete,
    path = "/trunkline/v1/clusters/{name}",
    operation_id = "removeCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "The cluster as it was", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
) -> Result<Json<Cluster>, No> {
    shared.changeable(&id)?;
    let before = shared.find(&id)?;
    let mut cluster = shared.view.cluster(&before, Timestamp::now());
    let record = shared.audit.change(&admin, "remove", &id, shared.view.fleet.registry.remove(&id)).await?;
    // It may have been changed between the look and the order.
    (cluster.metadata, cluster.spec) = (record.metadata.clone(), record.spec.clone());
    Ok(Json(cluster))
}

/// Closes a cluster to everybody. Whoever uses it is cut.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/lock",
    operation_id = "lockCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    request_body = Option<LockRequest>,
    responses(
        (status = 200, description = "The cluster, locked", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn lock(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
    MaySend(request): MaySend<LockRequest>,
) -> Result<Json<Cluster>, No> {
    shared.changeable(&id)?;
    let reason = request.unwrap_or_default().reason;
    let lock = Lock { by: admin.who.user.clone(), since: Timestamp::now(), reason };
    let record = shared.audit.change(&admin, "lock", &id, shared.view.fleet.registry.lock(&id, lock)).await?;
    Ok(shared.told(Source::Registered(record)))
}

/// Opens a locked cluster again.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/unlock",
    operation_id = "unlockCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "The cluster, open", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn unlock(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
    _: MaySend<Nothing>,
) -> Result<Json<Cluster>, No> {
    shared.changeable(&id)?;
    let record = shared.audit.change(&admin, "unlock", &id, shared.view.fleet.registry.unlock(&id)).await?;
    Ok(shared.told(Source::Registered(record)))
}

/// Has a cluster's agents take new certificates now, without a link cut. Answers when they were told; the certificate before
/// lets nobody in from the moment that the new one is used.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/rotate",
    operation_id = "rotateCertificates",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "The cluster, whose agents renew", body = Cluster),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn rotate(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
    _: MaySend<Nothing>,
) -> Result<Json<Cluster>, No> {
    shared.changeable(&id)?;
    let source = shared.find(&id)?;
    let order = renew_certificates(&shared.view.fleet, &shared.view.tunnels, &id);
    shared.audit.change(&admin, "rotate", &id, order).await?;
    Ok(shared.told(source))
}

/// Says that a cluster which is protected so is to be changed, by who says it and for a quarter of an hour.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/confirm",
    operation_id = "confirmChanges",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "Until when that holds", body = Confirmed),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn confirm(
    State(shared): State<Shared>,
    reader: Reader,
    Name(id): Name,
    _: Asked<Nothing>,
    _: MaySend<Nothing>,
) -> Result<Json<Confirmed>, No> {
    shared.find_for(&id, &reader)?;
    shared.changeable(&id)?;
    let ground = shared.view.fleet.ground(&id);
    let full = || No::new(ProblemReason::Unavailable, "too many clusters are being changed; try again later");
    let uid = ground.uid().ok_or_else(|| No::declared(&id))?;
    let change = AuditChange {
        request: reader.request.to_string(),
        user: reader.who.user.clone(),
        what: "confirm".into(),
        cluster: Some(id.to_string()),
        ..AuditChange::default()
    };
    let confirm = async { shared.confirmations.confirm(&reader.who, uid).then_some(()).ok_or_else(full) };
    shared.audit.record(change, confirm).await?;
    let until = Timestamp::now().saturating_add(HOLDS).unwrap_or(Timestamp::MAX);
    Ok(Json(Confirmed { cluster: id, until }))
}

/// Walks the way to a cluster's API server, hop by hop, as who asks.
#[utoipa::path(
    get,
    path = "/trunkline/v1/clusters/{name}/status",
    operation_id = "walkToCluster",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "What each hop says", body = HopReport),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    reader: Reader,
    Name(id): Name,
    _: Asked<Nothing>,
) -> Result<Json<HopReport>, No> {
    let source = shared.find_for(&id, &reader)?;
    let logs = shared.logs.of(&shared.view, &source, &reader.sight);
    Ok(Json(HopReport { logs, ..hops::walk(&shared, &source, &reader).await }))
}

/// Tells how far a cluster's joining is, and where it stands still, why and what to do.
#[utoipa::path(
    get,
    path = "/trunkline/v1/clusters/{name}/joining",
    operation_id = "showJoining",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "The steps of its joining", body = JoinReport),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn joining(
    State(shared): State<Shared>,
    reader: Reader,
    Name(id): Name,
    _: Asked<Nothing>,
) -> Result<Json<JoinReport>, No> {
    let source = shared.find_for(&id, &reader)?;
    let joining = shared.view.joining(&source, Timestamp::now());
    Ok(Json(JoinReport::new(id.to_string(), joining)))
}

/// Tells when links of a cluster came up, went and were refused lately.
#[utoipa::path(
    get,
    path = "/trunkline/v1/clusters/{name}/history",
    operation_id = "showHistory",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    responses(
        (status = 200, description = "What happened to its links, the newest first", body = LinkHistory),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn history(
    State(shared): State<Shared>,
    reader: Reader,
    Name(id): Name,
    _: Asked<Nothing>,
) -> Result<Json<LinkHistory>, No> {
    shared.find_for(&id, &reader)?;
    let (since, items) = shared.view.tunnels.history(&id, shared.view.fleet.ground(&id).uid());
    Ok(Json(LinkHistory::new(id.to_string(), since, items)))
}

impl Shared {
    /// A cluster, or that there is none.
    pub(super) fn find(&self, id: &ClusterId) -> Result<Source, No> {
        self.view.find(id).ok_or_else(|| {
            let detail =
                format!("there is no cluster {id} at this gateway; is the name right, and is it registered?");
            No::new(ProblemReason::NotFound, detail)
        })
    }

    /// A cluster that somebody sees. Of another nobody learns whether there is one.
    pub(super) fn find_for(&self, id: &ClusterId, reader: &Reader) -> Result<Source, No> {
        match self.view.find(id).filter(|source| source.is_seen(&reader.sight)) {
            Some(source) => Ok(source),
            None if reader.sight.fleet_role() >= FleetRole::Viewer => self.find(id),
            None => {
                let detail = format!(
                    "no access rule gives {} a cluster {id}; trunkline clusters list shows yours",
                    reader.who.user
                );
                Err(No::new(ProblemReason::NotFound, detail))
            }
        }
    }

    /// Says no where a cluster is not the registry's.
    pub(super) fn changeable(&self, id: &ClusterId) -> Result<(), No> {
        if id.is_management() {
            let detail = "the id management belongs to the management cluster; it is neither registered, changed, locked \
                          nor removed";
            return Err(No::new(ProblemReason::Reserved, detail));
        }
        if self.view.fleet.is_declared(id) {
            return Err(No::declared(id));
        }
        Ok(())
    }

    pub(super) fn told(&self, source: Source) -> Json<Cluster> {
        Json(self.view.cluster(&source, Timestamp::now()))
    }
}
