//! Certificates and configuration files: what the gateway, its agents and their clients are started with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use rustls::ClientConfig;
use trunkline_pki::dev::DevPki;
use trunkline_pki::{AgentName, CertifiedFiles, Issued, Serial, Validity};
use trunkline_proto::{ClusterUid, Slot};

use crate::command::write_script;
use crate::parts::{Cluster, free_port};

/// Behind a cluster's id, the host it is reached by.
pub(crate) const HOST_SUFFIX: &str = "clusters.localhost";
const DAY: Duration = Duration::from_secs(86_400);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// Of the group `trunkline:admins`.
    Jane,
    /// Of the group `trunkline:viewers`.
    Vera,
}

impl User {
    pub(crate) const ALL: [Self; 2] = [Self::Jane, Self::Vera];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Jane => "jane",
            Self::Vera => "vera",
        }
    }

    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Jane => "trunkline:admins",
            Self::Vera => "trunkline:viewers",
        }
    }
}

/// What is wrong with an agent's certificate, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    WrongRoot,
    Expired,
    Revoked,
    /// Valid, but for another cluster.
    Renamed,
}

/// The gateway's ports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) front: u16,
    pub(crate) tunnel: u16,
    pub(crate) admin: u16,
}

/// Both roots, and a folder with what stands under them.
pub(crate) struct Papers {
    folder: PathBuf,
    pki: DevPki,
    pub(crate) ports: Ports,
    clusters: Vec<String>,
    revoked: Vec<Serial>,
    /// The newest certificate of each cluster's agent.
    newest: BTreeMap<String, Serial>,
}

