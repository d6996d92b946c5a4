//! The demo's clusters: samples served by this process, or contexts of a kubeconfig.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rand::Rng as _;
use trunkline_pki::dev::DevPki;
use trunkline_pki::{Validity, crypto_provider};
use trunkline_proto::ClusterId;
use trunkline_runtime::Tasks;
use trunkline_sample::SampleCluster;
use trunkline_upstream::UpstreamConfig;

use super::folder::Folder;
use super::{SampleTls, upstream_with_token};

/// A namespace and a workload that the sample cluster alpha has.
pub(crate) const A_NAMESPACE: &str = "shop";
pub(crate) const A_WORKLOAD: &str = "deploy/cart";

/// A cluster of the demo.
pub(crate) struct DemoCluster {
    pub(crate) id: ClusterId,
    /// What it is, for people.
    pub(crate) what: String,
    pub(crate) upstream: UpstreamConfig,
}

/// TLS settings for the sample clusters, under a root of their own.
pub(crate) fn sample_tls(pki: &DevPki, folder: &Folder) -> anyhow::Result<SampleTls> {
    folder.root("sample-ca.pem", &pki.stranger)?;
    let issued = pki.stranger.front_server(&["localhost", "127.0.0.1"], Validity::days(7))?;
    let mut config = rustls::ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![issued.certificate_der.clone()], issued.key_der.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A sample cluster at work.
pub(crate) async fn sample(
    name: &str,
    folder: &Folder,
    tls: SampleTls,
    tasks: &Tasks,
) -> anyhow::Result<DemoCluster> {
    let token = format!("{:032x}", rand::rng().random::<u128>());
    let pki = folder.subfolder("pki")?;
    let token_file = folder.write(&format!("pki/{name}.token"), token.as_bytes())?;
    let bound = SampleCluster::new(name, &token).bind(([127, 0, 0, 1], 0).into(), Some(tls)).await?;
    let server = format!("https://{}", bound.address());
    bound.serve(tasks);
    Ok(DemoCluster {
        id: name.parse()?,
        what: "a sample cluster, served by this process".into(),
        upstream: upstream_with_token(server, pki.join("sample-ca.pem"), token_file),
    })
}

/// The clusters of contexts of a kubeconfig.
pub(crate) fn of_contexts(contexts: &[String], kubeconfig: &Path) -> anyhow::Result<Vec<DemoCluster>> {
    let mut clusters: Vec<DemoCluster> = Vec::new();
    for context in contexts {
        let id = id_of(context)?;
        if clusters.iter().any(|cluster| cluster.id == id) {
            bail!("two contexts would both be called {id}");
        }
        let upstream = UpstreamConfig {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: Some(context.clone()),
            ..UpstreamConfig::default()
        };
        upstream.check().with_context(|| format!("context {context:?}"))?;
        clusters.push(DemoCluster { id, what: format!("context {context}"), upstream });
    }
    Ok(clusters)
}

/// A cluster id made of a context's name: what an id cannot hold becomes a hyphen.
fn id_of(context: &str) -> anyhow::Result<ClusterId> {
    let plain: String = context
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(63)
        .collect();
    let id: ClusterId = plain
        .trim_matches('-')
        .parse()
        .with_context(|| format!("no cluster id can be made of the context {context:?}"))?;
    if id.is_management() {
        bail!("the id management belongs to the management cluster; rename the context {context:?}");
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contexts_name_becomes_an_id() {
        assert_eq!(id_of("kind-dev").unwrap().as_str(), "kind-dev");
        assert_eq!(id_of("arn:aws:eks:eu/Prod").unwrap().as_str(), "arn-aws-eks-eu-prod");
        assert!(id_of("///").is_err());
        assert!(id_of("Management").is_err());
    }
}
