//! The cryptography that every TLS configuration of ours uses, in order of preference.

use std::sync::{Arc, LazyLock};

use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// AES-128-GCM first: it is the cheapest per byte on every machine with AES instructions.
static CIPHER_SUITES: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    Arc::new(CryptoProvider {
        cipher_suites: CIPHER_SUITES.to_vec(),
        kx_groups: key_exchange_groups(),
        ..default_provider()
    })
});

/// The versions of the tunnel: both ends are ours, so there is no older one to meet.
pub(crate) static TUNNEL_VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// The versions at the front door and towards API servers.
pub(crate) static FRONT_VERSIONS: &[&SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The cryptography of every TLS configuration of ours: aws-lc-rs, hybrid post-quantum key exchange first.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}

/// X25519MLKEM768 first, so that recorded traffic stays secret from a later quantum computer.
fn key_exchange_groups() -> Vec<&'static dyn SupportedKxGroup> {
    vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1]
}

#[cfg(test)]
mod tests {
    use rustls::{NamedGroup, ProtocolVersion};

    use super::*;

    #[test]
    fn aes_128_comes_first_in_both_versions() {
        let first = |version| {
            let provider = crypto_provider();
            let suite = provider.cipher_suites.iter().find(|suite| suite.version().version == version);
            suite.unwrap().suite()
        };
        assert_eq!(first(ProtocolVersion::TLSv1_3), rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let tls12 = rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        assert_eq!(first(ProtocolVersion::TLSv1_2), tls12);
    }

    #[test]
    fn the_hybrid_key_exchange_comes_first() {
        assert_eq!(crypto_provider().kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    }
}
