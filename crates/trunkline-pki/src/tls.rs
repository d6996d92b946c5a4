//! The TLS of the three places where ours meet: the tunnel door, the front door and the agent's link.
//!
//! Each follows its files: whoever accepts or dials takes [`current`](TunnelDoorTls::current) for each
//! handshake, and whoever owns it calls [`refresh`](TunnelDoorTls::refresh) now and then (it reads three small
//! files). Established links keep what they were made with.
//!
//! Invariants:
//! - no tickets, no session cache, no early data: each handshake asks the verifier, and so the revocations;
//! - TLS 1.3 only in the tunnel, where both ends are ours.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::Resumption;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ServerConfig};
use serde::Deserialize;

use crate::crypto::{FRONT_VERSIONS, TUNNEL_VERSIONS, crypto_provider};
use crate::files::{self, CertifiedFiles, Warning};
use crate::follow::{Follow, Material};
use crate::verifier::{Door, DoorVerifier};
use crate::{AgentIdentity, Revocations, TlsError};

/// What a door is made of.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// The door's own certificate and key.
    pub files: CertifiedFiles,
    /// PEM: the roots under which those who come must stand. Several during a rotation.
    pub roots: PathBuf,
    /// The serials that are turned away.
    pub revocations: Revocations,
}

/// What an agent's end of a link is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// The agent's own certificate and key.
    pub files: CertifiedFiles,
    /// PEM: the tunnel roots, under which the gateway's tunnel door must stand. Nothing else is trusted.
    pub roots: PathBuf,
}

/// TLS of the tunnel door: TLS 1.3, and only agents with a good certificate.
pub struct TunnelDoorTls {
    settings: DoorSettings,
    follow: Follow<Arc<ServerConfig>>,
}

/// TLS of the front door: TLS 1.2 and 1.3, a client's certificate welcome but not demanded.
pub struct FrontDoorTls {
    settings: DoorSettings,
    follow: Follow<Arc<ServerConfig>>,
}

/// TLS of an agent's end of a link: TLS 1.3, its own certificate, and only the tunnel roots trusted.
pub struct LinkTls {
    settings: LinkSettings,
    follow: Follow<Link>,
}

/// What an agent dials with, and as whom.
#[derive(Clone)]
struct Link {
    config: Arc<ClientConfig>,
    identity: AgentIdentity,
}

impl TunnelDoorTls {
    /// Reads the files; an error names the file and the cure.
    pub fn new(settings: DoorSettings) -> Result<Self, TlsError> {
        let follow = Follow::new(settings.files.clone(), settings.roots.clone(), |material| {
            open(Door::Tunnel, &settings, material)
        })?;
        Ok(Self { settings, follow })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.follow.current()
    }

    /// Reads the files again: true if another configuration is in use from here on. On an error the last good
    /// one stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.follow.refresh(|material| open(Door::Tunnel, &self.settings, material))
    }

    /// When the door's certificate in use ends.
    pub fn not_after(&self) -> SystemTime {
        self.follow.not_after()
    }

    /// What weakens the configuration in use.
    pub fn warnings(&self) -> Vec<Warning> {
        self.follow.warnings()
    }
}

impl FrontDoorTls {
    /// Reads the files; an error names the file and the cure.
    pub fn new(settings: DoorSettings) -> Result<Self, TlsError> {
        let follow = Follow::new(settings.files.clone(), settings.roots.clone(), |material| {
            open(Door::Front, &settings, material)
        })?;
        Ok(Self { settings, follow })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.follow.current()
    }

    /// Reads the files again: true if another configuration is in use from here on. On an error the last good
    /// one stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.follow.refresh(|material| open(Door::Front, &self.settings, material))
    }

    /// When the door's certificate in use ends.
    pub fn not_after(&self) -> SystemTime {
        self.follow.not_after()
    }

    /// What weakens the configuration in use.
    pub fn warnings(&self) -> Vec<Warning> {
        self.follow.warnings()
    }
}

impl LinkTls {
    /// Reads the files; an error names the file and the cure.
    pub fn new(settings: LinkSettings) -> Result<Self, TlsError> {
        let follow = Follow::new(settings.files.clone(), settings.roots.clone(), |material| {
            link(&settings, material)
        })?;
        Ok(Self { settings, follow })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ClientConfig> {
        self.follow.current().config
    }

    /// Who the agent is by its certificate in use.
    pub fn identity(&self) -> AgentIdentity {
        self.follow.current().identity
    }

    /// Reads the files again: true if another configuration is in use from here on. On an error the last good
    /// one stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.follow.refresh(|material| link(&self.settings, material))
    }

    /// What weakens the configuration in use.
    pub fn warnings(&self) -> Vec<Warning> {
        self.follow.warnings()
    }
}

/// What a door answers its next handshakes with.
fn open(door: Door, settings: &DoorSettings, material: &Material) -> Result<Arc<ServerConfig>, TlsError> {
    let (versions, protocols): (_, &[&[u8]]) = match door {
        Door::Tunnel => (TUNNEL_VERSIONS, &[trunkline_proto::ALPN]),
        Door::Front => (FRONT_VERSIONS, &[b"h2", b"http/1.1"]),
    };
    let verifier = DoorVerifier::new(door, material.roots.clone(), settings.revocations.clone())?;
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(versions)
        .map_err(TlsError::Rustls)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(own_server_certificate(&settings.files.certificate, material)?);
    Ok(Arc::new(without_resumption(config, protocols)))
}

/// What an agent dials with.
fn link(settings: &LinkSettings, material: &Material) -> Result<Link, TlsError> {
    let leaf = material.certified.end_entity_cert().map_err(TlsError::Rustls)?;
    let identity = AgentIdentity::from_certificate(leaf).map_err(|source| TlsError::NotAnAgent {
        origin: files::origin(&settings.files.certificate),
        source,
    })?;
    let mut config = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(TUNNEL_VERSIONS)
        .map_err(TlsError::Rustls)?
        .with_root_certificates(material.roots.clone())
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from((*material.certified).clone())));
    config.alpn_protocols = vec![trunkline_proto::ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Link { config: Arc::new(config), identity })
}

/// The door's own certificate, once it is one that those who come would take.
fn own_server_certificate(path: &Path, material: &Material) -> Result<Arc<SingleCertAndKey>, TlsError> {
    let origin = files::origin(path);
    let leaf = material.certified.end_entity_cert().map_err(TlsError::Rustls)?;
    files::check_server(&origin, &files::parsed(&origin, leaf)?)?;
    Ok(Arc::new(SingleCertAndKey::from((*material.certified).clone())))
}

/// A resumed handshake does not ask the verifier: whoever was revoked in between would come in.
fn without_resumption(mut config: ServerConfig, alpn: &[&[u8]]) -> ServerConfig {
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config
}

impl fmt::Debug for TunnelDoorTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TunnelDoorTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for FrontDoorTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontDoorTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
