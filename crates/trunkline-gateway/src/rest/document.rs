//! The routes and the OpenAPI document of them. One table for both: what is served is in the document and the other
//! way round, which the tests hold.

use axum::routing::{MethodRouter, delete, get, post};
use bytes::Bytes;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi};
use utoipa::{Modify, OpenApi as _};

use super::{Shared, access, audit, auth, clusters, gateway, logs, pki, register, sessions, tickets};
use crate::authn::SESSION_COOKIE;

/// Every path that is served, and what serves it.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    vec![
        ("/trunkline/v1/status", get(gateway::status)),
        ("/trunkline/v1/openapi.json", get(gateway::document)),
        ("/trunkline/v1/clusters", get(clusters::list).post(register::register)),
        ("/trunkline/v1/clusters/{name}", get(clusters::show).patch(clusters::edit).delete(clusters::remove)),
        ("/trunkline/v1/clusters/{name}/join", post(register::join)),
        ("/trunkline/v1/clusters/{name}/lock", post(clusters::lock)),
        ("/trunkline/v1/clusters/{name}/unlock", post(clusters::unlock)),
        ("/trunkline/v1/clusters/{name}/rotate", post(clusters::rotate)),
        ("/trunkline/v1/clusters/{name}/confirm", post(clusters::confirm)),
        ("/trunkline/v1/clusters/{name}/status", get(clusters::status)),
        ("/trunkline/v1/clusters/{name}/tickets", post(tickets::give)),
        ("/trunkline/v1/clusters/{name}/joining", get(clusters::joining)),
        ("/trunkline/v1/clusters/{name}/history", get(clusters::history)),
        ("/trunkline/v1/access/rules", get(access::list)),
        ("/trunkline/v1/access/rules/{rule}", get(access::show).put(access::put).delete(access::remove)),
        ("/trunkline/v1/access/test", post(access::test)),
        ("/trunkline/v1/sessions", get(sessions::list)),
        ("/trunkline/v1/sessions/{session}/end", post(sessions::end)),
        ("/trunkline/v1/charts/{chart}", get(register::chart)),
        ("/trunkline/v1/audit", get(audit::query)),
        ("/trunkline/v1/audit/head", get(audit::head)),
        ("/trunkline/v1/audit/verify", post(audit::verify)),
        ("/trunkline/v1/audit/recordings", get(audit::recordings)),
        ("/trunkline/v1/audit/recordings/{request}", get(audit::recording)),
        ("/trunkline/v1/logs", get(logs::find)),
        ("/trunkline/v1/logs/tail", get(logs::tail)),
        ("/trunkline/v1/logs/histogram", get(logs::histogram)),
        ("/trunkline/v1/logs/top", get(logs::top)),
        ("/trunkline/v1/logs/status", get(logs::status)),
        ("/trunkline/v1/pki", get(pki::show)),
        ("/trunkline/v1/pki/rotate", post(pki::rotate)),
        ("/trunkline/v1/pki/finish", post(pki::finish)),
        ("/trunkline/v1/auth/methods", get(auth::methods)),
        ("/trunkline/v1/auth/login", get(auth::login)),
        ("/trunkline/v1/auth/callback", get(auth::callback)),
        ("/trunkline/v1/auth/local", post(auth::local)),
        ("/trunkline/v1/auth/setup", post(auth::setup)),
        ("/trunkline/v1/auth/session", get(auth::session)),
        ("/trunkline/v1/auth/logout", post(auth::logout)),
        ("/trunkline/v1/auth/users", get(auth::list_users).post(auth::add_user)),
        ("/trunkline/v1/auth/users/{name}", delete(auth::remove_user)),
    ]
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Trunkline",
        description = "The gateway's REST API: everything that the command line and the Manager do goes through it. Who \
                       asks is told by a bearer token, a session or the client certificate. Whom an access rule names sees \
                       the clusters that it is for; seeing all of the fleet is for members of trunkline:viewers, \
                       trunkline:operators and trunkline:admins, changing it and reading the audit log for members of \
                       trunkline:admins, and for whom a rule says so. What is no REST stands in docs/api.md: a cluster's own API \
                       under clusters/{name}/k8s, and the live socket at live."
    ),
    paths(
        gateway::status,
        gateway::document,
        clusters::list,
        register::register,
        register::join,
        register::chart,
        clusters::show,
        clusters::edit,
        clusters::remove,
        clusters::lock,
        clusters::unlock,
        clusters::rotate,
        clusters::confirm,
        clusters::status,
        tickets::give,
        clusters::joining,
        clusters::history,
        access::list,
        access::show,
        access::put,
        access::remove,
        access::test,
        sessions::list,
        sessions::end,
        audit::query,
        audit::head,
        audit::verify,
        audit::recordings,
        audit::recording,
        logs::find,
        logs::tail,
        logs::histogram,
        logs::top,
        logs::status,
        pki::show,
        pki::rotate,
        pki::finish,
        auth::methods,
        auth::login,
        auth::callback,
        auth::local,
        auth::setup,
        auth::session,
        auth::logout,
        auth::list_users,
        auth::add_user,
        auth::remove_user,
    ),
    modifiers(&Security),
    security(("clientCertificate" = []), ("bearer" = []), ("session" = [])),
)]
struct Document;

/// Says what is shown: a client certificate, a token, or a browser's session.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = SecurityScheme::MutualTls {
            description: Some(
                "A client certificate under the front root: CN is the user, O are the groups".into(),
            ),
            deprecated: None,
            extensions: None,
        };
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
        let components = document.components.take().unwrap_or_default();
        let components = ComponentsBuilder::from(components)
            .security_scheme("clientCertificate", scheme)
            .security_scheme("bearer", bearer)
            .security_scheme("session", session);
        document.components = Some(components.build());
    }
}

/// The document as JSON.
pub(super) fn json() -> Bytes {
    // A tree of strings, numbers and maps by string always serialises.
    Document::openapi().to_json().unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
