//! The demo's kubeconfig: one context per cluster, addressed by path.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trunkline_pki::Issued;
use trunkline_proto::ClusterId;

/// The file's text. It is JSON, which is YAML.
pub(crate) fn text<'a>(
    front: SocketAddr,
    front_root_pem: &str,
    client: &Issued,
    clusters: impl Iterator<Item = &'a ClusterId> + Clone,
) -> String {
    let ca = STANDARD.encode(front_root_pem);
    let entries: Vec<_> = clusters
        .clone()
        .map(|id| {
            serde_json::json!({"name": id.as_str(), "cluster": {
                "server": format!("https://{front}/clusters/{id}"),
                "certificate-authority-data": ca,
            }})
        })
        .collect();
    let contexts: Vec<_> = clusters
        .map(|id| {
            serde_json::json!({"name": id.as_str(), "context": {"cluster": id.as_str(), "user": super::USER}})
        })
        .collect();
    let current = contexts.last().map(|context| context["name"].clone()).unwrap_or_default();
    let file = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": entries,
        "contexts": contexts,
        "current-context": current,
        "users": [{"name": super::USER, "user": {
            "client-certificate-data": STANDARD.encode(&client.certificate_pem),
            "client-key-data": STANDARD.encode(client.key_pem.as_bytes()),
        }}],
    });
    format!("{file:#}\n")
}
