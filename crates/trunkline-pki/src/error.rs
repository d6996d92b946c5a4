//! Why a TLS configuration could not be made.

use rustls::server::VerifierBuilderError;
use rustls_pki_types::pem;

use crate::{AuthorityError, IdentityError};

/// Why a TLS configuration could not be made. `origin` is the file's path, or what the bytes were handed in as.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("cannot read {origin}; check the path, and that the user this runs as may read it")]
    Unreadable {
        /// Which file.
        origin: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is too large to be what it should be.
    #[error("{origin} is larger than {limit} bytes; check that it is a PEM file of certificates or a key")]
    TooLarge {
        /// Which file.
        origin: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Damaged PEM.
    #[error("{origin} is damaged PEM; write it again")]
    NotPem {
        /// Which file.
        origin: String,
        /// What is damaged.
        #[source]
        source: pem::Error,
    },
    /// No certificate.
    #[error("no certificate in {origin}; it must hold PEM with BEGIN CERTIFICATE, the holder's own first")]
    NoCertificate {
        /// Which file.
        origin: String,
    },
    /// No usable private key.
    #[error("no private key in {origin}; it must hold PEM with BEGIN PRIVATE KEY, not encrypted")]
    NoKey {
        /// Which file.
        origin: String,
    },
    /// A certificate that cannot be parsed.
    #[error("a certificate in {origin} cannot be parsed; issue it again")]
    NotX509 {
        /// Which file.
        origin: String,
    },
    /// The private key is of another certificate.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}; put the matching pair there"
    )]
    KeyMismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// A kind of key that cannot sign here.
    #[error("the key in {origin} cannot be used; make an ECDSA P-256 key")]
    UnusableKey {
        /// Which file.
        origin: String,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
    /// The own certificate has ended.
    #[error(
        "the certificate in {origin} expired on {not_after} and it is {now} here; issue another, or set the clock"
    )]
    Expired {
        /// Which file.
        origin: String,
        /// When it ended.
        not_after: jiff::Timestamp,
        /// This machine's time.
        now: jiff::Timestamp,
    },
    /// A door's certificate names no host.
    #[error(
        "the certificate in {origin} names no DNS name or IP address as subject alternative name, and a common \
         name does not count; issue it with the names by which this door is reached"
    )]
    NoServerName {
        /// Which file.
        origin: String,
    },
    /// A door's certificate is not for servers.
    #[error(
        "the certificate in {origin} is not for server authentication; issue it with that extended key usage"
    )]
    NotForServers {
        /// Which file.
        origin: String,
    },
    /// A link's certificate is not an agent's.
    #[error("the certificate in {origin} is not an agent's; enrol again")]
    NotAnAgent {
        /// Which file.
        origin: String,
        /// What it lacks.
        #[source]
        source: IdentityError,
    },
    /// A CA file with a key in it.
    #[error(
        "{origin} holds a private key where only CA certificates belong; take the key out, and if it is a CA's key \
         keep it off this machine"
    )]
    KeyAmongRoots {
        /// Which file.
        origin: String,
    },
    /// A CA file with something that is no CA.
    #[error(
        "{origin} holds a certificate that is not a CA's; put the certificates of the trusted roots there"
    )]
    NotAnAuthority {
        /// Which file.
        origin: String,
    },
    /// Nothing to verify an API server by.
    #[error("no CA to verify the API server by; give its CA certificate, verification is never skipped")]
    NoRoots,
    /// A door with neither files nor papers.
    #[error(
        "there is no {0} for this door; name the files, or a data folder in which the gateway keeps its own papers"
    )]
    NoSource(&'static str),
    /// The gateway's own papers give no certificate.
    #[error(
        "the gateway's own papers give no certificate for this door; check the names it is to be reached by"
    )]
    OwnPapers(#[source] AuthorityError),
    /// The certificate that shows a cluster key cannot be made.
    #[error("the certificate that shows the cluster key could not be made; try again")]
    SelfSigned(#[source] rcgen::Error),
    /// A link that follows files is not given its certificate otherwise.
    #[error("this link follows the files of its certificate; write the next certificate there")]
    FollowsFiles,
    /// rustls takes no verifier of these roots.
    #[error("cannot verify under these roots; check the CA file")]
    Verifier(#[source] VerifierBuilderError),
    /// rustls takes no such configuration.
    #[error("TLS cannot be configured")]
    Rustls(#[source] rustls::Error),
}
