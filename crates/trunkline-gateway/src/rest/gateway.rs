//! What the gateway says of itself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use jiff::Timestamp;
use trunkline_api::{ClusterType, GatewayStatus, Problem};

use super::Shared;
use super::problem::No;
use super::read::{Asked, Nothing, Reader};

/// What a gateway knows of itself from its configuration.
#[derive(Debug)]
pub(crate) struct About {
    /// Where clients come in, as a URL.
    pub(crate) front: String,
    /// Clusters are also reached as `<id>.<suffix>`.
    pub(crate) host_suffix: Option<String>,
    /// Whether the front door shows a certificate of the gateway's own papers.
    pub(crate) own_front: bool,
    /// Where agents come in, `host:port`, and whether that was written by somebody or is what listens.
    pub(crate) tunnel: Vec<String>,
    pub(crate) tunnel_is_configured: bool,
    /// The names in the certificate that agents see when they join.
    pub(crate) tunnel_names: Vec<String>,
    /// Since when it runs.
    pub(crate) since: Timestamp,
}

/// Tells what this gateway is, and who asks.
#[utoipa::path(
    get,
    path = "/trunkline/v1/status",
    operation_id = "gatewayStatus",
    tag = "gateway",
    responses(
        (status = 200, description = "The gateway", body = GatewayStatus),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    reader: Reader,
    _: Asked<Nothing>,
) -> Json<GatewayStatus> {
    let (fleet, about) = (&shared.view.fleet, &shared.about);
    let clusters = fleet.len() as u64;
    let front_roots = fleet.papers.as_ref().filter(|_| about.own_front);
    Json(GatewayStatus {
        api_version: GatewayStatus::API_VERSION.into(),
        kind: GatewayStatus::KIND.into(),
        cluster_type: if clusters > 0 { ClusterType::Management } else { ClusterType::Standalone },
        version: env!("CARGO_PKG_VERSION").into(),
        user: reader.who.user.clone(),
        groups: reader.who.groups.clone(),
        front: about.front.clone(),
        host_suffix: about.host_suffix.clone(),
        front_roots: front_roots.map(|papers| papers.front_authority().certificate_pem()),
        tunnel: about.tunnel.clone(),
        pin: fleet.papers.as_ref().map(|papers| papers.pin().to_string()),
        management: shared.view.management.is_some(),
        clusters,
        connected: u64::try_from(shared.metrics.clusters_connected.get()).unwrap_or_default(),
    })
}

/// Gives this document.
#[utoipa::path(
    get,
    path = "/trunkline/v1/openapi.json",
    operation_id = "openapi",
    tag = "gateway",
    responses(
        (status = 200, description = "The OpenAPI document", content_type = "application/json"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn document(
    State(shared): State<Shared>,
    _: Reader,
    _: Asked<Nothing>,
) -> Result<Response, No> {
    Ok(([(header::CONTENT_TYPE, "application/json")], shared.document).into_response())
}
