//! Links, sessions, streams: how bytes travel between a gateway and an agent. Both ends use this crate.
//!
//! ```text
//! dial ─┐                                ┌─ stream ── exchange: kept streams, one request after another
//!       ├─ link ── mux (yamux) ── session┤
//! door ─┘                                └─ stream ── serve: HTTP on streams the other end opened
//! ```
//!
//! An agent dials a link ([`Dialler`]), both ends start a [`Session`] on it, and from then on either end opens
//! streams. The opener of a stream is an HTTP/1.1 client and the other end an HTTP/1.1 server; what needs words
//! (hello, ping, status, drain) is HTTP as well, told apart by the stream head.
//!
//! Invariants:
//! - this crate carries and never decides: it knows neither routes nor who may do what;
//! - the mux library is named in one module only, `mux`, and its traps are ruled out there and in `stream`;
//! - no session is without a heartbeat: silence ends it and all its streams;
//! - a kept stream is used again only after both messages on it ended with exact framing.

mod backoff;
mod dial;
mod http_proxy;
mod link;
mod verdict;
mod mux;
mod places;
mod session;
mod stream;
mod exchange;
mod serve;
mod control;
mod liveness;

pub use backoff::Backoff;
pub use control::{CallError, call, json, read_json};
pub use dial::{DialError, Dialler, GatewayAddress, InvalidAddress, Link};
pub use exchange::{Answer, ExchangeError, Reserved};
pub use http_proxy::{HttpProxy, InvalidProxy, ProxyError};
pub use liveness::{DEAD_AFTER, PING_AFTER};
pub use serve::serve;
pub use session::{Inbound, OpenError, Role, Session, Traffic};
pub use stream::Stream;
