//! The local users, for admins.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use trunkline_api::{LocalUser, LocalUserList, NewLocalUser, Problem, ProblemReason};
use trunkline_runtime::chain;

use super::no_local_users;
use crate::authn::{self, LocalError};
use crate::rest::Shared;
use crate::rest::problem::No;
use crate::rest::read::{Admin, Asked, Nothing, Sent, Word};

/// Lists the local users.
#[utoipa::path(
    get,
    path = "/trunkline/v1/auth/users",
    operation_id = "listLocalUsers",
    tag = "sign-in",
    responses(
        (status = 200, description = "All of them", body = LocalUserList),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn list(
    State(shared): State<Shared>,
    _: Admin,
    _: Asked<Nothing>,
) -> Result<Json<LocalUserList>, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?.users().await;
    Ok(Json(LocalUserList { items: users.into_iter().map(shown).collect() }))
}

/// Makes a local user.
#[utoipa::path(
    post,
    path = "/trunkline/v1/auth/users",
    operation_id = "addLocalUser",
    tag = "sign-in",
    request_body = NewLocalUser,
    responses(
        (status = 201, description = "Made", body = LocalUser),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn add(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
    Sent(new): Sent<NewLocalUser>,
) -> Result<(StatusCode, Json<LocalUser>), No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    let change = admin.changes("addLocalUser", &new.name);
    let made = shared.audit.record(change, users.add(&new.name, &new.groups, &new.password.0)).await?;
    Ok((StatusCode::CREATED, Json(shown(made))))
}

/// Removes a local user, and ends that user's sessions.
#[utoipa::path(
    delete,
    path = "/trunkline/v1/auth/users/{name}",
    operation_id = "removeLocalUser",
    tag = "sign-in",
    params(("name" = String, Path, description = "The user")),
    responses(
        (status = 204, description = "Removed"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn remove(
    State(shared): State<Shared>,
    admin: Admin,
    Word(name): Word,
    _: Asked<Nothing>,
) -> Result<StatusCode, No> {
    let users = shared.authn.local().ok_or_else(no_local_users)?;
    shared.audit.record(admin.changes("removeLocalUser", &name), users.remove(&name)).await?;
    shared.authn.sessions().end_all_of(&name);
    // What those sessions have under way is cut.
    shared.end_local_sessions(&name, admin.request, &admin.who.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(user: authn::LocalUser) -> LocalUser {
    LocalUser { name: user.name, groups: user.groups, created: user.created }
}

impl From<LocalError> for No {
    fn from(error: LocalError) -> Self {
        let reason = match &error {
            LocalError::Denied(authn::Denied::Refused(_)) => ProblemReason::Unauthorized,
            LocalError::Denied(authn::Denied::Unavailable(_)) => ProblemReason::Unavailable,
            LocalError::Invalid(_) => ProblemReason::Invalid,
            LocalError::Exists(_) => ProblemReason::Exists,
            LocalError::NotFound(_) => ProblemReason::NotFound,
            LocalError::Full | LocalError::LastAdmin(_) => ProblemReason::Conflict,
            LocalError::Io(_) => ProblemReason::Internal,
        };
        Self::new(reason, chain(&error))
    }
}
