//! The TLS of a door at which nobody is asked for a certificate: it only shows its own.
//!
//! For doors inside a cluster, where those who come show a token or nothing. TLS 1.2 and 1.3, HTTP/1.1.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;

use crate::TlsError;
use crate::crypto::{FRONT_VERSIONS, crypto_provider};
use crate::files::{self, CertifiedFiles, Warning};
use crate::follow::{Follow, Material, Source};

/// TLS of a door that shows a certificate in files, follows them, and asks for none.
pub struct ShownTls {
    files: CertifiedFiles,
    follow: Follow<Arc<ServerConfig>>,
}

impl ShownTls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used; it names the file and the cure.
    pub fn new(files: CertifiedFiles) -> Result<Self, TlsError> {
        let source = Source { files: Some(files.clone()), roots: None, papers: None };
        Ok(Self { files, follow: Follow::trusting_nobody(source, show)? })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        self.follow.current()
    }

    /// Reads the files again: true if another configuration is in use from here on. On an error the last good one stays.
    ///
    /// # Errors
    /// When the files cannot be used.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.follow.refresh(SystemTime::now())
    }

    /// What weakens the configuration in use.
    pub fn warnings(&self) -> Vec<Warning> {
        self.follow.warnings()
    }
}

fn show(material: &Material) -> Result<Arc<ServerConfig>, TlsError> {
    let leaf = material.certified.end_entity_cert().map_err(TlsError::Rustls)?;
    files::check_server(&material.origin, &files::parsed(&material.origin, leaf)?)?;
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(FRONT_VERSIONS)
        .map_err(TlsError::Rustls)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(material.certified.clone())));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl fmt::Debug for ShownTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownTls").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dev::DevPki;
    use crate::handshake::shake;
    use crate::{Validity, upstream_tls};

    #[test]
    fn a_door_shows_its_certificate_to_anybody_and_follows_its_files() {
        let (dir, pki) = (tempfile::tempdir().unwrap(), DevPki::in_memory().unwrap());
        let issue = || pki.front.front_server(&["localhost"], Validity::days(1)).unwrap();
        let files = issue().write_to(dir.path(), "door").unwrap();
        let door = ShownTls::new(files.clone()).unwrap();
        let roots = pki.front.certificate_pem();
        let client = || Arc::new(upstream_tls(Some(roots.as_bytes()), None, &[b"http/1.1"]).unwrap());
        let outcome = shake(client(), door.current());
        assert!(outcome.server_error.is_none() && outcome.client_error.is_none(), "anybody");
        assert!(!door.refresh().unwrap());
        issue().write_to(dir.path(), "door").unwrap();
        assert!(door.refresh().unwrap(), "the files changed");
        std::fs::write(&files.key, "broken").unwrap();
        assert!(door.refresh().is_err());
        let outcome = shake(client(), door.current());
        assert!(outcome.server_error.is_none(), "the last good one stays");
    }
}
