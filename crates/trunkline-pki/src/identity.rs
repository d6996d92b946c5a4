//! Who a verified certificate says its holder is.
//!
//! An agent's certificate holds exactly one URI, `spiffe://<trust-domain>/cluster/<id>/<uid>/slot/<n>`, and the
//! cluster it names is the cluster its tunnel serves. A client's certificate names a user and groups as
//! Kubernetes has it: common name and organisations.
//!
//! Invariants:
//! - nothing is repaired: an identity is written in its one canonical form or it is refused;
//! - reading an identity verifies no signature: only hand in certificates that a door has accepted;
//! - a certificate is an agent's or a client's, never both.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use trunkline_proto::{ClusterId, ClusterUid, Slot};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::AttributeTypeAndValue;

use crate::Serial;

/// The longest SPIFFE id that is looked at: its own standard's limit.
const MAX_URI_BYTES: usize = 2048;

/// The most groups a client's certificate may name; as many as an agent impersonates.
const MAX_GROUPS: usize = 500;

/// What an agent's certificate attests: which slot of which cluster, in which fleet.
///
/// Read and written as `spiffe://<trust-domain>/cluster/<id>/<uid>/slot/<n>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentName {
    /// The fleet's name, the same for all of its agents: lower-case letters, digits, `.`, `-` and `_`.
    pub trust_domain: String,
    /// The cluster. Never the management cluster.
    pub cluster: ClusterId,
    /// Which registration of that id.
    pub uid: ClusterUid,
    /// The agent pod's place in its cluster.
    pub slot: Slot,
}

/// Why a text is not an [`AgentName`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidAgentName {
    /// Not of the expected form.
    #[error(
        "{0:?} is not of the form spiffe://<trust-domain>/cluster/<id>/<uid>/slot/<n>; issue the certificate again"
    )]
    Form(String),
    /// The management cluster is not reached through a tunnel.
    #[error(
        "the cluster id \"management\" is reserved: no agent may hold it; register the cluster under another id"
    )]
    Reserved,
}

/// Who an agent is, from its certificate's one SPIFFE URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// The fleet's name.
    pub trust_domain: String,
    /// The cluster the agent connects.
    pub cluster: ClusterId,
    /// Which registration of that id.
    pub uid: ClusterUid,
    /// The agent pod's place in its cluster.
    pub slot: Slot,
    /// The certificate's serial, by which it can be revoked.
    pub serial: Serial,
    /// When the certificate ends.
    pub not_after: SystemTime,
}

/// Who a client is: the common name is the user, the organisations are the groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The user's name, as the certificate has it. What it may be is for authentication to say.
    pub user: String,
    /// The user's groups, in the certificate's order.
    pub groups: Vec<String>,
    /// The certificate's serial, by which it can be revoked.
    pub serial: Serial,
    /// When the certificate ends.
    pub not_after: SystemTime,
}

/// Why no identity could be read from a certificate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdentityError {
    /// The bytes are not one certificate.
    #[error("not an X.509 certificate, or one with malformed extensions; issue it again")]
    Malformed,
    /// It may not be used to identify oneself to a door.
    #[error("its extended key usage does not include client authentication; issue it with that usage")]
    NotForClients,
    /// An agent's certificate holds one URI.
    #[error(
        "it holds {0} URI names where an agent's certificate holds exactly one; issue it with its SPIFFE id only"
    )]
    NotOneUri(usize),
    /// The one URI is not an agent's name.
    #[error("its URI name is not an agent's")]
    Name(#[source] InvalidAgentName),
    /// A client's certificate has one common name.
    #[error("its subject does not hold exactly one common name, the user; issue it with one")]
    NotOneUser,
    /// More groups than are looked at.
    #[error("its subject holds more than {MAX_GROUPS} organisations, the groups; issue it with fewer")]
    TooManyGroups,
    /// A name with characters that could be taken for something else downstream.
    #[error(
        "a name in its subject is empty, or holds control characters, or is not text; issue it with a plain name"
    )]
    UnprintableName,
    /// An agent is no client.
    #[error("it is an agent's certificate: agents do not come in at the front door")]
    AgentAsClient,
}

impl AgentName {
    /// The name as a URI, as it stands in the certificate.
    pub fn san(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trust_domain, cluster, uid, slot } = self;
        write!(f, "spiffe://{trust_domain}/cluster/{cluster}/{uid}/slot/{slot}")
    }
}

impl FromStr for AgentName {
    type Err = InvalidAgentName;

    fn from_str(uri: &str) -> Result<Self, InvalidAgentName> {
        let name = parse_agent_uri(uri).ok_or_else(|| InvalidAgentName::Form(clip(uri)))?;
        if name.cluster.is_management() { Err(InvalidAgentName::Reserved) } else { Ok(name) }
    }
}

