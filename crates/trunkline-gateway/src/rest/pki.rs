//! The roots: how far a rotation has come, beginning one, finishing it without those who are not there.

use axum::Json;
use axum::extract::State;
use trunkline_api::{Problem, RotationStatus};

use super::Shared;
use super::problem::No;
use super::read::{Admin, Asked, MaySend, Nothing, Viewer};

/// Tells which roots agents are certified by, and how far a rotation has come.
#[utoipa::path(
    get,
    path = "/trunkline/v1/pki",
    operation_id = "showRoots",
    tag = "pki",
    responses(
        (status = 200, description = "The roots and how far each cluster is", body = RotationStatus),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    _: Viewer,
    _: Asked<Nothing>,
) -> Result<Json<RotationStatus>, No> {
    Ok(Json(shared.view.fleet.rotation_status()?))
}

/// Makes a new root and moves all agents to it. Only tells, when that is under way.
#[utoipa::path(
    post,
    path = "/trunkline/v1/pki/rotate",
    operation_id = "rotateRoot",
    tag = "pki",
    responses(
        (status = 200, description = "The roots and how far each cluster is", body = RotationStatus),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn rotate(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
    _: MaySend<Nothing>,
) -> Result<Json<RotationStatus>, No> {
    let order = async { shared.view.fleet.begin_rotation(&admin.who.user) };
    Ok(Json(shared.audit.change(&admin, "rotate", None, order).await?))
}

/// Drops the old root, although agents may still stand under it: they must join anew.
#[utoipa::path(
    post,
    path = "/trunkline/v1/pki/finish",
    operation_id = "finishRotation",
    tag = "pki",
    responses(
        (status = 200, description = "The roots", body = RotationStatus),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn finish(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
    _: MaySend<Nothing>,
) -> Result<Json<RotationStatus>, No> {
    let order = async { shared.view.fleet.finish_rotation(&admin.who.user) };
    Ok(Json(shared.audit.change(&admin, "finishRotation", None, order).await?))
}
