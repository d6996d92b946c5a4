//! A rig's certificates, as files in a folder that goes away with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;
use trunkline_pki::dev::DevPki;
use trunkline_pki::{AgentName, Authority, CertifiedFiles, Issued, Validity, crypto_provider};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

/// The names that both doors and the fakes go by.
const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1", "*.clusters.test"];

/// A rig's authorities and the folder of its files.
#[derive(Debug)]
pub struct Paper {
    /// The front root, the tunnel root, and one that nobody trusts.
    pub pki: DevPki,
    /// The root of API servers and proxies.
    pub upstream: Authority,
    folder: TempDir,
}

impl Paper {
    /// New roots in a new folder.
    pub fn new() -> Self {
        let paper = Self {
            pki: DevPki::in_memory().unwrap(),
            upstream: Authority::new("fake upstream root", Validity::days(1)).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        paper.pki.front.write_certificate(&paper.path("front-ca.pem")).unwrap();
        paper.pki.tunnel.write_certificate(&paper.path("tunnel-ca.pem")).unwrap();
        paper.upstream.write_certificate(&paper.path("upstream-ca.pem")).unwrap();
        paper.renew_front();
        paper
            .pki
            .tunnel
            .tunnel_server(NAMES, Validity::days(1))
            .unwrap()
            .write_to(paper.folder(), "tunnel")
            .unwrap();
        paper
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `<name>.pem` and `<name>.key` of the folder.
    pub fn files(&self, name: &str) -> CertifiedFiles {
        CertifiedFiles {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
        }
    }

    /// Issues the front door's certificate (anew) and writes it over the old one.
    pub fn renew_front(&self) -> Issued {
        let issued = self.pki.front.front_server(NAMES, Validity::days(1)).unwrap();
        issued.write_to(self.folder(), "front").unwrap();
        issued
    }

    /// Issues an agent's certificate and writes it as `<file>.pem` and `<file>.key`.
    pub fn agent(
        &self,
        file: &str,
        cluster: &ClusterId,
        uid: ClusterUid,
        slot: u16,
    ) -> (Issued, CertifiedFiles) {
        let trust_domain = "trunkline.test".to_owned();
        let name = AgentName { trust_domain, cluster: cluster.clone(), uid, slot: Slot(slot) };
        let issued = self.pki.tunnel.agent(&name, Validity::days(1)).unwrap();
        let files = issued.write_to(self.folder(), file).unwrap();
        (issued, files)
    }

    /// Issues a client's certificate.
    pub fn client(&self, user: &str, groups: &[&str]) -> Issued {
        self.pki.front.client(user, groups, Validity::days(1)).unwrap()
    }

    /// A client's certificate that ends soon.
    pub fn client_for(&self, user: &str, groups: &[&str], life: std::time::Duration) -> Issued {
        self.pki.front.client(user, groups, Validity::lasting(life)).unwrap()
    }

    /// TLS of a client of the front door, with or without a certificate, and without ALPN.
    pub fn client_tls(&self, shown: Option<&Issued>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.front.certificate_der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match shown {
            Some(issued) => builder
                .with_client_auth_cert(vec![issued.certificate_der.clone()], issued.key_der.clone_key())
                .unwrap(),
            None => builder.with_no_client_auth(),
        }
    }

    /// TLS of a fake under the upstream root that offers `alpn`.
    pub fn upstream_tls(&self, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        let issued = self.upstream.front_server(NAMES, Validity::days(1)).unwrap();
        let mut config = ServerConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate_der.clone()], issued.key_der.clone_key())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

impl Default for Paper {
    fn default() -> Self {
        Self::new()
    }
}