impl Papers {
    pub(crate) fn new(folder: &Path, clusters: &[&str]) -> Result<Self> {
        let folder = folder.join("papers");
        std::fs::create_dir_all(&folder)?;
        let pki = DevPki::in_memory()?;
        pki.front.write_certificate(&folder.join("front-ca.pem"))?;
        pki.tunnel.write_certificate(&folder.join("tunnel-ca.pem"))?;
        let life = Validity::days(1);
        let names = ["localhost", "127.0.0.1", &format!("*.{HOST_SUFFIX}")];
        pki.front.front_server(&names, life)?.write_to(&folder, "front")?;
        pki.tunnel.tunnel_server(&["localhost"], life)?.write_to(&folder, "tunnel")?;
        for user in User::ALL {
            pki.front.client(user.name(), &[user.group()], life)?.write_to(&folder, user.name())?;
        }
        let ports = Ports { front: free_port()?, tunnel: free_port()?, admin: free_port()? };
        let clusters = clusters.iter().map(|id| (*id).to_owned()).collect();
        let papers = Self { folder, pki, ports, clusters, revoked: Vec::new(), newest: BTreeMap::new() };
        papers.write_gateway_config()?;
        Ok(papers)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A server's certificate under the front root, for a program that is not ours: `NAME.pem` and `NAME.key`.
    pub(crate) fn server(&self, folder: &Path, name: &str) -> Result<()> {
        self.pki.front.front_server(&["127.0.0.1"], Validity::days(1))?.write_to(folder, name)?;
        Ok(())
    }

    pub(crate) fn gateway_config(&self) -> PathBuf {
        self.file("gateway.yaml")
    }

    /// Makes an agent's certificate and configuration, and says where the latter is and what its admin port is.
    pub(crate) fn agent(&mut self, cluster: &Cluster) -> Result<(PathBuf, u16)> {
        let issued = self.pki.tunnel.agent(&agent_name(&cluster.name)?, Validity::days(1))?;
        self.newest.insert(cluster.name.clone(), issued.serial.clone());
        self.write_agent_config(cluster, &format!("agent-{}", cluster.name), &issued)
    }

    /// The same with something wrong.
    pub(crate) fn flawed_agent(&mut self, cluster: &Cluster, flaw: Flaw) -> Result<(PathBuf, u16)> {
        let name = agent_name(&cluster.name)?;
        let life = Validity::days(1);
        let now = SystemTime::now();
        let issued = match flaw {
            Flaw::WrongRoot => self.pki.stranger.agent(&name, life)?,
            Flaw::Expired => {
                self.pki.tunnel.agent(&name, Validity { not_before: now - DAY, not_after: now - DAY / 2 })?
            }
            Flaw::Revoked => self.pki.tunnel.agent(&name, life)?,
            Flaw::Renamed => self.pki.tunnel.agent(&agent_name("gamma")?, life)?,
        };
        if flaw == Flaw::Revoked {
            self.revoke(issued.serial.clone())?;
        }
        self.write_agent_config(cluster, &format!("agent-{flaw:?}"), &issued)
    }

    /// Revokes the certificate of a cluster's agent.
    pub(crate) fn revoke_agent(&mut self, cluster: &str) -> Result<()> {
        let serial = self.newest.remove(cluster).context("no agent has a certificate for that cluster")?;
        self.revoke(serial)
    }

    /// What an agent that does not look at its own certificate would dial with, one that has expired.
    pub(crate) fn careless_link(&self, cluster: &str) -> Result<Arc<ClientConfig>> {
        let life = Validity { not_before: SystemTime::now() - DAY, not_after: SystemTime::now() - DAY / 2 };
        let expired = self.pki.tunnel.agent(&agent_name(cluster)?, life)?;
        Ok(self.pki.careless_link(Some(&expired))?)
    }

    /// `openssl` that says the tunnel's protocol and has an agent's certificate to show wherever it dials, for a program
    /// that calls it.
    pub(crate) fn openssl_of_an_agent(&self, cluster: &str) -> Result<PathBuf> {
        let issued = self.pki.tunnel.agent(&agent_name(cluster)?, Validity::days(1))?;
        let CertifiedFiles { certificate, key } = issued.write_to(&self.folder, "openssl")?;
        let protocol = String::from_utf8_lossy(trunkline_proto::ALPN);
        let with = format!("-alpn {protocol} -cert '{}' -key '{}'", certificate.display(), key.display());
        let text = format!(
            "[ \"$1\" = s_client ] || exec openssl \"$@\"\nshift\nexec openssl s_client {with} \"$@\"\n"
        );
        let path = self.file("openssl");
        write_script(&path, &text)?;
        Ok(path)
    }

    /// Puts a serial on the gateway's list; a running gateway follows.
    fn revoke(&mut self, serial: Serial) -> Result<()> {
        self.revoked.push(serial);
        self.write_gateway_config()
    }

    fn write_gateway_config(&self) -> Result<()> {
        let Ports { front, tunnel, admin } = self.ports;
        let mut text = format!(
            "front:\n  listen: 127.0.0.1:{front}\n  certificate: {}\n  client_roots: {}\n  host_suffix: {HOST_SUFFIX}\n\
             tunnel:\n  listen: 127.0.0.1:{tunnel}\n  certificate: {}\n  roots: {}\n  revoked: [{}]\n\
             admin: 127.0.0.1:{admin}\ndrain_seconds: 10\n\
             access:\n- name: everything\n  spec: {{subjects: {{users: ['*']}}, clusters: {{names: ['*']}}, role: custom, verbs: ['*']}}\n\
             limits: {{user: {{opens_per_second: 1000000, opens_burst: 1000000}}, cluster: {{opens_per_second: 1000000, opens_burst: 1000000}}}}\n\
             clusters:\n",
            certified(&self.pair("front")),
            self.file("front-ca.pem").display(),
            certified(&self.pair("tunnel")),
            self.file("tunnel-ca.pem").display(),
            self.revoked.iter().map(|serial| format!("\"{serial}\"")).collect::<Vec<_>>().join(", "),
        );
        for id in &self.clusters {
            writeln!(text, "- id: {id}")?;
        }
        // Renamed into place: a gateway that follows the file never reads half of it.
        let draft = self.file("gateway.yaml.draft");
        std::fs::write(&draft, text)?;
        Ok(std::fs::rename(draft, self.gateway_config())?)
    }

    fn write_agent_config(&self, cluster: &Cluster, name: &str, issued: &Issued) -> Result<(PathBuf, u16)> {
        let files = issued.write_to(&self.folder, name)?;
        let admin = free_port()?;
        let access = cluster.dir.join("agent");
        let text = format!(
            "cluster: {}\ngateway:\n  addresses: [\"localhost:{}\"]\n  roots: {}\n  certificate: {}\n\
             upstream:\n  server: https://127.0.0.1:{}\n  ca: {}\n  token_file: {}\n\
             admin: 127.0.0.1:{admin}\ndrain_seconds: 10\n",
            cluster.name,
            self.ports.tunnel,
            self.file("tunnel-ca.pem").display(),
            certified(&files),
            cluster.port,
            access.join("ca.crt").display(),
            access.join("token").display(),
        );
        let path = self.file(&format!("{name}.yaml"));
        std::fs::write(&path, text)?;
        Ok((path, admin))
    }

    fn pair(&self, name: &str) -> CertifiedFiles {
        CertifiedFiles {
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        }
    }
}

fn agent_name(cluster: &str) -> Result<AgentName> {
    let trust_domain = "trunkline.test".to_owned();
    Ok(AgentName {
        trust_domain,
        cluster: cluster.parse()?,
        uid: ClusterUid::random(),
        slot: Slot::default(),
    })
}

fn certified(files: &CertifiedFiles) -> String {
    format!("{{certificate: {}, key: {}}}", files.certificate.display(), files.key.display())
}
