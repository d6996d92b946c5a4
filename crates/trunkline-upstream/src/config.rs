//! How an API server is reached, as people write it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use trunkline_pki::{CertifiedFiles, TlsError, upstream_tls};
use trunkline_proto::IdentityMode;

use crate::allow::AllowList;
use crate::credential::{Credential, CredentialError};
use crate::kubeconfig::{self, KubeconfigError};
use crate::target::{InvalidTarget, Target};

/// Where a pod finds its service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How an API server is reached. Give one of `server`, `kubeconfig`, `in_cluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamConfig {
    /// URL of the API server, e.g. `https://10.0.0.1:6443`.
    pub server: Option<String>,
    /// PEM file with the root of the API server's certificate.
    pub ca: Option<PathBuf>,
    /// File with the bearer token; read again at least once a minute.
    pub token_file: Option<PathBuf>,
    /// Client certificate instead of a token.
    pub certificate: Option<CertifiedFiles>,
    /// A kubeconfig file instead of the four above.
    pub kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; its current one by default.
    pub context: Option<String>,
    /// The pod's own service account instead of all above.
    pub in_cluster: bool,
    /// The name expected in the API server's certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// What is spoken with the API server; what TLS agrees on by default.
    pub protocol: Protocol,
    /// How the API server is told whose a request is. In pass-through mode a credential of one's own is not needed, and a client
    /// certificate is refused: the API server would take it for whoever asks, before any token.
    pub identity: IdentityMode,
    /// Who may be impersonated.
    pub allow: AllowList,
}

/// What is spoken with the API server. Upgrades are HTTP/1.1 always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
}

/// Why an [`UpstreamConfig`] is not usable.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamConfigError {
    /// None or several ways are given.
    #[error("give exactly one of upstream.server, upstream.kubeconfig and upstream.in_cluster")]
    OneWay,
    /// Fields that do not go together.
    #[error("{0} goes with upstream.server only")]
    OnlyWithServer(&'static str),
    /// There is no credential.
    #[error("no credential: give upstream.token_file or upstream.certificate")]
    NoCredential,
    /// There is no root.
    #[error("no root for the API server's certificate: give upstream.ca")]
    NoRoot,
    /// A file cannot be read.
    #[error("cannot read {0}; does it exist, and may this process read it?")]
    Read(PathBuf, #[source] std::io::Error),
    /// The URL is not usable.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// The kubeconfig is not usable.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The token file is not usable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Root or client certificate are not usable.
    #[error("the TLS settings for the API server are not usable")]
    Tls(#[from] TlsError),
    /// Not in a pod.
    #[error("upstream.in_cluster is for pods: {0} is not set")]
    NotInCluster(&'static str),
    /// A client certificate in pass-through mode.
    #[error(
        "identity: pass-through goes without a client certificate: an API server believes the connection's certificate before \
         any token, so that every client would be this process; take the certificate out"
    )]
    CertificateBeforeToken,
    /// An allow-list in pass-through mode.
    #[error(
        "upstream.allow says who may be impersonated, and identity: pass-through impersonates nobody; leave one of them out"
    )]
    NobodyToAllow,
    /// The expected name is no name.
    #[error("{0:?} is no name that a certificate can hold")]
    ServerName(String),
}

/// What it takes to reach an API server, all read and checked.
pub(crate) struct Reach {
    pub(crate) target: Target,
    pub(crate) server_name: String,
    pub(crate) credential: Credential,
    /// One per protocol; none for an unencrypted loopback target.
    pub(crate) tls: Option<TlsPair>,
}

/// TLS settings: what ordinary requests offer, and HTTP/1.1 alone for upgrades.
#[derive(Clone)]
pub(crate) struct TlsPair {
    pub(crate) ordinary: std::sync::Arc<rustls::ClientConfig>,
    pub(crate) upgrade: std::sync::Arc<rustls::ClientConfig>,
}

