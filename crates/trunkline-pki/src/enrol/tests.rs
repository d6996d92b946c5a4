//! The link on which an agent enrols, held by whole handshakes in memory.

use std::time::{Duration, SystemTime};

use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::{
    AlertDescription, CertificateError, Error, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig,
};
use rustls_pki_types::PrivateKeyDer;
use tempfile::TempDir;
use trunkline_proto::{ClusterUid, ENROL_ALPN, Slot};

use super::*;
use crate::handshake::{Outcome, shake, shake_with};
use crate::{
    AgentName, Authority, DoorSettings, DoorSource, Issued, PaperNames, Papers, Revocations, SlotKey,
    TunnelDoorTls, Validity,
};

/// A gateway with papers of its own, and its tunnel door.
struct Gateway {
    _dir: TempDir,
    papers: Papers,
    door: TunnelDoorTls,
}

impl Gateway {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let names = || vec!["localhost".to_owned()];
        let papers =
            Papers::open(&dir.path().join("pki"), &PaperNames { front: names(), tunnel: names() }).unwrap();
        let source = DoorSource { papers: Some(papers.clone()), ..DoorSource::default() };
        let door = TunnelDoorTls::new(DoorSettings { source, revocations: Revocations::new() }).unwrap();
        Self { _dir: dir, papers, door }
    }

    fn pin(&self) -> Anchor {
        Anchor::Pin(self.papers.pin())
    }

    fn enrolled_at_by(&self, key: &ClusterKey, anchor: &Anchor) -> Outcome {
        shake(enrol_link_tls(key, anchor).unwrap(), self.door.enrol().unwrap())
    }

    /// Whoever shows this chain, or nothing, comes to enrol; the gateway is believed.
    fn shown(&self, chain: &[CertificateDer<'static>], key: PrivateKeyDer<'static>) -> Outcome {
        let builder = self.believing();
        let builder = if chain.is_empty() {
            builder.with_no_client_auth()
        } else {
            builder.with_client_auth_cert(chain.to_vec(), key).unwrap()
        };
        shake(Arc::new(speaking_enrol(builder)), self.door.enrol().unwrap())
    }

    fn believing(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        ClientConfig::builder_with_provider(crypto_provider())
            .with_protocol_versions(TUNNEL_VERSIONS)
            .unwrap()
            .with_root_certificates(files::trusted("", self.papers.roots_pem().as_bytes()).unwrap())
    }
}

fn speaking_enrol(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![ENROL_ALPN.to_vec()];
    config.resumption = Resumption::in_memory_sessions(16);
    config
}

fn cluster_key() -> ClusterKey {
    ClusterKey::generate().unwrap()
}

fn agent_of(authority: &Authority) -> Issued {
    let (cluster, uid) = ("alpha".parse().unwrap(), ClusterUid::random());
    let name = AgentName { trust_domain: "trunkline.local".to_owned(), cluster, uid, slot: Slot(0) };
    authority.agent(&name, Validity::days(1)).unwrap()
}

/// Somebody in the gateway's place, who shows this chain to whoever comes to enrol.
fn door_showing(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(TUNNEL_VERSIONS)
        .unwrap()
        .with_client_cert_verifier(Arc::new(EnrolVerifier::new()))
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![ENROL_ALPN.to_vec()];
    Arc::new(config)
}

fn refused(error: CertificateError) -> Option<Error> {
    Some(Error::InvalidCertificate(error))
}

#[test]
fn an_agent_that_has_only_the_pin_enrols_with_its_key() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let outcome = gateway.enrolled_at_by(&key, &gateway.pin());
    assert!(outcome.is_accepted(), "{:?} {:?}", outcome.client_error, outcome.server_error);
    assert_eq!(enrolling_key(&outcome.shown_to_door().unwrap()), Ok(key.pin()));
    assert_eq!(outcome.server.alpn_protocol(), Some(ENROL_ALPN));
    assert_eq!(outcome.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn an_agent_that_has_the_roots_enrols_with_its_key() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let outcome = gateway.enrolled_at_by(&key, &Anchor::Roots(gateway.papers.roots_pem()));
    assert!(outcome.is_accepted(), "{:?}", outcome.client_error);
    assert_eq!(enrolling_key(&outcome.shown_to_door().unwrap()), Ok(key.pin()));
}

