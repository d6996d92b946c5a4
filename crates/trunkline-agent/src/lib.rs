//! The far end of a tunnel: the agent in a managed cluster.
//!
//! ```text
//! uplink ─ dials the gateway, says hello, keeps links up
//!   └─ dispatch ─ each request on a stream: control call, or Kubernetes request
//!        └─ trunkline-upstream ─ allow-list, impersonation, the API server
//! report ─ asks the API server how it is and tells the gateway
//! ```
//!
//! Invariants:
//! - the agent opens no port but its admin port, and dials no one but its gateways and its API server;
//! - the gateway is not blindly trusted: destinations and identities are limited here;
//! - a request is served only in the epoch that the gateway gave this process.

mod config;
mod agent;
mod uplink;
mod dispatch;
mod refusal;
mod report;
mod metrics;

pub use agent::{Agent, AgentError, Running};
pub use config::{AgentConfig, AgentConfigError, ProxyConfig, WayConfig};