/// Root, certificate and key as PEM, from whichever source.
#[derive(Default)]
pub(crate) struct Pem {
    pub(crate) ca: Option<Vec<u8>>,
    pub(crate) certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl UpstreamConfig {
    /// Reads everything the configuration names, and opens nothing.
    ///
    /// # Errors
    /// When something is not usable; the error names it and what to do.
    pub fn check(&self) -> Result<(), UpstreamConfigError> {
        self.read().map(|_| ())
    }

    /// Reads everything the configuration names.
    pub(crate) fn read(&self) -> Result<Reach, UpstreamConfigError> {
        let ways = [self.server.is_some(), self.kubeconfig.is_some(), self.in_cluster];
        if ways.iter().filter(|way| **way).count() != 1 {
            return Err(UpstreamConfigError::OneWay);
        }
        if self.server.is_none() {
            for (given, name) in [
                (self.ca.is_some(), "upstream.ca"),
                (self.token_file.is_some(), "upstream.token_file"),
                (self.certificate.is_some(), "upstream.certificate"),
            ] {
                if given {
                    return Err(UpstreamConfigError::OnlyWithServer(name));
                }
            }
        }
        let (target, credential, pem, named) = match (&self.server, &self.kubeconfig) {
            (Some(server), _) => self.read_server(server)?,
            (None, Some(path)) => {
                let entry = kubeconfig::read(path, self.context.as_deref())?;
                (entry.target, entry.credential, entry.pem, entry.server_name)
            }
            (None, None) => read_in_cluster()?,
        };
        if self.identity == IdentityMode::PassThrough {
            if pem.certificate.is_some() {
                return Err(UpstreamConfigError::CertificateBeforeToken);
            }
            if self.allow != AllowList::default() {
                return Err(UpstreamConfigError::NobodyToAllow);
            }
        }
        let server_name = self.server_name.clone().or(named).unwrap_or_else(|| target.host().to_owned());
        if rustls_pki_types::ServerName::try_from(server_name.as_str()).is_err() {
            return Err(UpstreamConfigError::ServerName(server_name));
        }
        let tls = if target.tls() { Some(self.tls(&pem)?) } else { None };
        Ok(Reach { target, server_name, credential, tls })
    }

    fn read_server(
        &self,
        server: &str,
    ) -> Result<(Target, Credential, Pem, Option<String>), UpstreamConfigError> {
        let target: Target = server.parse()?;
        let credential = match &self.token_file {
            Some(path) => Credential::token_file(path)?,
            None if self.certificate.is_some() || self.identity == IdentityMode::PassThrough => {
                Credential::none()
            }
            None => return Err(UpstreamConfigError::NoCredential),
        };
        let certificate = match &self.certificate {
            Some(files) => Some((read(&files.certificate)?, read(&files.key)?)),
            None => None,
        };
        let ca = match &self.ca {
            Some(path) => Some(read(path)?),
            None => None,
        };
        Ok((target, credential, Pem { ca, certificate }, None))
    }

    fn tls(&self, pem: &Pem) -> Result<TlsPair, UpstreamConfigError> {
        let ca = pem.ca.as_deref().ok_or(UpstreamConfigError::NoRoot)?;
        let certificate = pem.certificate.as_ref().map(|(cert, key)| (cert.as_slice(), key.as_slice()));
        let offer: &[&[u8]] = match self.protocol {
            Protocol::Auto => &[b"h2", b"http/1.1"],
            Protocol::Http1 => &[b"http/1.1"],
            Protocol::Http2 => &[b"h2"],
        };
        Ok(TlsPair {
            ordinary: upstream_tls(Some(ca), certificate, offer)?.into(),
            upgrade: upstream_tls(Some(ca), certificate, &[b"http/1.1"])?.into(),
        })
    }
}

fn read_in_cluster() -> Result<(Target, Credential, Pem, Option<String>), UpstreamConfigError> {
    let variable =
        |name: &'static str| std::env::var(name).map_err(|_| UpstreamConfigError::NotInCluster(name));
    let host = variable("KUBERNETES_SERVICE_HOST")?;
    let port = variable("KUBERNETES_SERVICE_PORT")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let folder = Path::new(SERVICE_ACCOUNT);
    let ca = Some(read(&folder.join("ca.crt"))?);
    let credential = Credential::token_file(&folder.join("token"))?;
    let target = format!("https://{host}:{port}").parse()?;
    Ok((target, credential, Pem { ca, certificate: None }, None))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, UpstreamConfigError> {
    std::fs::read(path).map_err(|source| UpstreamConfigError::Read(path.to_owned(), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(), String> {
        let config: UpstreamConfig = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn who_passes_tokens_through_needs_no_credential_and_may_show_no_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("token"), "own").unwrap();
        for name in ["cert", "key"] {
            std::fs::write(at(name), "pem").unwrap();
        }
        let server = "server: 'http://127.0.0.1:1'\n";
        let passing = format!("{server}identity: pass-through\n");
        assert_eq!(read(&passing), Ok(()));
        assert_eq!(read(&format!("{passing}token_file: {}\n", at("token"))), Ok(()), "for its own questions");
        let shown = format!("certificate: {{certificate: {}, key: {}}}\n", at("cert"), at("key"));
        for (text, says) in [
            (server.to_owned(), "no credential"),
            (format!("{server}identity: impersonate\n"), "no credential"),
            (format!("{passing}{shown}"), "before any token"),
            (format!("{passing}allow: {{groups: [dev]}}\n"), "impersonates nobody"),
            (format!("{server}identity: both\n"), "identity"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let user = format!("client-certificate: {}, client-key: {}", at("cert"), at("key"));
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             clusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:1'}}}}]\n\
             users: [{{name: a, user: {{{user}}}}}]\n\
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n"
        );
        std::fs::write(at("kubeconfig"), kubeconfig).unwrap();
        let text = format!("kubeconfig: {}\nidentity: pass-through\n", at("kubeconfig"));
        let error = read(&text).unwrap_err();
        assert!(error.contains("before any token"), "{error}");
    }
}
