//! TLS towards a Kubernetes API server.

use std::sync::Arc;

use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use crate::crypto::{FRONT_VERSIONS, crypto_provider};
use crate::{TlsError, files};

const ROOTS: &str = "the API server's CA data";
const CERTIFICATE: &str = "the client certificate for the API server";
const KEY: &str = "the client key for the API server";

/// TLS towards an API server that stands under `roots_pem`, with a client certificate and key if it wants one.
///
/// Certificates in `roots_pem` need not be CAs: a kubeconfig may pin a self-signed one. Without roots this is an
/// error; there is no way to skip verification.
pub fn upstream_tls(
    roots_pem: Option<&[u8]>,
    client_certificate: Option<(&[u8], &[u8])>,
    alpn: &[&[u8]],
) -> Result<ClientConfig, TlsError> {
    let provider = crypto_provider();
    let roots = trusted(roots_pem.ok_or(TlsError::NoRoots)?)?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(FRONT_VERSIONS)
        .map_err(TlsError::Rustls)?
        .with_root_certificates(roots);
    let mut config = match client_certificate {
        Some((certificate, key)) => {
            let certified = files::certified((CERTIFICATE, certificate), (KEY, key), &provider)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn trusted(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    files::refuse_keys(ROOTS, pem)?;
    let mut store = RootCertStore::empty();
    for certificate in files::chain(ROOTS, pem)? {
        store.add(certificate).map_err(|_| TlsError::NotX509 { origin: ROOTS.to_owned() })?;
    }
    Ok(store)
}
