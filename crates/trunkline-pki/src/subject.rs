//! Subjects with several organisations, which Kubernetes reads as groups and rcgen cannot write.
//!
//! rcgen keeps one value per attribute type, so a client's certificate is issued with its user alone and then
//! written again here: the same fields around another subject, signed by the same key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::SigningKey;
use rustls_pki_types::CertificateDer;
use x509_parser::asn1_rs::{Any, FromDer};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0c;
const BIT_STRING: u8 = 0x03;

/// 2.5.4.10 and 2.5.4.3, as whole object identifiers.
const ORGANISATION: &[u8] = &[0x06, 3, 0x55, 4, 10];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];

/// Where the subject stands among the fields of a version 3 certificate that is to be signed.
const SUBJECT_FIELD: usize = 5;

/// `certificate` with `user` and `groups` for its subject, signed anew by `key`.
pub(crate) fn replace(
    certificate: CertificateDer<'static>,
    user: &str,
    groups: &[&str],
    key: &impl SigningKey,
) -> Result<CertificateDer<'static>, rcgen::Error> {
    if groups.is_empty() {
        return Ok(certificate);
    }
    let outer = elements(&certificate)?;
    let [signed, algorithm, _] = outer.as_slice() else {
        return Err(rcgen::Error::CouldNotParseCertificate);
    };
    let subject = subject(user, groups);
    let mut fields = elements(signed)?;
    *fields.get_mut(SUBJECT_FIELD).ok_or(rcgen::Error::CouldNotParseCertificate)? = &subject;
    let signed = element(SEQUENCE, &fields.concat());
    let signature = element(BIT_STRING, &[&[0], key.sign(&signed)?.as_slice()].concat());
    let whole = element(SEQUENCE, &[signed.as_slice(), algorithm, &signature].concat());
    Ok(CertificateDer::from(whole))
}

/// PEM of DER.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, character) in BASE64_STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + &format!("\n-----END {label}-----\n")
}

/// The distinguished name of a user and its groups.
fn subject(user: &str, groups: &[&str]) -> Vec<u8> {
    let organisations = groups.iter().map(|group| attribute(ORGANISATION, group));
    let names: Vec<_> = organisations.chain([attribute(COMMON_NAME, user)]).collect();
    element(SEQUENCE, &names.concat())
}

fn attribute(kind: &[u8], value: &str) -> Vec<u8> {
    let value = element(UTF8_STRING, value.as_bytes());
    element(SET, &element(SEQUENCE, &[kind, &value].concat()))
}

/// The elements of a sequence, each with its own header.
fn elements(sequence: &[u8]) -> Result<Vec<&[u8]>, rcgen::Error> {
    let (_, whole) = Any::from_der(sequence).map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
    let mut rest = whole.data;
    let mut elements = Vec::new();
    while !rest.is_empty() {
        let (after, _) = Any::from_der(rest).map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        elements.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    Ok(elements)
}

/// One element: tag, length, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = vec![tag];
    match significant {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        // At most eight bytes, so the cast-free form below cannot lose anything.
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}
