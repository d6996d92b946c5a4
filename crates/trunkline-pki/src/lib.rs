//! Who is who on paper: authorities, profiles, identities, revocation and the TLS configurations made of them.
//!
//! There are two roots, the gateway's own ([`Papers`]) or others' in files. Under the **front** root stand clients and the gateway's face to them; under the
//! **tunnel** root stand agents and the gateway's tunnel door. A certificate of one root opens nothing under
//! the other. An [`AgentIdentity`] or a [`ClientIdentity`] is read from a certificate that a door has verified,
//! and from nowhere else.
//!
//! Invariants:
//! - every handshake that a door accepts was a full one: a resumed session would not ask about revocation;
//! - no TLS configuration of this crate skips verification, and none can be told to;
//! - a configuration that follows its files keeps the last good one: a broken file never closes a door;
//! - a private key is never printed, and leaves memory only where a caller asked for files.

mod serial;
mod identity;
mod pin;
mod keys;
mod csr;
mod revocation;
mod files;
mod crypto;
mod verifier;
mod follow;
mod tls;
mod shown;
mod link;
mod enrol;
mod upstream;
mod error;
mod authority;
mod papers;
mod subject;
mod write;
pub mod dev;
#[cfg(test)]
mod handshake;

pub use authority::{Authority, AuthorityError, Issued, Signed, Validity};
pub use crypto::crypto_provider;
pub use csr::{RequestError, check_csr};
pub use enrol::{Anchor, EnrollingKeyError, enrol_link_tls, enrolling_key};
pub use error::TlsError;
pub use files::{CertifiedFiles, Warning};
pub use identity::{AgentIdentity, AgentName, ClientIdentity, IdentityError, InvalidAgentName};
pub use keys::{ClusterKey, KeyError, SlotKey};
pub use link::{LinkSettings, LinkTls};
pub use papers::{PaperNames, PaperRoot, Papers, PapersError};
pub use pin::{InvalidKeyPin, KeyPin};
pub use revocation::Revocations;
pub use serial::{InvalidSerial, Serial};
pub use shown::ShownTls;
pub use tls::{DoorSettings, DoorSource, FrontDoorTls, TunnelDoorTls};
pub use upstream::{upstream_tls, web_tls};