impl AgentIdentity {
    /// Reads the identity from an agent's certificate.
    pub fn from_certificate(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let certificate = parse(der)?;
        require_client_usage(&certificate)?;
        let uris = uri_names(&certificate)?;
        let [uri] = uris.as_slice() else {
            return Err(IdentityError::NotOneUri(uris.len()));
        };
        let AgentName { trust_domain, cluster, uid, slot } = uri.parse().map_err(IdentityError::Name)?;
        let (serial, not_after) = (serial(&certificate), not_after(&certificate));
        Ok(Self { trust_domain, cluster, uid, slot, serial, not_after })
    }

    /// The name that the certificate attests.
    pub fn name(&self) -> AgentName {
        let Self { trust_domain, cluster, uid, slot, .. } = self.clone();
        AgentName { trust_domain, cluster, uid, slot }
    }

    /// The SPIFFE URI that the certificate holds.
    pub fn san(&self) -> String {
        self.name().to_string()
    }
}

impl ClientIdentity {
    /// Reads the identity from a client's certificate.
    pub fn from_certificate(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let certificate = parse(der)?;
        require_client_usage(&certificate)?;
        if uri_names(&certificate)?.iter().any(|uri| uri.starts_with("spiffe://")) {
            return Err(IdentityError::AgentAsClient);
        }
        let mut users = certificate.subject().iter_common_name();
        let (Some(user), None) = (users.next(), users.next()) else {
            return Err(IdentityError::NotOneUser);
        };
        let groups: Vec<_> = certificate
            .subject()
            .iter_organization()
            .take(MAX_GROUPS + 1)
            .map(text)
            .collect::<Result<_, _>>()?;
        if groups.len() > MAX_GROUPS {
            return Err(IdentityError::TooManyGroups);
        }
        let (serial, not_after) = (serial(&certificate), not_after(&certificate));
        Ok(Self { user: text(user)?, groups, serial, not_after })
    }
}

/// The certificate in these bytes, and nothing after it.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, IdentityError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) | Err(_) => Err(IdentityError::Malformed),
    }
}

/// The serial of a certificate.
pub(crate) fn serial(certificate: &X509Certificate<'_>) -> Serial {
    Serial::from_bytes(certificate.raw_serial())
}

/// The last second in which a certificate is valid.
pub(crate) fn not_after(certificate: &X509Certificate<'_>) -> SystemTime {
    let seconds = certificate.validity().not_after.timestamp();
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Refuses a certificate that does not say, in so many words, that it authenticates clients.
fn require_client_usage(certificate: &X509Certificate<'_>) -> Result<(), IdentityError> {
    let usage = certificate.extended_key_usage().map_err(|_| IdentityError::Malformed)?;
    match usage {
        Some(usage) if usage.value.client_auth => Ok(()),
        Some(_) | None => Err(IdentityError::NotForClients),
    }
}

/// The URIs among a certificate's names.
fn uri_names<'a>(certificate: &'a X509Certificate<'_>) -> Result<Vec<&'a str>, IdentityError> {
    let names = certificate.subject_alternative_name().map_err(|_| IdentityError::Malformed)?;
    let mut uris = Vec::new();
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        match name {
            GeneralName::URI(uri) => uris.push(*uri),
            GeneralName::Invalid(..) => return Err(IdentityError::Malformed),
            _ => {}
        }
    }
    Ok(uris)
}

/// An attribute of a subject as text that is safe to log and to put in a header.
fn text(attribute: &AttributeTypeAndValue<'_>) -> Result<String, IdentityError> {
    match attribute.as_str() {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(IdentityError::UnprintableName),
    }
}

/// The name in an agent's URI; reserved ids included.
fn parse_agent_uri(uri: &str) -> Option<AgentName> {
    if uri.len() > MAX_URI_BYTES {
        return None;
    }
    let mut parts = uri.strip_prefix("spiffe://")?.split('/');
    let trust_domain = parts.next().filter(|part| is_trust_domain(part))?;
    parts.next().filter(|part| *part == "cluster")?;
    let cluster = parts.next()?.parse().ok()?;
    let uid_text = parts.next()?;
    let uid: ClusterUid = uid_text.parse().ok()?;
    parts.next().filter(|part| *part == "slot")?;
    let slot_text = parts.next()?;
    let slot = Slot(slot_text.parse().ok()?);
    // Braces around a UUID, a "+1" or a "01" would be second spellings of one identity.
    let canonical = uid.to_string() == uid_text && slot.to_string() == slot_text && parts.next().is_none();
    canonical.then(|| AgentName { trust_domain: trust_domain.to_owned(), cluster, uid, slot })
}

/// Whether `text` may be a SPIFFE trust domain.
pub(crate) fn is_trust_domain(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// The beginning of a text from outside, short enough to print in an error.
fn clip(text: &str) -> String {
    text.chars().take(160).collect()
}

#[cfg(test)]
mod tests;
