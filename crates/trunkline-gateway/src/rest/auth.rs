//! Signing in: which ways there are, the ways by browser and by password, and who is signed in.
//!
//! Invariants:
//! - what is [open](is_open) is there for strangers, and only that; it changes nothing but by a code, a password or an
//!   issuer's word;
//! - a secret stands in the one answer that gives it: a cookie, or a token that was asked for.

mod browser;
mod local;
mod users;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use trunkline_api::{BASE, Hidden, Problem, ProblemReason, SignInIssuer, SignInMethods, SignedIn};

use super::Shared;
use super::problem::No;
use super::read::{Asked, MaySend, Nothing, Somebody};
use crate::authn::{Denied, Given, How, Principal, SESSION_COOKIE, cookie};
use crate::standing::timestamp;

pub(super) use browser::{__path_callback, __path_login, callback, login};
pub(super) use local::{__path_local, __path_setup, local, setup};
pub(super) use users::{
    __path_add as __path_add_user, __path_list as __path_list_users, __path_remove as __path_remove_user,
    add as add_user, list as list_users, remove as remove_user,
};

/// The longest body that is read of a stranger, in bytes.
pub(super) const MAX_STRANGE_BODY: usize = 8 * 1024;

/// Whether a path is for strangers, who come to sign in.
pub(crate) fn is_open(path: &str) -> bool {
    let route = path.strip_prefix(BASE).and_then(|path| path.strip_prefix("/auth/"));
    matches!(route, Some("methods" | "login" | "callback" | "local" | "setup"))
}

/// Tells which ways there are to sign in.
#[utoipa::path(
    get,
    path = "/trunkline/v1/auth/methods",
    operation_id = "showSignInMethods",
    tag = "sign-in",
    responses(
        (status = 200, description = "Which ways there are; for everybody", body = SignInMethods),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn methods(State(shared): State<Shared>, _: Asked<Nothing>) -> Json<SignInMethods> {
    let authn = &shared.authn;
    let issuers = authn.issuers().all().iter().map(|issuer| {
        let config = issuer.config();
        SignInIssuer {
            name: config.name.clone(),
            url: config.url.clone(),
            client_id: config.cli_client_id().to_owned(),
            scopes: config.scopes.clone(),
            roots: issuer.roots().map(str::to_owned),
        }
    });
    Json(SignInMethods {
        issuers: issuers.collect(),
        local: authn.local().is_some(),
        setup: match authn.local() {
            Some(local) => local.waits_for_setup().await,
            None => false,
        },
        service_accounts: authn.takes_service_accounts(),
    })
}

/// Tells who is signed in, and what a browser needs to change anything.
#[utoipa::path(
    get,
    path = "/trunkline/v1/auth/session",
    operation_id = "showSignIn",
    tag = "sign-in",
    responses(
        (status = 200, description = "Who is signed in", body = SignedIn),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn session(
    State(shared): State<Shared>,
    Somebody { who, .. }: Somebody,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Json<SignedIn> {
    let secret = cookie(&headers, SESSION_COOKIE).flatten();
    let known = secret.and_then(|secret| shared.authn.sessions().of_cookie(&secret).ok());
    let csrf =
        known.filter(|known| known.principal.session == who.session).map(|known| known.csrf.to_string());
    Json(SignedIn { csrf, ..shown(&who) })
}

/// Ends a sign-in: a browser's session, a local user's, or that of the token that is shown.
#[utoipa::path(
    post,
    path = "/trunkline/v1/auth/logout",
    operation_id = "signOut",
    tag = "sign-in",
    responses(
        (status = 204, description = "Ended"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn logout(
    State(shared): State<Shared>,
    Somebody { who, request }: Somebody,
    _: Asked<Nothing>,
    headers: HeaderMap,
    _: MaySend<Nothing>,
) -> Result<Response, No> {
    if who.how == How::Certificate {
        let detail = "a certificate is not signed out: put its serial into front.revoked, or take it away";
        return Err(No::new(ProblemReason::Conflict, detail));
    }
    shared.end_session(&who, request, &who.user, "signed out".into()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if cookie(&headers, SESSION_COOKIE).flatten().is_some() {
        set_cookie(&mut response, &format!("{SESSION_COOKIE}=; {ATTRIBUTES}; Max-Age=0"));
    }
    Ok(response)
}

/// What every cookie of ours is: for this host alone, over TLS alone, and not for scripts.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

fn shown(who: &Principal) -> SignedIn {
    SignedIn {
        user: who.user.clone(),
        groups: who.groups.clone(),
        how: who.how.to_string(),
        session: who.session.to_string(),
        expires: who.expires.and_then(timestamp),
        csrf: None,
        token: None,
    }
}

/// The answer to a sign-in: a cookie for a browser, or the token in the body.
fn given(given: &Given, token: bool, status: StatusCode) -> Response {
    let mut signed_in = shown(&given.principal);
    if token {
        signed_in.token = Some(Hidden(given.secret.to_string()));
        return (status, Json(signed_in)).into_response();
    }
    signed_in.csrf = Some(given.csrf.to_string());
    let mut response = (status, Json(signed_in)).into_response();
    set_session(&mut response, given);
    response
}

fn set_session(response: &mut Response, given: &Given) {
    set_cookie(response, &format!("{SESSION_COOKIE}={}; {ATTRIBUTES}", &*given.secret));
}

fn set_cookie(response: &mut Response, cookie: &str) {
    // Of our own characters only; were it not, nobody would be signed in.
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Somebody is not let in.
fn denied(shared: &Shared, denied: Denied) -> No {
    No::from(&shared.authn.refusal(denied))
}

/// There are no local users here.
fn no_local_users() -> No {
    No::new(
        ProblemReason::NotFound,
        "this gateway has no local users; see authn.local_users in docs/sign-in.md",
    )
}
