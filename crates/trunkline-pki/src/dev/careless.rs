//! A link without the checks of [`LinkTls`](crate::LinkTls) on its own certificate.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, Error, RootCertStore};
use rustls_pki_types::CertificateDer;

use crate::Issued;
use crate::crypto::{TUNNEL_VERSIONS, crypto_provider};

/// A link's configuration that shows any certificate, or none.
pub(super) fn link(
    root: &CertificateDer<'static>,
    shown: Option<&Issued>,
) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone())?;
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(TUNNEL_VERSIONS)?
        .with_root_certificates(roots);
    let mut config = match shown {
        Some(issued) => {
            builder.with_client_auth_cert(vec![issued.certificate_der.clone()], issued.key_der.clone_key())?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![trunkline_proto::ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
