//! The routes and the OpenAPI document of them. One table for both: what is served is in the document and the other
//! way round, which the tests hold.

use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ComponentsBuilder, OpenApi};
use utoipa::{Modify, OpenApi as _};

use super::{Shared, access, clusters, gateway, pki, register, sessions};

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
        ("/trunkline/v1/clusters/{name}/confirm", post(clusters::confirm)),
        ("/trunkline/v1/clusters/{name}/status", get(clusters::status)),
        ("/trunkline/v1/access/rules", get(access::list)),
        ("/trunkline/v1/access/rules/{rule}", get(access::show).put(access::put).delete(access::remove)),
        ("/trunkline/v1/access/test", post(access::test)),
        ("/trunkline/v1/sessions", get(sessions::list)),
        ("/trunkline/v1/sessions/{session}/end", post(sessions::end)),
        ("/trunkline/v1/charts/{chart}", get(register::chart)),
        ("/trunkline/v1/pki", get(pki::show)),
        ("/trunkline/v1/pki/rotate", post(pki::rotate)),
        ("/trunkline/v1/pki/finish", post(pki::finish)),
    ]
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Trunkline",
        description = "The gateway's REST API: everything that the command line and the Manager do goes through it. Who \
                       asks is told by the client certificate. Whom an access rule names sees the clusters that it is \
                       for; seeing all of the fleet and changing it is for members of trunkline:viewers, \
                       trunkline:operators and trunkline:admins, and for whom a rule says so."
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
        clusters::confirm,
        clusters::status,
        access::list,
        access::show,
        access::put,
        access::remove,
        access::test,
        sessions::list,
        sessions::end,
        pki::show,
        pki::rotate,
        pki::finish,
    ),
    modifiers(&Security),
    security(("clientCertificate" = [])),
)]
struct Document;

/// Says that a client certificate is shown.
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
        let components = document.components.take().unwrap_or_default();
        let components = ComponentsBuilder::from(components).security_scheme("clientCertificate", scheme);
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
