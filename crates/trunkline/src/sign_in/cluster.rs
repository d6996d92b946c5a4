//! The token that goes through to a cluster in pass-through mode, beside what signs somebody in at the gateway.
//!
//! Invariant: it is for the cluster it was remembered for, and is given along on the way to no other.

use std::path::Path;

use jiff::Timestamp;
use trunkline_proto::{ClusterId, ClusterToken};

use super::bearer::in_file;
use super::nobody;
use crate::profile::{self, Profiles};

/// A token for a cluster, as its file has it now.
pub(crate) struct ForCluster {
    pub(crate) token: ClusterToken,
    pub(crate) ends: Option<Timestamp>,
}

impl ForCluster {
    /// The token that is remembered for a cluster of a gateway; none where none is.
    ///
    /// # Errors
    /// When its file cannot be read, or holds none that is good.
    pub(crate) fn remembered(gateway: &str, cluster: &ClusterId) -> anyhow::Result<Option<Self>> {
        let profiles = Profiles::load(&profile::path()?)?;
        let file = profiles.find(Some(gateway)).and_then(|profile| profile.cluster_tokens.get(cluster));
        file.map(|file| Self::of(file)).transpose()
    }

    /// The token of a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds none that is good.
    pub(crate) fn of(file: &Path) -> anyhow::Result<Self> {
        let token = in_file(file)?;
        let shown = file.display();
        let wrong = |why| {
            nobody(&format!("{shown}: {why}")).next(format!("put a token for the cluster into {shown}"))
        };
        Ok(Self { token: ClusterToken::parse(&token.text).map_err(wrong)?, ends: token.ends })
    }
}

/// The cluster that a URL at a gateway leads to, by the path that our kubeconfigs have.
pub(crate) fn cluster_of(gateway: &str, server: &str) -> Option<ClusterId> {
    let path = server.strip_prefix(gateway)?.strip_prefix("/clusters/")?;
    path.split(['/', '?', '#']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_found_by_its_path_at_its_own_gateway_only() {
        let of = |server: &str| cluster_of("https://gw.test", server).map(|id| id.to_string());
        assert_eq!(of("https://gw.test/clusters/alpha").as_deref(), Some("alpha"));
        assert_eq!(of("https://gw.test/clusters/alpha/").as_deref(), Some("alpha"));
        for other in [
            "https://gw.test",
            "https://gw.test/",
            "https://gw.test/clusters/",
            "https://gw.test/clusters/Alpha",
            "https://gw.test/clusters/al%70ha",
            "https://gw.test/x/clusters/alpha",
            "https://gw.test.evil/clusters/alpha",
            "https://evil.test/clusters/alpha",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
