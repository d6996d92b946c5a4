//! The TLS of an agent's end of a link.
//!
//! It follows files, or it holds in memory what was issued to who enrolled, for whom a renewed certificate is
//! another one of these. Either way whoever dials takes
//! [`current`](LinkTls::current) for each handshake; established links keep what they were made with.
//!
//! Invariants:
//! - certificate, key, roots and identity change together or not at all; what is refused leaves the last good ones;
//! - TLS 1.3, no resumption, and no root is trusted but those given.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::client::Resumption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use crate::crypto::{TUNNEL_VERSIONS, crypto_provider};
use crate::files::{self, CertifiedFiles, Warning};
use crate::follow::{Follow, Source};
use crate::{AgentIdentity, SlotKey, TlsError};

mod verifier;

use verifier::GatewayVerifier;

/// What a certificate is called in errors when it is from no file.
const CERTIFICATE: &str = "the certificate the agent was given";

/// What an agent's end of a link is made of when it follows files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// The agent's own certificate and key.
    pub files: CertifiedFiles,
    /// PEM: the tunnel roots, under which the gateway's tunnel door must stand. Nothing else is trusted.
    pub roots: PathBuf,
}

/// TLS of an agent's end of a link: TLS 1.3, its own certificate, and only the tunnel roots trusted.
pub struct LinkTls(Made);

enum Made {
    OfFiles(Follow<Link>),
    InMemory(ArcSwap<Link>),
}

/// What an agent dials with, and as whom.
#[derive(Clone)]
struct Link {
    config: Arc<ClientConfig>,
    identity: AgentIdentity,
    certified: Arc<CertifiedKey>,
}

impl LinkTls {
    /// Follows files; an error names the file and the cure.
    pub fn new(settings: LinkSettings) -> Result<Self, TlsError> {
        let source = Source { files: Some(settings.files), roots: Some(settings.roots), papers: None };
        let follow = Follow::new(source, |material| {
            Link::new(&material.origin, material.certified.clone(), material.roots.clone())
        })?;
        Ok(Self(Made::OfFiles(follow)))
    }

    /// Holds a certificate that was issued for `key`, and trusts these roots, each as PEM.
    ///
    /// # Errors
    /// When the certificate is not an agent's, has ended, or is not of this key, or when the roots are not CA certificates.
    pub fn issued(certificate_pem: &str, key: &SlotKey, roots_pem: &str) -> Result<Self, TlsError> {
        let link = Link::issued(certificate_pem, key, roots_pem)?;
        Ok(Self(Made::InMemory(ArcSwap::from_pointee(link))))
    }

    /// Trusts these roots (PEM) in place of those before.
    ///
    /// # Errors
    /// When they are not CA certificates, and when the link follows files; the ones before stay in use.
    pub fn trust(&self, roots_pem: &str) -> Result<(), TlsError> {
        let (Made::InMemory(held), roots) = (&self.0, roots(roots_pem)?) else {
            return Err(TlsError::FollowsFiles);
        };
        // The certificate is the same for as long as this lives: of two who come at once, the roots of one stay.
        let next = Link::new(CERTIFICATE, held.load().certified.clone(), roots)?;
        held.store(Arc::new(next));
        Ok(())
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ClientConfig> {
        self.link().config
    }

    /// Who the agent is by its certificate in use.
    pub fn identity(&self) -> AgentIdentity {
        self.link().identity
    }

    /// When the certificate in use ends.
    pub fn not_after(&self) -> SystemTime {
        self.link().identity.not_after
    }

    /// Reads the files again: true if another configuration is in use from here on. On an error the last good
    /// one stays. In memory nothing changes by itself.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        match &self.0 {
            Made::OfFiles(follow) => follow.refresh(SystemTime::now()),
            Made::InMemory(_) => Ok(false),
        }
    }

    /// What weakens the configuration in use.
    pub fn warnings(&self) -> Vec<Warning> {
        match &self.0 {
            Made::OfFiles(follow) => follow.warnings(),
            Made::InMemory(_) => Vec::new(),
        }
    }

    fn link(&self) -> Link {
        match &self.0 {
            Made::OfFiles(follow) => follow.current(),
            Made::InMemory(held) => Link::clone(&held.load()),
        }
    }
}

impl Link {
    fn issued(certificate_pem: &str, key: &SlotKey, roots_pem: &str) -> Result<Self, TlsError> {
        let chain = files::chain(CERTIFICATE, files::given(CERTIFICATE, certificate_pem)?)?;
        let certified = files::paired((CERTIFICATE, chain), ("the slot key", key.der()), &crypto_provider())?;
        let leaf = certified.end_entity_cert().map_err(TlsError::Rustls)?;
        files::check_end(CERTIFICATE, &files::parsed(CERTIFICATE, leaf)?, SystemTime::now())?;
        Self::new(CERTIFICATE, Arc::new(certified), roots(roots_pem)?)
    }

    fn new(origin: &str, certified: Arc<CertifiedKey>, roots: Arc<RootCertStore>) -> Result<Self, TlsError> {
        let leaf = certified.end_entity_cert().map_err(TlsError::Rustls)?;
        let identity = AgentIdentity::from_certificate(leaf)
            .map_err(|source| TlsError::NotAnAgent { origin: origin.to_owned(), source })?;
        let mut config = ClientConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(TUNNEL_VERSIONS)
            .map_err(TlsError::Rustls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(GatewayVerifier::new(roots)?))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&certified))));
        config.alpn_protocols = vec![trunkline_proto::ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), identity, certified })
    }
}

fn roots(pem: &str) -> Result<Arc<RootCertStore>, TlsError> {
    files::given_roots(pem).map(Arc::new)
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTls").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
