//! Local users sign in, and the first one is made.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tracing::{info, warn};
use trunkline_api::{LocalSignIn, Problem, SetUp, SignedIn};

use super::{denied, given, no_local_users};
use crate::authn::{Denied, How, LocalError, LocalUser};
use crate::rest::Shared;
use crate::rest::problem::No;
use crate::rest::read::{Asked, Nothing, Sent};

/// Signs a local user in.
#[utoipa::path(
    post,
    path = "/trunkline/v1/auth/local",
    operation_id = "signInLocally",
    tag = "sign-in",
    request_body = LocalSignIn,
    responses(
        (status = 200, description = "Signed in: by cookie, or with the token that was asked for", body = SignedIn),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn local(
    State(shared): State<Shared>,
    _: Asked<Nothing>,
    Sent(asked): Sent<LocalSignIn>,
) -> Result<Response, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    match users.enter(&asked.user, &asked.password.0).await {
        Ok(user) => signed_in(&shared, user, asked.token, StatusCode::OK),
        Err(no) => {
            let user: String = asked.user.chars().filter(|c| !c.is_control()).take(64).collect();
            warn!(target: "audit", user, "a local sign-in was refused: {no}");
            Err(denied(&shared, no))
        }
    }
}

/// Makes the first local user, an admin, for whoever has the first-run code.
#[utoipa::path(
    post,
    path = "/trunkline/v1/auth/setup",
    operation_id = "setUp",
    tag = "sign-in",
    request_body = SetUp,
    responses(
        (status = 201, description = "Made and signed in", body = SignedIn),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many attempts", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn setup(
    State(shared): State<Shared>,
    _: Asked<Nothing>,
    Sent(asked): Sent<SetUp>,
) -> Result<Response, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    match users.set_up(&asked.code.0, &asked.user, &asked.password.0).await {
        Ok(user) => {
            info!(target: "audit", user = user.name, "the first local admin was made");
            signed_in(&shared, user, asked.token, StatusCode::CREATED)
        }
        Err(LocalError::Denied(no)) => {
            warn!(target: "audit", "a setup was refused: {no}");
            Err(denied(&shared, no))
        }
        Err(error) => Err(error.into()),
    }
}

fn signed_in(shared: &Shared, user: LocalUser, token: bool, status: StatusCode) -> Result<Response, No> {
    let how = if token { How::Local } else { How::Web };
    let begun = shared.authn.sessions().begin(user.name, user.groups, how);
    let begun = begun.map_err(|error| denied(shared, Denied::Unavailable(error.to_string())))?;
    info!(target: "audit", user = begun.principal.user, session = %begun.principal.session, "signed in locally");
    Ok(given(&begun, token, status))
}
