//! Signing in by browser: off to the issuer, and back with a session.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use trunkline_api::Problem;

use super::{denied, set_cookie, set_session};
use crate::authn::{Denied, LOGIN_COOKIE, LOGIN_LASTS, Returned, SESSION_COOKIE, Why, cookie};
use crate::rest::Shared;
use crate::rest::problem::No;
use crate::rest::read::{Asked, Knock};

/// The issuer's answer comes from another site: a `Strict` cookie would not be sent with it.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Where to sign in, and where to come out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::rest) struct Begin {
    issuer: Option<String>,
    r#return: Option<String>,
}

/// Sends a browser to an issuer.
#[utoipa::path(
    get,
    path = "/trunkline/v1/auth/login",
    operation_id = "beginSignIn",
    tag = "sign-in",
    params(
        ("issuer" = Option<String>, Query, description = "The issuer's name; the only one by default"),
        ("return" = Option<String>, Query, description = "A page under /ui/ to come out at"),
    ),
    responses(
        (status = 302, description = "Off to the issuer"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer is away", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn login(
    State(shared): State<Shared>,
    Asked(begin): Asked<Begin>,
) -> Result<Response, No> {
    let begun = shared.authn.begin(begin.issuer.as_deref(), begin.r#return.as_deref()).await;
    let begun = begun.map_err(|no| match no {
        Denied::Refused(why @ (Why::Issuer(_) | Why::Malformed(_))) => No::invalid(why.to_string()),
        no => denied(&shared, no),
    })?;
    let mut response = redirect(StatusCode::FOUND, &begun.location)?;
    let seconds = LOGIN_LASTS.as_secs();
    set_cookie(&mut response, &format!("{LOGIN_COOKIE}={}; {ATTRIBUTES}; Max-Age={seconds}", begun.cookie));
    Ok(response)
}

/// Takes a browser back from an issuer, and begins its session.
#[utoipa::path(
    get,
    path = "/trunkline/v1/auth/callback",
    operation_id = "finishSignIn",
    tag = "sign-in",
    params(
        ("code" = Option<String>, Query, description = "What the issuer gave the browser"),
        ("state" = Option<String>, Query, description = "What the browser was sent there with"),
    ),
    responses(
        (status = 303, description = "Signed in; on to the page"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The issuer is away", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn callback(
    State(shared): State<Shared>,
    Knock(request): Knock,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, No> {
    let query = query.unwrap_or_default();
    let once = |name: &str| once(&query, name);
    let kept = cookie(&headers, LOGIN_COOKIE).flatten().ok_or_else(|| denied(&shared, Why::State.into()))?;
    let state = once("state")?.ok_or_else(|| denied(&shared, Why::State.into()))?;
    if let Some(error) = once("error")? {
        let plain: String = error.chars().filter(|c| c.is_ascii_graphic()).take(100).collect();
        return Err(No::invalid(format!("the issuer did not sign you in: {plain}; begin again")));
    }
    let code = once("code")?.ok_or_else(|| No::invalid("the issuer sent no code; begin again"))?;
    let issuer = once("iss")?;
    let returned = Returned { cookie: &kept, state: &state, code: &code, issuer: issuer.as_deref() };
    let (given, page) = shared.authn.finish(&returned).await.map_err(|no| denied(&shared, no))?;
    // Whoever had a session in this browser before has another now.
    if let Some(before) = cookie(&headers, SESSION_COOKIE).flatten() {
        shared.authn.sessions().end(&before);
    }
    let who = &given.principal;
    shared.audited.sign_in(request, &who.user, "web", Ok(who.session.as_str()));
    let mut response = redirect(StatusCode::SEE_OTHER, &page)?;
    set_session(&mut response, &given);
    set_cookie(&mut response, &format!("{LOGIN_COOKIE}=; {ATTRIBUTES}; Max-Age=0"));
    Ok(response)
}

fn redirect(status: StatusCode, location: &str) -> Result<Response, No> {
    let location = HeaderValue::try_from(location);
    let location = location.map_err(|_| No::invalid("the issuer's page has no address that can be given"))?;
    let mut response = status.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    // What came with the browser stands in its address: no page after this is to hear of it.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// A part of the query that may stand there once.
fn once(query: &str, name: &str) -> Result<Option<String>, No> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(No::invalid(format!("{name} stands twice in the query"))),
        (found, None) | (found @ None, Some(_)) => Ok(found.map(|(_, value)| value.into_owned())),
    }
}
