//! What is made of a configuration: the gateway's own papers, its registry, and what its doors show.

use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use trunkline_pki::{DoorSettings, DoorSource, FrontDoorTls, PaperNames, Papers, Revocations, TunnelDoorTls};
use trunkline_registry::Registry;

use super::{GatewayConfig, GatewayConfigError, PAPERS, host};
use crate::rest::About;

impl GatewayConfig {
    /// The gateway's own papers, made if they are not there; none without a data folder.
    pub(crate) fn papers(&self) -> Result<Option<Papers>, GatewayConfigError> {
        self.data.as_ref().map(|data| self.open_papers(data)).transpose()
    }

    pub(super) fn open_papers(&self, data: &Path) -> Result<Papers, GatewayConfigError> {
        Ok(Papers::open(&data.join(PAPERS), &self.paper_names())?)
    }

    /// What the doors' own certificates are for.
    fn paper_names(&self) -> PaperNames {
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let with = |own: Vec<String>, listen: SocketAddr| {
            let mut names = own;
            if !listen.ip().is_unspecified() {
                names.push(listen.ip().to_string());
            }
            names.extend(local.clone());
            names.sort();
            names.dedup();
            names
        };
        let mut front: Vec<String> = self.front.address.iter().map(|address| host(address)).collect();
        front.extend(self.front.host_suffix.iter().map(|suffix| format!("*.{suffix}")));
        let tunnel = self.tunnel.addresses.iter().map(|address| host(address)).collect();
        PaperNames { front: with(front, self.front.listen), tunnel: with(tunnel, self.tunnel.listen) }
    }

    /// What the gateway tells of itself, once it is known where its doors listen.
    pub(crate) fn about(&self, front: SocketAddr, tunnel: SocketAddr) -> About {
        let own = (!self.tunnel.addresses.is_empty()).then(|| self.tunnel.addresses.clone());
        About {
            front: format!("https://{}", self.front.address.clone().unwrap_or_else(|| reached_at(front))),
            host_suffix: self.front.host_suffix.clone(),
            own_front: self.front.certificate.is_none(),
            tunnel_is_configured: own.is_some(),
            tunnel: own.unwrap_or_else(|| vec![reached_at(tunnel)]),
            tunnel_names: self.paper_names().tunnel,
            since: Timestamp::now(),
        }
    }

    /// The registry: in the data folder, or in memory without one.
    pub(crate) fn registry(&self) -> Result<Registry, GatewayConfigError> {
        Ok(match &self.data {
            Some(data) => Registry::open(&data.join("registry.redb"))?,
            None => Registry::in_memory()?,
        })
    }

    pub(crate) fn front_tls(
        &self,
        papers: Option<&Papers>,
        revocations: &Revocations,
    ) -> Result<FrontDoorTls, GatewayConfigError> {
        let source = DoorSource {
            files: self.front.certificate.clone(),
            roots: self.front.client_roots.clone(),
            papers: papers.cloned(),
        };
        FrontDoorTls::new(DoorSettings { source, revocations: revocations.clone() })
            .map_err(GatewayConfigError::Front)
    }

    pub(crate) fn tunnel_tls(
        &self,
        papers: Option<&Papers>,
        revocations: &Revocations,
    ) -> Result<TunnelDoorTls, GatewayConfigError> {
        let source = DoorSource {
            files: self.tunnel.certificate.clone(),
            roots: self.tunnel.roots.clone(),
            papers: papers.cloned(),
        };
        TunnelDoorTls::new(DoorSettings { source, revocations: revocations.clone() })
            .map_err(GatewayConfigError::Tunnel)
    }
}

/// How a listener is reached from this machine.
fn reached_at(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() { format!("localhost:{}", listen.port()) } else { listen.to_string() }
}
