//! A kubeconfig file: the one context that is used, of the parts that a gateway or agent can serve with.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::config::Pem;
use crate::credential::{Credential, CredentialError};
use crate::target::{InvalidTarget, Target};

/// The largest kubeconfig that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Why a kubeconfig is not usable.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// It cannot be read.
    #[error("cannot read the kubeconfig {0}; does it exist, and may this process read it?")]
    Read(PathBuf, #[source] std::io::Error),
    /// It is too large.
    #[error("the kubeconfig {0} is larger than {MAX_FILE} bytes")]
    TooLarge(PathBuf),
    /// It does not parse.
    #[error("the kubeconfig {path} does not parse: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser says; it names line and column.
        message: String,
    },
    /// No context is chosen.
    #[error("the kubeconfig {0} has no current-context: name one")]
    NoContext(PathBuf),
    /// Something it refers to is not there.
    #[error("the kubeconfig {path} has no {what} {name:?}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// context, cluster or user.
        what: &'static str,
        /// The name that leads nowhere.
        name: String,
    },
    /// It asks for something that a long-running process does not do.
    #[error("the kubeconfig {0} asks for {1}")]
    Unsupported(PathBuf, &'static str),
    /// A `-data` field is not base64.
    #[error("{1} in the kubeconfig {0} is not base64")]
    NotBase64(PathBuf, &'static str),
    /// The server's URL is not usable.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// The token is not usable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// What one context leads to.
pub(crate) struct Entry {
    pub(crate) target: Target,
    pub(crate) credential: Credential,
    pub(crate) pem: Pem,
    pub(crate) server_name: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "current-context")]
    current_context: String,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
    #[serde(default)]
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    tls_server_name: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    #[serde(default)]
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<String>,
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<PathBuf>,
    username: Option<serde::de::IgnoredAny>,
    exec: Option<serde::de::IgnoredAny>,
    #[serde(rename = "auth-provider")]
    auth_provider: Option<serde::de::IgnoredAny>,
}

