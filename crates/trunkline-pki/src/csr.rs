//! What is taken from a certificate signing request: its public key, and the proof that who asks has the private one.
//!
//! Invariant: nothing else of a request is looked at. Names and extensions it holds never reach a certificate; the
//! gateway knows who asks, and says so in the certificate itself.

use rcgen::SubjectPublicKeyInfo;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::{KeyPin, keys};

/// The longest request that is read, in bytes of PEM; ours have about 300.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// Why a certificate signing request is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Longer than is read.
    #[error(
        "the certificate signing request is longer than {MAX_PEM_BYTES} bytes; send one with a key alone"
    )]
    TooLarge,
    /// Not one request.
    #[error("not one certificate signing request in PEM; send it with BEGIN CERTIFICATE REQUEST")]
    Malformed,
    /// Another kind of key.
    #[error("the key of the certificate signing request is not ECDSA P-256; make such a key")]
    NotP256,
    /// Signed by nobody, or by another key.
    #[error("the certificate signing request is not signed by its own key; make it again")]
    BadSignature,
}

/// Whether a certificate can be issued for this request (PEM).
///
/// # Errors
/// When it is longer than 16 KiB, does not parse, is not signed by its own key, or holds another key than P-256.
pub fn check_csr(csr_pem: &str) -> Result<(), RequestError> {
    requested_key(csr_pem).map(drop)
}

/// The key a request is for, proven to be in the hands of who made the request.
pub(crate) fn requested_key(csr_pem: &str) -> Result<(SubjectPublicKeyInfo, KeyPin), RequestError> {
    if csr_pem.len() > MAX_PEM_BYTES {
        return Err(RequestError::TooLarge);
    }
    let mut requests = CertificateSigningRequestDer::pem_slice_iter(csr_pem.as_bytes());
    let (Some(Ok(request)), None) = (requests.next(), requests.next()) else {
        return Err(RequestError::Malformed);
    };
    let Ok(([], request)) = X509CertificationRequest::from_der(&request) else {
        return Err(RequestError::Malformed);
    };
    let info = request.certification_request_info.subject_pki.raw;
    let key = keys::p256(info).ok_or(RequestError::NotP256)?;
    request.verify_signature().map_err(|_| RequestError::BadSignature)?;
    Ok((key, KeyPin::of_key(info)))
}

#[cfg(test)]
mod tests;