/// What is said of a gateway that shows no root with the pinned key.
fn not_pinned(outcome: &Outcome) -> String {
    match &outcome.client_error {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => other.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_gateway_of_another_pin_is_not_enrolled_at() {
    let (gateway, other) = (Gateway::new(), Gateway::new());
    for anchor in [other.pin(), Anchor::Roots(other.papers.roots_pem()), {
        Anchor::Pin(gateway.papers.front_authority().pin())
    }] {
        let outcome = gateway.enrolled_at_by(&cluster_key(), &anchor);
        match &anchor {
            Anchor::Roots(_) => {
                assert_eq!(outcome.client_error, refused(CertificateError::UnknownIssuer));
            }
            Anchor::Pin(_) => assert!(not_pinned(&outcome).contains("trunkline tunnel root")),
        }
        assert_eq!(outcome.shown_to_door(), None, "the key was shown to a stranger");
    }
}

#[test]
fn t12_somebody_in_between_gets_nowhere_with_a_chain_of_his_own() {
    let gateway = Gateway::new();
    let root = gateway.papers.front_authority();
    let real_root = gateway.door_root();
    let own = Authority::new("a public root", Validity::days(1)).unwrap();
    let leaf = own.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let other = root.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let chains = [
        vec![leaf.certificate_der.clone()],
        vec![leaf.certificate_der.clone(), own.certificate_der().clone()],
        // The pinned root is public: showing it along proves nothing.
        vec![leaf.certificate_der.clone(), real_root.clone()],
        vec![leaf.certificate_der.clone(), own.certificate_der().clone(), real_root.clone()],
        vec![leaf.certificate_der.clone(), real_root, own.certificate_der().clone()],
    ];
    let doors =
        chains.into_iter().map(|chain| door_showing(chain, leaf.key_der.clone_key())).chain([door_showing(
            vec![other.certificate_der.clone(), root.certificate_der().clone()],
            other.key_der.clone_key(),
        )]);
    for door in doors {
        let outcome = shake(enrol_link_tls(&cluster_key(), &gateway.pin()).unwrap(), door);
        assert!(
            matches!(outcome.client_error, Some(Error::InvalidCertificate(_))),
            "{:?}",
            outcome.client_error
        );
        assert_eq!(outcome.shown_to_door(), None);
    }
}

#[test]
fn a_root_forged_around_the_pinned_key_gains_nothing() {
    let gateway = Gateway::new();
    let forged = forged_root(&gateway.door_root());
    assert_eq!(KeyPin::of_certificate(&forged).unwrap(), gateway.papers.pin());
    let own = Authority::new("trunkline tunnel root", Validity::days(1)).unwrap();
    let leaf = own.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let chain = vec![leaf.certificate_der.clone(), forged, own.certificate_der().clone()];
    let outcome =
        shake(enrol_link_tls(&cluster_key(), &gateway.pin()).unwrap(), door_showing(chain, leaf.key_der));
    assert!(matches!(outcome.client_error, Some(Error::InvalidCertificate(_))), "{:?}", outcome.client_error);
}

/// The root's public key under the name of another, as anyone can write it: with a signature that means nothing.
fn forged_root(root: &CertificateDer<'_>) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "trunkline tunnel root");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = keys::p256(identity::parse(root).unwrap().public_key().raw).unwrap();
    let forger = Issuer::new(params.clone(), KeyPair::generate().unwrap());
    params.signed_by(&key, &forger).unwrap().der().clone()
}

#[test]
fn what_the_pinned_root_signed_for_others_does_not_pass_for_the_gateway() {
    let gateway = Gateway::new();
    let root = gateway.door_authority();
    let shows = |issued: &Issued| {
        let chain = vec![issued.certificate_der.clone(), root.certificate_der().clone()];
        let door = door_showing(chain, issued.key_der.clone_key());
        shake(enrol_link_tls(&cluster_key(), &gateway.pin()).unwrap(), door).client_error
    };
    let agent = shows(&agent_of(&root)).unwrap();
    assert!(matches!(agent, Error::InvalidCertificate(_)), "an agent passed: {agent:?}");

    let elsewhere = root.tunnel_server(&["elsewhere.example"], Validity::days(1)).unwrap();
    assert!(matches!(
        shows(&elsewhere),
        Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
    ));

    let (now, day) = (SystemTime::now(), Duration::from_secs(86_400));
    let ended = Validity { not_before: now - day * 2, not_after: now - day };
    let ended = root.tunnel_server(&["localhost"], ended).unwrap();
    assert!(matches!(
        shows(&ended),
        Some(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }))
    ));

    let to_come = Validity { not_before: now + day, not_after: now + day * 2 };
    let to_come = root.tunnel_server(&["localhost"], to_come).unwrap();
    assert!(matches!(
        shows(&to_come),
        Some(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
        ))
    ));
    assert_eq!(shows(&root.tunnel_server(&["localhost"], Validity::days(1)).unwrap()), None);
}