/// Reads one context; the current one when none is named.
pub(crate) fn read(path: &Path, context: Option<&str>) -> Result<Entry, KubeconfigError> {
    let unreadable = |source| KubeconfigError::Read(path.to_owned(), source);
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(KubeconfigError::TooLarge(path.to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let file: File = serde_saphyr::from_str(&text).map_err(|error| KubeconfigError::Malformed {
        path: path.to_owned(),
        message: error.to_string().lines().next().unwrap_or_default().to_owned(),
    })?;
    let name = match context {
        Some(name) => name,
        None if file.current_context.is_empty() => return Err(KubeconfigError::NoContext(path.to_owned())),
        None => &file.current_context,
    };
    let missing = |what, name: &str| KubeconfigError::Missing {
        path: path.to_owned(),
        what,
        name: name.chars().take(80).collect(),
    };
    let context =
        &file.contexts.iter().find(|c| c.name == name).ok_or_else(|| missing("context", name))?.context;
    let cluster = &file
        .clusters
        .iter()
        .find(|c| c.name == context.cluster)
        .ok_or_else(|| missing("cluster", &context.cluster))?
        .cluster;
    let user = &file
        .users
        .iter()
        .find(|u| u.name == context.user)
        .ok_or_else(|| missing("user", &context.user))?
        .user;
    let source = Source { path };
    if cluster.insecure_skip_tls_verify {
        return Err(
            source.unsupported("insecure-skip-tls-verify: give the cluster's certificate authority instead")
        );
    }
    let pem = Pem {
        ca: source.pem(
            "certificate-authority-data",
            cluster.certificate_authority_data.as_deref(),
            cluster.certificate_authority.as_deref(),
        )?,
        certificate: source.certificate(user)?,
    };
    Ok(Entry {
        target: cluster.server.parse()?,
        credential: source.credential(user, pem.certificate.is_some())?,
        pem,
        server_name: cluster.tls_server_name.clone(),
    })
}

/// PEM texts.
type CertificateAndKey = (Vec<u8>, Vec<u8>);

/// The file that relative paths and errors are about.
struct Source<'a> {
    path: &'a Path,
}

impl Source<'_> {
    fn unsupported(&self, what: &'static str) -> KubeconfigError {
        KubeconfigError::Unsupported(self.path.to_owned(), what)
    }

    fn credential(&self, user: &User, has_certificate: bool) -> Result<Credential, KubeconfigError> {
        if user.exec.is_some() || user.auth_provider.is_some() {
            return Err(self.unsupported(
                "a credential plugin, which a long-running process does not start: give a token file or a certificate",
            ));
        }
        if user.username.is_some() {
            return Err(self.unsupported("basic authentication, which Kubernetes has removed"));
        }
        match (&user.token_file, &user.token) {
            (Some(path), _) => Ok(Credential::token_file(&self.beside(path))?),
            (None, Some(token)) => Ok(Credential::token(token)?),
            (None, None) if has_certificate => Ok(Credential::none()),
            (None, None) => Err(self.unsupported("no credential: give the user a token or a certificate")),
        }
    }

    fn certificate(&self, user: &User) -> Result<Option<CertificateAndKey>, KubeconfigError> {
        let certificate = self.pem(
            "client-certificate-data",
            user.client_certificate_data.as_deref(),
            user.client_certificate.as_deref(),
        )?;
        let key = self.pem("client-key-data", user.client_key_data.as_deref(), user.client_key.as_deref())?;
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            _ => {
                Err(self
                    .unsupported("a client certificate without its key, or a key without its certificate"))
            }
        }
    }

    fn pem(
        &self,
        field: &'static str,
        data: Option<&str>,
        file: Option<&Path>,
    ) -> Result<Option<Vec<u8>>, KubeconfigError> {
        match (data, file) {
            (Some(data), _) => STANDARD
                .decode(data.trim())
                .map(Some)
                .map_err(|_| KubeconfigError::NotBase64(self.path.to_owned(), field)),
            (None, Some(file)) => {
                let file = self.beside(file);
                std::fs::read(&file).map(Some).map_err(|source| KubeconfigError::Read(file, source))
            }
            (None, None) => Ok(None),
        }
    }

    /// Relative paths in a kubeconfig are relative to its folder.
    fn beside(&self, file: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unwrap_in_result, reason = "a test may fail by panic anywhere")]
    fn read_text(text: &str) -> Result<Entry, KubeconfigError> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("a written file");
        read(file.path(), None)
    }

    const GOOD: &str = "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n\
        clusters: [{name: c, cluster: {server: 'https://h:1', certificate-authority-data: aGk=}}]\n\
        users: [{name: u, user: {token: secret}}]\n";

    #[test]
    fn the_current_context_is_read() {
        let entry = read_text(GOOD).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(entry.target.to_string(), "https://h:1");
        assert_eq!(entry.pem.ca.as_deref(), Some(&b"hi"[..]));
    }

    #[test]
    fn what_cannot_be_served_with_is_named() {
        for (from, to, says) in [
            ("current-context: a", "current-context: b", "no context \"b\""),
            ("current-context: a", "", "no current-context"),
            ("cluster: c,", "cluster: x,", "no cluster \"x\""),
            ("user: u}", "user: x}", "no user \"x\""),
            ("aGk=", "'###'", "not base64"),
            ("token: secret", "exec: {command: aws}", "credential plugin"),
            ("token: secret", "", "no credential"),
            ("certificate-authority-data: aGk=", "insecure-skip-tls-verify: true", "insecure-skip"),
            ("https://h:1", "http://10.0.0.1", "not encrypted"),
        ] {
            let error = read_text(&GOOD.replace(from, to)).err().expect(to).to_string();
            assert!(error.contains(says), "{to}: {error}");
            assert!(!error.contains("secret"));
        }
        assert!(read_text("{{{").is_err());
    }
}
