//! The routes and the OpenAPI document of them. One table for both: what is served is in the document and the other
//! way round, which the tests hold.

use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ComponentsBuilder, OpenApi};
use utoipa::{Modify, OpenApi as _};

use super::{Shared, audit, clusters, gateway, pki, register};

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
        ("/trunkline/v1/clusters/{name}/status", get(clusters::status)),
        ("/trunkline/v1/charts/{chart}", get(register::chart)),
        ("/trunkline/v1/audit", get(audit::query)),
        ("/trunkline/v1/audit/head", get(audit::head)),
        ("/trunkline/v1/audit/verify", post(audit::verify)),
        ("/trunkline/v1/audit/recordings", get(audit::recordings)),
        ("/trunkline/v1/audit/recordings/{request}", get(audit::recording)),
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
                       asks is told by the client certificate; members of trunkline:viewers, trunkline:operators and \
                       trunkline:admins may read, members of trunkline:admins may change, and read the audit log."
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
        clusters::status,
        audit::query,
        audit::head,
        audit::verify,
        audit::recordings,
        audit::recording,
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
