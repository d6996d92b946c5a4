//! The gateway: one endpoint for a fleet.
//!
//! # Life of a request
//!
//! 1. `front`: accepted, TLS handshake and head under their deadlines, HTTP/1.1 or HTTP/2;
//! 2. `authn`: a token, a session or the client certificate becomes a principal (401);
//! 3. `route`: path, host or header name the cluster; the rest is the Kubernetes path (400, 404, 421);
//! 4. `authz`: may this principal do that there, and as whom (403); `under_way`: and for how long;
//!    `audited`: and a record of it before its first byte;
//!    `fair`: and how much at once (429);
//! 5. `tunnels`: a live session of the cluster, or a bounded wait for one (503);
//! 6. `proxy`: out on a stream, the answer back, both streaming (502); upgrades as bytes both ways;
//! 7. `access_log`: exactly one line, when the last byte has gone.
//!
//! A no at any step is a `refusal`: one place makes the `Status`, the metric and the log line of it.
//!
//! A request under `/trunkline/v1` that names no cluster is the gateway's own: `rest` answers it.
//!
//! The other way in is `tunnel_door`, where agents arrive and become sessions in `tunnels`; what they log comes to `logs`.
//!
//! Invariants:
//! - the gateway never dials a managed cluster, and holds no credential of one;
//! - the cluster of a tunnel comes from its verified certificate and from nowhere else;
//! - identity is written once, into the stream head, after authz said yes;
//! - no body is buffered, in either direction.

mod config;
mod fleet;
mod rotation;
mod gateway;
mod arrivals;
mod bucket;
mod places;
mod activity;
mod front;
mod authn;
mod route;
mod authz;
mod ui;
mod under_way;
mod tickets;
mod audited;
mod fair;
mod tunnels;
mod proxy;
mod refusal;
mod access_log;
mod tunnel_door;
mod logs;
mod enrolment;
mod guard;
mod standing;
mod joining;
mod rest;
mod manifest;
mod metrics;
#[doc(hidden)]
pub mod bare;

pub use authn::{FirstRun, LocalFileError};
pub use config::{
    AuditConfig, AuthnConfig, ByteLimitsConfig, ClusterConfig, ClusterLimitsConfig, EmbeddedConfig,
    EnrolmentConfig, FrontConfig, GatewayConfig, GatewayConfigError, IssuerConfig, LimitsConfig, LogsConfig,
    RolesConfig, ServiceAccountsConfig, SessionsConfig, StoreConfig, SubjectsConfig, TunnelConfig,
    UserLimitsConfig,
};
pub use fleet::FleetHandle;
pub use gateway::{Gateway, GatewayError, Running};
