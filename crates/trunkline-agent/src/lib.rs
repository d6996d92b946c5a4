//! The far end of a tunnel: the agent in a managed cluster.
//!
//! ```text
//! pass ─ the certificate that is shown: from files, or enrolled for (enrol, identity) and renewed (renewal)
//! uplink ─ dials the gateway, says hello, keeps links up
//!   └─ dispatch ─ each request on a stream: control call, or Kubernetes request
//!        └─ trunkline-upstream ─ allow-list, impersonation, the API server
//! ship ─ what the log intake spooled goes up, by a link of its own
//! report ─ asks the API server how it is and tells the gateway
//! ```
//!
//! Invariants:
//! - the agent opens no port but its admin port, and dials no one but its gateways and its API server;
//! - the gateway is not blindly trusted: destinations and identities are limited here;
//! - a request is served only in the epoch that the gateway gave this process;
//! - no private key leaves the cluster.

mod config;
mod agent;
mod identity;
mod enrol;
mod pass;
mod renewal;
mod uplink;
mod dispatch;
mod ship;
mod refusal;
mod report;
mod rights;
mod trouble;
mod status;
mod metrics;
#[cfg(test)]
mod fake_gateway;

pub use agent::{Agent, AgentError, Running};
pub use config::{
    AgentConfig, AgentConfigError, Credentials, EnrolConfig, IdentityConfig, InvalidWay, ProxyConfig,
    SlotSource, WayConfig,
};
pub use status::AgentStatus;
