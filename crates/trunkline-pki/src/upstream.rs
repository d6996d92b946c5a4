//! TLS towards servers that are nobody's of the fleet: Kubernetes API servers, log stores, intakes.

use std::path::Path;
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
    let roots = trusted(ROOTS, roots_pem.ok_or(TlsError::NoRoots)?)?;
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

/// TLS towards a server that stands under the certificates of this file, CAs or its own, or under the public roots.
///
/// # Errors
/// When the file cannot be read, or holds anything else.
pub fn web_tls(roots: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let roots = match roots {
        Some(file) => trusted(&file.display().to_string(), &files::read(file)?)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(FRONT_VERSIONS)
        .map_err(TlsError::Rustls)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Certificates need not be CAs.
fn trusted(origin: &str, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    files::refuse_keys(origin, pem)?;
    let mut store = RootCertStore::empty();
    for certificate in files::chain(origin, pem)? {
        store.add(certificate).map_err(|_| TlsError::NotX509 { origin: origin.to_owned() })?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use rustls::server::WebPkiClientVerifier;
    use rustls::{CertificateError, Error, NamedGroup, ServerConfig};

    use super::*;
    use crate::handshake::{Outcome, shake};
    use crate::{Authority, ClientIdentity, Validity};

    fn root() -> Authority {
        Authority::new("kubernetes", Validity::days(1)).unwrap()
    }

    /// An API server under this root, which demands a client certificate.
    fn dialled(root: &Authority, client: ClientConfig) -> Outcome {
        let door = root.front_server(&["localhost"], Validity::days(1)).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(root.certificate_der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), crypto_provider());
        let mut server = ServerConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(FRONT_VERSIONS)
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![door.certificate_der.clone()], door.key_der.clone_key())
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        shake(Arc::new(client), Arc::new(server))
    }

    #[test]
    fn an_api_server_is_dialled_with_the_clients_certificate() {
        let root = root();
        let agent = root.client("system:agent", &["a", "b"], Validity::days(1)).unwrap();
        let shown = (agent.certificate_pem.as_bytes(), agent.key_pem.as_bytes());
        let ca = root.certificate_pem();
        let client = upstream_tls(Some(ca.as_bytes()), Some(shown), &[b"http/1.1"]).unwrap();
        let outcome = dialled(&root, client);
        assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
        let known = ClientIdentity::from_certificate(&outcome.shown_to_door().unwrap()).unwrap();
        assert_eq!(known.user, "system:agent");
        assert_eq!(outcome.client.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let group = outcome.client.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn an_api_server_under_another_root_is_not_talked_to() {
        let other = Authority::new("other", Validity::days(1)).unwrap().certificate_pem();
        let client = upstream_tls(Some(other.as_bytes()), None, &[]).unwrap();
        let outcome = dialled(&root(), client);
        assert_eq!(outcome.client_error, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    }

    #[test]
    fn verification_is_never_skipped() {
        let refused = upstream_tls(None, None, &[]).unwrap_err();
        assert!(refused.to_string().contains("give its CA certificate"), "{refused}");
        assert!(matches!(upstream_tls(Some(b""), None, &[]), Err(TlsError::NoCertificate { .. })));
    }

    #[test]
    fn a_mistake_in_the_client_certificate_is_named() {
        let root = root();
        let (one, other) =
            (root.client("a", &["g"], Validity::days(1)), root.client("b", &["g"], Validity::days(1)));
        let (one, other) = (one.unwrap(), other.unwrap());
        let ca = root.certificate_pem();
        let mixed = (one.certificate_pem.as_bytes(), other.key_pem.as_bytes());
        let refused = upstream_tls(Some(ca.as_bytes()), Some(mixed), &[]).unwrap_err();
        assert!(refused.to_string().contains("client key for the API server"), "{refused}");
        let keyed = format!("{ca}{}", *one.key_pem);
        let refused = upstream_tls(Some(keyed.as_bytes()), None, &[]);
        assert!(matches!(refused, Err(TlsError::KeyAmongRoots { .. })));
    }
}
