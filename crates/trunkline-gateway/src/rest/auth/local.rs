//! Local users sign in, and the first one is made.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use trunkline_api::{LocalSignIn, Problem, SetUp, SignedIn};
use trunkline_proto::RequestId;

use super::{denied, given, no_local_users};
use crate::authn::{Denied, How, LocalError, LocalUser};
use crate::rest::Shared;
use crate::rest::problem::No;
use crate::rest::read::{Asked, Knock, Nothing, Sent};

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
    Knock(request): Knock,
    _: Asked<Nothing>,
    Sent(asked): Sent<LocalSignIn>,
) -> Result<Response, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    match users.enter(&asked.user, &asked.password.0).await {
        Ok(user) => signed_in(&shared, request, user, asked.token, StatusCode::OK),
        Err(no) => {
            let user: String = asked.user.chars().filter(|c| !c.is_control()).take(64).collect();
            shared.audited.sign_in(request, &user, "local", Err(&no.to_string()));
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
    Knock(request): Knock,
    _: Asked<Nothing>,
    Sent(asked): Sent<SetUp>,
) -> Result<Response, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    match users.set_up(&asked.code.0, &asked.user, &asked.password.0).await {
        Ok(user) => {
            shared.audited.sign_in(request, &user.name, "setup", Ok(""));
            signed_in(&shared, request, user, asked.token, StatusCode::CREATED)
        }
        Err(LocalError::Denied(no)) => {
            shared.audited.sign_in(request, "", "setup", Err(&no.to_string()));
            Err(denied(&shared, no))
        }
        Err(error) => Err(error.into()),
    }
}

fn signed_in(
    shared: &Shared,
    request: RequestId,
    user: LocalUser,
    token: bool,
    status: StatusCode,
) -> Result<Response, No> {
    let how = if token { How::Local } else { How::Web };
    let begun = shared.authn.sessions().begin(user.name, user.groups, how);
    let begun = begun.map_err(|error| denied(shared, Denied::Unavailable(error.to_string())))?;
    shared.audited.sign_in(request, &begun.principal.user, "local", Ok(begun.principal.session.as_str()));
    Ok(given(&begun, token, status))
}