#[test]
fn the_gateways_name_counts_at_enrolment_too() {
    let gateway = Gateway::new();
    for anchor in [gateway.pin(), Anchor::Roots(gateway.papers.roots_pem())] {
        let link = enrol_link_tls(&cluster_key(), &anchor).unwrap();
        let outcome = shake_with("elsewhere.example", link, gateway.door.enrol().unwrap());
        assert!(matches!(
            outcome.client_error,
            Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
        ));
    }
}

#[test]
fn the_pinned_root_must_be_shown_and_be_a_root() {
    let gateway = Gateway::new();
    let leaf = gateway.door_authority().tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let alone = door_showing(vec![leaf.certificate_der.clone()], leaf.key_der.clone_key());
    let outcome = shake(enrol_link_tls(&cluster_key(), &gateway.pin()).unwrap(), alone);
    not_pinned(&outcome);

    // A leaf whose own key is pinned is no root.
    let pin = Anchor::Pin(KeyPin::of_certificate(&leaf.certificate_der).unwrap());
    let twice = vec![leaf.certificate_der.clone(), leaf.certificate_der.clone()];
    let outcome = shake(enrol_link_tls(&cluster_key(), &pin).unwrap(), door_showing(twice, leaf.key_der));
    not_pinned(&outcome);
}

#[test]
fn whoever_shows_no_certificate_cannot_enrol() {
    let gateway = Gateway::new();
    let outcome = gateway.shown(&[], keys::der(cluster_key().pair()));
    assert_eq!(outcome.server_error, Some(Error::NoCertificatesPresented));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateRequired));
}

#[test]
fn a_certificate_that_an_authority_signed_shows_no_cluster_key() {
    let gateway = Gateway::new();
    let stranger = Authority::new("stranger", Validity::days(1)).unwrap();
    for authority in [gateway.door_authority(), Arc::new(stranger)] {
        let agent = agent_of(&authority);
        let outcome = gateway.shown(std::slice::from_ref(&agent.certificate_der), agent.key_der);
        assert_eq!(outcome.alert(), Some(AlertDescription::CertificateUnknown));
        assert_eq!(enrolling_key(&agent.certificate_der), Err(EnrollingKeyError::NotSelfSigned));
    }
}

#[test]
fn a_chain_or_another_kind_of_key_shows_no_cluster_key() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let own = self_signed(&key).unwrap();
    let outcome = gateway.shown(&[own.clone(), own], keys::der(key.pair()));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateUnknown));
    for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let shown = CertificateParams::default().self_signed(&key).unwrap().der().clone();
        let outcome = gateway.shown(std::slice::from_ref(&shown), keys::der(&key));
        assert!(!outcome.is_accepted(), "{algorithm:?}");
        assert_eq!(enrolling_key(&shown), Err(EnrollingKeyError::NotP256));
    }
}

#[test]
fn a_cluster_key_is_not_shown_by_who_does_not_hold_it() {
    let (gateway, key, thief) = (Gateway::new(), cluster_key(), cluster_key());
    let stolen = self_signed(&key).unwrap();
    let signer = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&keys::der(thief.pair())).unwrap();
    let shown = Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![stolen], signer)));
    let config = speaking_enrol(gateway.believing().with_client_cert_resolver(shown));
    let outcome = shake(Arc::new(config), gateway.door.enrol().unwrap());
    assert_eq!(outcome.server_error, refused(CertificateError::BadSignature));
}

