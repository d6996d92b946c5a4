//! The TLS of the gateway's two doors.
//!
//! Each follows what it is made of, files and the gateway's own papers: whoever accepts takes
//! [`current`](TunnelDoorTls::current) for each handshake, and whoever owns it calls
//! [`refresh`](TunnelDoorTls::refresh) now and then (it reads three small files). Established links keep what they were
//! made with.
//!
//! Invariants:
//! - no tickets, no session cache, no early data: each handshake asks the verifier, and so the revocations;
//! - TLS 1.3 only in the tunnel, where both ends are ours;
//! - with files and papers the files' certificate is shown, but to an agent that asks for one of the papers' roots.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DistinguishedName, ServerConfig};

use crate::crypto::{FRONT_VERSIONS, TUNNEL_VERSIONS, crypto_provider};
use crate::enrol::EnrolVerifier;
use crate::files::{self, CertifiedFiles, Warning};
use crate::follow::{Follow, Material, Source};
use crate::papers::{PaperDoor, Papered};
use crate::verifier::{Door, DoorVerifier};
use crate::{Papers, Revocations, TlsError};

/// What a door is made of.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// Its certificate, and the roots under which those who come must stand.
    pub source: DoorSource,
    /// The serials that are turned away.
    pub revocations: Revocations,
}

/// Where a door's certificate and roots come from: files, the gateway's own papers, or both.
#[derive(Clone, Debug, Default)]
pub struct DoorSource {
    /// The door's own certificate and key; one of the papers when not given.
    pub files: Option<CertifiedFiles>,
    /// PEM: the roots under which those who come must stand, beside the papers' own. Several during a rotation.
    pub roots: Option<PathBuf>,
    /// The gateway's own papers.
    pub papers: Option<Papers>,
}

/// TLS of the tunnel door: TLS 1.3, and only agents with a good certificate, or a key to enrol with.
pub struct TunnelDoorTls {
    settings: DoorSettings,
    follow: Follow<TunnelConfigs>,
}

/// TLS of the front door: TLS 1.2 and 1.3, a client's certificate welcome but not demanded.
pub struct FrontDoorTls {
    settings: DoorSettings,
    follow: Follow<Arc<ServerConfig>>,
}

/// What the tunnel door answers with, by what it is asked for.
#[derive(Clone)]
struct TunnelConfigs {
    links: Arc<ServerConfig>,
    enrol: Option<Arc<ServerConfig>>,
}

impl TunnelDoorTls {
    /// Reads the files; an error names the file and the cure.
    pub fn new(settings: DoorSettings) -> Result<Self, TlsError> {
        let revocations = settings.revocations.clone();
        let follow = Follow::new(settings.source.at(Door::Tunnel), move |material| {
            let links = open(Door::Tunnel, &revocations, material)?;
            let enrol = material.papered.as_ref().map(open_to_enrol).transpose()?;
            Ok(TunnelConfigs { links, enrol })
        })?;
        Ok(Self { settings, follow })
    }

    /// The configuration for the next handshake of an agent with a certificate.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.follow.current().links
    }

    /// The configuration for the next handshake of an agent that says [`trunkline_proto::ENROL_ALPN`]: it must show a
    /// self-signed certificate of a P-256 key, any such key, and is shown the papers' root along with the door's
    /// certificate. None without papers.
    pub fn enrol(&self) -> Option<Arc<ServerConfig>> {
        self.follow.current().enrol
    }

    /// Reads the files again and renews the papers' certificate when it is due: true if another configuration is in use
    /// from here on. On an error the last good one stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.refresh_at(SystemTime::now())
    }

    pub(crate) fn refresh_at(&self, now: SystemTime) -> Result<bool, TlsError> {
        self.follow.refresh(now)
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
        let revocations = settings.revocations.clone();
        let follow = Follow::new(settings.source.at(Door::Front), move |material| {
            open(Door::Front, &revocations, material)
        })?;
        Ok(Self { settings, follow })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.follow.current()
    }

    /// Reads the files again and renews the papers' certificate when it is due: true if another configuration is in use
    /// from here on. On an error the last good one stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.refresh_at(SystemTime::now())
    }

    pub(crate) fn refresh_at(&self, now: SystemTime) -> Result<bool, TlsError> {
        self.follow.refresh(now)
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

impl DoorSource {
    /// A certificate and roots in files, and nothing else.
    #[cfg(test)]
    pub(crate) fn of_files(files: CertifiedFiles, roots: PathBuf) -> Self {
        Self { files: Some(files), roots: Some(roots), papers: None }
    }

    fn at(&self, door: Door) -> Source {
        let papers = self.papers.clone().map(|papers| PaperDoor { papers, door });
        Source { files: self.files.clone(), roots: self.roots.clone(), papers }
    }
}

/// What a door answers its next handshakes with.
fn open(door: Door, revocations: &Revocations, material: &Material) -> Result<Arc<ServerConfig>, TlsError> {
    let (versions, protocols): (_, &[&[u8]]) = match door {
        Door::Tunnel => (TUNNEL_VERSIONS, &[trunkline_proto::ALPN]),
        Door::Front => (FRONT_VERSIONS, &[b"h2", b"http/1.1"]),
    };
    let leaf = material.certified.end_entity_cert().map_err(TlsError::Rustls)?;
    files::check_server(&material.origin, &files::parsed(&material.origin, leaf)?)?;
    let verifier = DoorVerifier::new(door, material.roots.clone(), revocations.clone())?;
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(versions)
        .map_err(TlsError::Rustls)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(Shown::of(material)));
    Ok(Arc::new(without_resumption(config, protocols)))
}

/// What the tunnel door answers those with who come to enrol.
fn open_to_enrol(papered: &Papered) -> Result<Arc<ServerConfig>, TlsError> {
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(TUNNEL_VERSIONS)
        .map_err(TlsError::Rustls)?
        .with_client_cert_verifier(Arc::new(EnrolVerifier::new()))
        .with_cert_resolver(Arc::new(Shown { usual: papered.certified.clone(), asked_for: None }));
    Ok(Arc::new(without_resumption(config, &[trunkline_proto::ENROL_ALPN])))
}

/// The certificate to show, and the one for who asks for its root.
#[derive(Debug)]
struct Shown {
    usual: Arc<CertifiedKey>,
    asked_for: Option<(Vec<DistinguishedName>, Arc<CertifiedKey>)>,
}

impl Shown {
    fn of(material: &Material) -> Self {
        let papered = material.papered.as_ref();
        let asked_for = papered.map(|papered| (papered.roots.subjects(), papered.certified.clone()));
        Self { usual: material.certified.clone(), asked_for }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.certificate_authorities().unwrap_or_default();
        let asks_for = |root: &DistinguishedName| asked.iter().any(|name| name.as_ref() == root.as_ref());
        match &self.asked_for {
            Some((roots, certified)) if roots.iter().any(asks_for) => Some(certified.clone()),
            _ => Some(self.usual.clone()),
        }
    }
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

#[cfg(test)]
mod tests;
