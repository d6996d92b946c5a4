//! Throw-away roots and leaves: for `certs/dev` on a developer's machine, and in memory for tests.
//!
//! A set holds both roots, the gateway's certificate under each, clients, agents, and agents whose certificates
//! are bad in one way each, so that every refusal of the tunnel door can be shown.
//!
//! Invariant: nothing made here is for any use but development: the roots' keys lie beside the leaves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;

mod spec;
mod careless;

pub use spec::{DevAgent, DevClient, DevGateway, DevSpec, Flaw};

use crate::{AgentName, Authority, AuthorityError, Issued, TlsError, Validity, write};

const DAY: Duration = Duration::from_secs(86_400);

/// Two roots made in memory, and one that nobody trusts.
#[derive(Debug)]
pub struct DevPki {
    /// Clients, and the gateway's face to them.
    pub front: Authority,
    /// Agents, and the gateway's tunnel door.
    pub tunnel: Authority,
    /// Another root, which no door trusts.
    pub stranger: Authority,
}

/// Why a development set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The list is not of the form of `certs/dev.toml`.
    #[error("the list of development certificates is unreadable; compare it with certs/dev.toml")]
    Spec(#[source] Box<toml::de::Error>),
    /// A file name that is not plain, or is there twice.
    #[error(
        "{0:?} cannot name a certificate's file: use a-z, 0-9 and '-', each name once, and not ca or gateway"
    )]
    FileName(String),
    /// There is a set already.
    #[error(
        "{0} exists already; use --force to replace the whole set, after which older certificates fit no more"
    )]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {path}; check that the folder may be written to")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A certificate of the list cannot be issued.
    #[error("cannot issue the certificate {file}; correct it in the list")]
    Issue {
        /// Its file's name.
        file: String,
        /// What is wrong.
        #[source]
        source: AuthorityError,
    },
}

/// Makes the set `spec` in the folder `out` and says which files it wrote.
///
/// An existing set is left alone, and is an error, unless `force` says to replace it.
pub fn generate(spec: &DevSpec, out: &Path, force: bool) -> Result<Vec<PathBuf>, DevError> {
    DevPki::new(spec.root_days)?.write(spec, out, force)
}

impl DevPki {
    /// Both roots and the stranger, for a day.
    pub fn in_memory() -> Result<Self, DevError> {
        Self::new(1)
    }

    /// Writes the set of `certs/dev.toml` under these roots into an empty folder and says which files it wrote.
    pub fn write_to(&self, dir: &Path) -> Result<Vec<PathBuf>, DevError> {
        self.write(&DevSpec::default_set()?, dir, false)
    }

    /// What an agent that does not look at its own certificate would dial with: it trusts the tunnel root and
    /// shows whatever it is given. For showing what the tunnel door turns away.
    pub fn careless_link(&self, shown: Option<&Issued>) -> Result<Arc<ClientConfig>, TlsError> {
        careless::link(self.tunnel.certificate_der(), shown).map_err(TlsError::Rustls)
    }

    fn new(days: u32) -> Result<Self, DevError> {
        let root = |name: &str| {
            Authority::new(name, Validity::days(days))
                .map_err(|source| DevError::Issue { file: "ca".to_owned(), source })
        };
        Ok(Self {
            front: root("trunkline development front root")?,
            tunnel: root("trunkline development tunnel root")?,
            stranger: root("trunkline development stranger root")?,
        })
    }

    fn write(&self, spec: &DevSpec, out: &Path, force: bool) -> Result<Vec<PathBuf>, DevError> {
        spec.check_names()?;
        let files = self.files(spec)?;
        if let Some(there) =
            files.iter().map(|file| out.join(&file.path)).find(|path| path.exists() && !force)
        {
            return Err(DevError::Exists(there));
        }
        let mut written = Vec::new();
        for file in files {
            let path = out.join(&file.path);
            let outcome = match &file.content {
                Content::Public(text) => write::public(&path, text.as_bytes()),
                Content::Key(text) => write::secret(&path, text.as_bytes()),
            };
            outcome.map_err(|source| DevError::Write { path: path.clone(), source })?;
            written.push(path);
        }
        Ok(written)
    }

    /// The whole set, issued and not yet written.
    fn files(&self, spec: &DevSpec) -> Result<Vec<DevFile>, DevError> {
        let life = Validity::days(spec.leaf_days);
        let issue = |file: &str, issued: Result<Issued, AuthorityError>| {
            issued.map_err(|source| DevError::Issue { file: file.to_owned(), source })
        };
        let mut files = root("front", &self.front);
        let names = &spec.gateway.names;
        files.extend(leaf("front", "gateway", issue("gateway", self.front.front_server(names, life))?));
        for client in &spec.clients {
            let issued = self.front.client(&client.user, &client.groups, life);
            files.extend(leaf("front", &client.file, issue(&client.file, issued)?));
        }
        files.extend(root("tunnel", &self.tunnel));
        files.extend(leaf("tunnel", "gateway", issue("gateway", self.tunnel.tunnel_server(names, life))?));
        let mut revoked = "# Serials the tunnel door turns away, one a line.\n".to_owned();
        for agent in &spec.agents {
            let name = agent.name(&spec.trust_domain);
            let issued = issue(&agent.file, self.agent(&name, agent.flaw, life))?;
            if agent.flaw == Some(Flaw::Revoked) {
                revoked += &format!("{}  # {}\n", issued.serial, agent.file);
            }
            files.extend(leaf("tunnel", &agent.file, issued));
        }
        files.push(DevFile { path: "tunnel/revoked.txt".into(), content: Content::Public(revoked) });
        Ok(files)
    }

    fn agent(&self, name: &AgentName, flaw: Option<Flaw>, life: Validity) -> Result<Issued, AuthorityError> {
        let now = SystemTime::now();
        match flaw {
            None | Some(Flaw::Revoked) => self.tunnel.agent(name, life),
            Some(Flaw::WrongRoot) => self.stranger.agent(name, life),
            Some(Flaw::Expired) => {
                self.tunnel.agent(name, Validity { not_before: now - DAY * 2, not_after: now - DAY })
            }
        }
    }
}

/// One file of a set.
struct DevFile {
    path: PathBuf,
    content: Content,
}

enum Content {
    Public(String),
    Key(zeroize::Zeroizing<String>),
}

fn root(folder: &str, authority: &Authority) -> Vec<DevFile> {
    pair(folder, "ca", authority.certificate_pem(), authority.key_pem())
}

fn leaf(folder: &str, name: &str, issued: Issued) -> Vec<DevFile> {
    pair(folder, name, issued.certificate_pem, issued.key_pem)
}

fn pair(folder: &str, name: &str, certificate: String, key: zeroize::Zeroizing<String>) -> Vec<DevFile> {
    let path = |ending| Path::new(folder).join(format!("{name}.{ending}"));
    vec![
        DevFile { path: path("pem"), content: Content::Public(certificate) },
        DevFile { path: path("key"), content: Content::Key(key) },
    ]
}

#[cfg(test)]
mod tests;