#[test]
fn dates_and_names_of_the_shown_certificate_mean_nothing() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let mut params = CertificateParams::new(vec!["spiffe.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(1980, 1, 1);
    params.not_after = rcgen::date_time_ymd(1981, 1, 1);
    params.distinguished_name.push(rcgen::DnType::CommonName, "system:admin");
    let shown = params.self_signed(key.pair()).unwrap().der().clone();
    let outcome = gateway.shown(std::slice::from_ref(&shown), keys::der(key.pair()));
    assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
    assert_eq!(enrolling_key(&shown), Ok(key.pin()));
}

#[test]
fn what_is_no_certificate_of_a_key_is_refused() {
    let good = self_signed(&cluster_key()).unwrap();
    assert!(enrolling_key(&good).is_ok());
    let der = |bytes: &[u8]| CertificateDer::from(bytes.to_vec());
    for end in 0..good.len() {
        assert_eq!(enrolling_key(&der(&good[..end])), Err(EnrollingKeyError::Malformed), "{end} bytes");
    }
    assert_eq!(enrolling_key(&der(&[&good[..], &[0]].concat())), Err(EnrollingKeyError::Malformed));
    assert_eq!(enrolling_key(&der(&[0x30; 4097])), Err(EnrollingKeyError::TooLarge));
    let signed_part = identity::parse(&good).unwrap().tbs_certificate.as_ref().to_vec();
    let begins = good.windows(signed_part.len()).position(|window| window == signed_part).unwrap();
    for at in begins..begins + signed_part.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 1;
        assert!(enrolling_key(&der(&bad)).is_err(), "byte {at} may be changed");
    }
}

#[test]
fn t13_the_enrolment_door_resumes_nothing_and_speaks_nothing_else() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let shown = vec![self_signed(&key).unwrap()];
    let config = gateway.believing().with_client_auth_cert(shown, keys::der(key.pair())).unwrap();
    let config = Arc::new(speaking_enrol(config));
    for _ in 0..3 {
        let outcome = shake(config.clone(), gateway.door.enrol().unwrap());
        assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
        assert_eq!(outcome.kind(), Some(HandshakeKind::Full));
        assert_eq!(outcome.client.tls13_tickets_received(), 0);
    }
    let mut other = (*config).clone();
    other.alpn_protocols = vec![trunkline_proto::ALPN.to_vec()];
    let outcome = shake(Arc::new(other), gateway.door.enrol().unwrap());
    assert_eq!(outcome.alert(), Some(AlertDescription::NoApplicationProtocol));

    let old = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let outcome = shake(Arc::new(old), gateway.door.enrol().unwrap());
    assert_eq!(outcome.alert(), Some(AlertDescription::ProtocolVersion));
}

#[test]
fn a_cluster_key_does_not_open_the_tunnel_itself() {
    let (gateway, key) = (Gateway::new(), cluster_key());
    let mut link = (*enrol_link_tls(&key, &gateway.pin()).unwrap()).clone();
    link.alpn_protocols = vec![trunkline_proto::ALPN.to_vec()];
    let outcome = shake(Arc::new(link), gateway.door.current());
    assert_eq!(outcome.alert(), Some(AlertDescription::UnknownCA));
}

#[test]
fn roots_that_are_none_are_refused_before_anything_is_dialled() {
    let key = cluster_key();
    let leaf = agent_of(&Authority::new("root", Validity::days(1)).unwrap());
    let with_key = format!("{}{}", leaf.certificate_pem, *leaf.key_pem);
    for (roots, expected) in [
        (String::new(), "no certificate"),
        ("hello".to_owned(), "no certificate"),
        (leaf.certificate_pem, "not a CA's"),
        (with_key, "private key"),
        ("\n".repeat(files::MAX_GIVEN_BYTES + 1), "larger than"),
    ] {
        let refused = enrol_link_tls(&key, &Anchor::Roots(roots)).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn a_slot_key_signs_its_request_only_and_never_enrols() {
    let (gateway, slot) = (Gateway::new(), SlotKey::generate().unwrap());
    let agent = AgentName {
        trust_domain: gateway.papers.trust_domain().to_owned(),
        cluster: "alpha".parse().unwrap(),
        uid: ClusterUid::random(),
        slot: Slot(0),
    };
    let signed = gateway.papers.sign_agent(&slot.csr_pem(), &agent, Validity::days(1)).unwrap();
    let outcome = gateway.shown(&[signed.certificate_der], slot.der());
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateUnknown));
}

impl Gateway {
    /// The certificate of the root the door stands under.
    fn door_root(&self) -> CertificateDer<'static> {
        files::chain("", self.papers.roots_pem().as_bytes()).unwrap().remove(0)
    }

    /// The root the door stands under, with its key.
    fn door_authority(&self) -> Arc<Authority> {
        self.papers.shown_root()
    }
}
