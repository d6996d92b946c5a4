//! The last hop: from a request and an identity to an answer of one Kubernetes API server.
//!
//! The agent uses it for its cluster, and the gateway for the management cluster, which it reaches directly.
//!
//! ```text
//! Upstream::send ─ allow ─ fields ─ impersonate ─ pool ─ (retry) ─ answer
//! ```
//!
//! Invariants:
//! - the destination is pinned by configuration: nothing in a request chooses scheme, host or port;
//! - a request for somebody under our credential always carries exactly one `Impersonate-User` (fail closed);
//! - a request under a client's own token carries no `Impersonate-*` and nothing of ours, and goes over no connection on which
//!   we showed a certificate;
//! - `Impersonate-*` and `Authorization` are written last, after the allow-list said yes;
//! - what is sent twice was provably not processed the first time, or is idempotent.

mod config;
mod kubeconfig;
mod target;
mod credential;
mod allow;
mod impersonate;
mod upstream;
mod connect;
mod pool;
mod replay;
mod metrics;
mod error;
#[doc(hidden)]
pub mod bare;

pub use allow::{AllowList, Forbidden};
pub use config::{Protocol, UpstreamConfig, UpstreamConfigError};
pub use credential::CredentialError;
pub use error::SendError;
pub use impersonate::Whose;
pub use kubeconfig::KubeconfigError;
pub use metrics::Metrics;
pub use target::{InvalidTarget, Target};
pub use upstream::Upstream;
