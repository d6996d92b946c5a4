//! Which certificate signing requests are taken, and what of them.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, SanType, SigningKey,
};
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::{
    AgentIdentity, AgentName, Authority, AuthorityError, Signed, SlotKey, Validity, identity, subject,
};

fn root() -> Authority {
    Authority::new("root", Validity::days(1)).unwrap()
}

fn agent() -> AgentName {
    AgentName {
        trust_domain: "trunkline.local".to_owned(),
        cluster: "alpha".parse().unwrap(),
        uid: ClusterUid::random(),
        slot: Slot(1),
    }
}

fn signed(csr_pem: &str) -> Result<Signed, AuthorityError> {
    root().agent_from_csr(csr_pem, &agent(), Validity::days(1))
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn der_of(csr_pem: &str) -> Vec<u8> {
    CertificateSigningRequestDer::from_pem_slice(csr_pem.as_bytes()).unwrap().to_vec()
}

fn pem_of(der: &[u8]) -> String {
    subject::pem("CERTIFICATE REQUEST", der)
}

#[test]
fn a_slots_request_gives_a_certificate_for_its_key_and_the_name_the_gateway_says() {
    let (root, key, name) = (root(), SlotKey::generate().unwrap(), agent());
    let life = Validity::lasting(std::time::Duration::from_secs(60));
    let signed = root.agent_from_csr(&key.csr_pem(), &name, life).unwrap();
    let identity = AgentIdentity::from_certificate(&signed.certificate_der).unwrap();
    assert_eq!(identity.name(), name);
    assert_eq!((&identity.serial, identity.not_after), (&signed.serial, signed.not_after));
    assert_eq!(signed.pin, key.pin());
    assert_eq!(KeyPin::of_certificate(&signed.certificate_der).unwrap(), key.pin());
    assert!(signed.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(check_csr(&key.csr_pem()), Ok(()));
    assert_eq!(subject_of(&key.csr_pem()), "");
}

fn subject_of(csr_pem: &str) -> String {
    let der = der_of(csr_pem);
    let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
    request.certification_request_info.subject.to_string()
}

#[test]
fn nothing_a_request_names_reaches_the_certificate() {
    let key = p256();
    let mut params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "system:admin");
    params.distinguished_name.push(DnType::OrganizationName, "system:masters");
    let other = "spiffe://trunkline.local/cluster/beta/8a6f0b0e-55a6-4c5a-a5a3-1c9a6b6ff0aa/slot/0";
    params.subject_alt_names.push(SanType::URI(other.try_into().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::Any,
        ExtendedKeyUsagePurpose::CodeSigning,
    ];
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![4, 1, 7])];
    let request = params.serialize_request(&key).unwrap().pem().unwrap();

    let name = agent();
    let (named, plain) = (request, SlotKey::generate().unwrap().csr_pem());
    let [named, plain] =
        [named, plain].map(|csr| root().agent_from_csr(&csr, &name, Validity::days(1)).unwrap());
    let [named, plain] = [&named, &plain].map(|signed| identity::parse(&signed.certificate_der).unwrap());
    assert_eq!(named.subject().to_string(), plain.subject().to_string());
    assert!(!named.is_ca());
    let usage = named.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any && !usage.code_signing);
    let names = |certificate: &x509_parser::certificate::X509Certificate<'_>| {
        format!("{:?}", certificate.subject_alternative_name().unwrap().unwrap().value)
    };
    assert_eq!(names(&named), names(&plain));
    let kinds = |certificate: &x509_parser::certificate::X509Certificate<'_>| {
        certificate.extensions().iter().map(|extension| extension.oid.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&named), kinds(&plain));
}

#[test]
fn only_p256_keys_are_certified() {
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        assert_eq!(check_csr(&csr), Err(RequestError::NotP256), "{algorithm:?}");
        assert!(matches!(signed(&csr), Err(AuthorityError::Request(RequestError::NotP256))));
    }
}

#[test]
fn a_request_tampered_with_in_any_byte_is_refused_or_asks_for_the_same() {
    let good = der_of(&SlotKey::generate().unwrap().csr_pem());
    let (_, request) = X509CertificationRequest::from_der(&good).unwrap();
    let asked = request.certification_request_info.raw;
    let signed_part = good.windows(asked.len()).position(|window| window == asked).unwrap();
    let signed_part = signed_part..signed_part + asked.len();
    let (_, pin) = requested_key(&pem_of(&good)).unwrap();
    for at in 0..good.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            // What is wrapped around the signed part has bits that mean nothing.
            if let Ok((_, asked_for)) = requested_key(&pem_of(&bad)) {
                assert!(!signed_part.contains(&at) && asked_for == pin, "byte {at} may be changed");
            }
        }
    }
}

#[test]
fn a_request_for_somebody_elses_key_is_refused() {
    /// Says it is one key and signs with another.
    struct Pretender(KeyPair, KeyPair);
    impl rcgen::PublicKeyData for Pretender {
        fn der_bytes(&self) -> &[u8] {
            self.0.der_bytes()
        }
        fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
            self.0.algorithm()
        }
    }
    impl SigningKey for Pretender {
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
            self.1.sign(message)
        }
    }
    let request = CertificateParams::default().serialize_request(&Pretender(p256(), p256())).unwrap();
    assert_eq!(check_csr(&request.pem().unwrap()), Err(RequestError::BadSignature));
}

#[test]
fn what_is_not_one_request_is_refused() {
    let good = SlotKey::generate().unwrap().csr_pem();
    let der = der_of(&good);
    let longer = [&der[..], &[0]].concat();
    let table = [
        (String::new(), RequestError::Malformed),
        ("hello".to_owned(), RequestError::Malformed),
        (good.clone() + &good, RequestError::Malformed),
        (good.replace("CERTIFICATE REQUEST", "CERTIFICATE"), RequestError::Malformed),
        (root().certificate_pem(), RequestError::Malformed),
        (good[..good.len() / 2].to_owned(), RequestError::Malformed),
        (pem_of(&[]), RequestError::Malformed),
        (pem_of(&longer), RequestError::Malformed),
        (pem_of(&[0x30; 3000]), RequestError::Malformed),
        (format!("{}{good}", "\n".repeat(MAX_PEM_BYTES)), RequestError::TooLarge),
        ("\0".repeat(MAX_PEM_BYTES + 1), RequestError::TooLarge),
    ];
    for (bad, expected) in table {
        assert_eq!(check_csr(&bad), Err(expected), "{:?}", bad.chars().take(60).collect::<String>());
    }
    for end in 0..der.len() {
        assert_eq!(check_csr(&pem_of(&der[..end])), Err(RequestError::Malformed), "{end} bytes");
    }
    let within = format!("{}{good}", "\n".repeat(MAX_PEM_BYTES - good.len()));
    assert!(check_csr(&within).is_ok());
}

#[test]
fn a_name_that_no_agent_may_have_is_not_certified_for_any_request() {
    let management = AgentName { cluster: "management".parse().unwrap(), ..agent() };
    let csr = SlotKey::generate().unwrap().csr_pem();
    let refused = root().agent_from_csr(&csr, &management, Validity::days(1));
    assert!(matches!(refused, Err(AuthorityError::InvalidAgent { .. })));
}
