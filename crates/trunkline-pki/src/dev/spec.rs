//! What a development set holds: the list in `certs/dev.toml`.

use std::collections::HashSet;

use serde::Deserialize;
use trunkline_proto::{ClusterId, ClusterUid, Slot};

use super::DevError;
use crate::AgentName;

/// The project's own list; what `certs/dev.toml` says is what this crate knows.
const DEFAULT_SET: &str = include_str!("../../../../certs/dev.toml");

/// What a development set holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevSpec {
    /// The fleet's name in the agents' certificates.
    pub trust_domain: String,
    /// How long the roots live, in days.
    pub root_days: u32,
    /// How long the leaves live, in days.
    pub leaf_days: u32,
    /// The gateway's two certificates.
    pub gateway: DevGateway,
    /// The clients, under the front root.
    #[serde(default, rename = "client")]
    pub clients: Vec<DevClient>,
    /// The agents, under the tunnel root.
    #[serde(default, rename = "agent")]
    pub agents: Vec<DevAgent>,
}

/// The gateway, by the names under which both of its doors are reached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevGateway {
    /// DNS names, `*.` before them allowed, or IP addresses.
    pub names: Vec<String>,
}

/// A client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevClient {
    /// The file's name, without ending.
    pub file: String,
    /// The user.
    pub user: String,
    /// The user's groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// An agent's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevAgent {
    /// The file's name, without ending.
    pub file: String,
    /// The cluster's id.
    pub cluster: ClusterId,
    /// The cluster's uid.
    pub uid: ClusterUid,
    /// The agent's slot.
    #[serde(default)]
    pub slot: Slot,
    /// What is wrong with it, if anything.
    pub flaw: Option<Flaw>,
}

/// What is wrong with an agent's certificate, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// It ended yesterday.
    Expired,
    /// A root that no door trusts signed it.
    WrongRoot,
    /// Its serial is in `tunnel/revoked.txt`.
    Revoked,
}

impl DevSpec {
    /// The set of `certs/dev.toml`.
    pub fn default_set() -> Result<Self, DevError> {
        Self::from_toml(DEFAULT_SET)
    }

    /// Reads a list of the form of `certs/dev.toml`.
    pub fn from_toml(text: &str) -> Result<Self, DevError> {
        let spec: Self = toml::from_str(text).map_err(|error| DevError::Spec(Box::new(error)))?;
        spec.check_names()?;
        Ok(spec)
    }

    /// Refuses names that would leave their folder or fall onto another file.
    pub(super) fn check_names(&self) -> Result<(), DevError> {
        distinct(self.clients.iter().map(|client| client.file.as_str()))?;
        distinct(self.agents.iter().map(|agent| agent.file.as_str()))
    }
}

impl DevAgent {
    /// What the certificate attests in the fleet of this name.
    pub fn name(&self, trust_domain: &str) -> AgentName {
        let Self { cluster, uid, slot, .. } = self.clone();
        AgentName { trust_domain: trust_domain.to_owned(), cluster, uid, slot }
    }
}

/// Refuses a name that is not plain, or that another file of the folder has.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), DevError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let mut taken = HashSet::from(["ca", "gateway"]);
    for name in names {
        if name.is_empty() || !name.bytes().all(plain) || !taken.insert(name) {
            return Err(DevError::FileName(name.to_owned()));
        }
    }
    Ok(())
}
