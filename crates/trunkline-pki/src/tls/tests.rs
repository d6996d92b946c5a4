//! Who is let in at which door, held by whole handshakes in memory.

use std::collections::HashSet;
use std::fs;

use rustls::client::Resumption;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, HandshakeKind, NamedGroup, ProtocolVersion,
    RootCertStore,
};
use rustls_pki_types::CertificateDer;
use tempfile::TempDir;
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::dev::DevPki;
use crate::handshake::{Outcome, shake, shake_with};
use crate::{
    AgentIdentity, AgentName, Authority, ClientIdentity, Issued, LinkSettings, LinkTls, Validity,
    upstream_tls,
};

/// A gateway's two doors with their files, and the roots they stand under.
struct Gateway {
    dir: TempDir,
    pki: DevPki,
    revocations: Revocations,
    tunnel: TunnelDoorTls,
    front: FrontDoorTls,
}

impl Gateway {
    fn new() -> Self {
        let (dir, pki) = (tempfile::tempdir().unwrap(), DevPki::in_memory().unwrap());
        let revocations = Revocations::new();
        let door = |authority: &Authority, name: &str| {
            let roots = dir.path().join(format!("{name}-roots.pem"));
            authority.write_certificate(&roots).unwrap();
            let issued = authority.front_server(&["localhost"], Validity::days(1)).unwrap();
            let files = issued.write_to(dir.path(), name).unwrap();
            DoorSettings { source: DoorSource::of_files(files, roots), revocations: revocations.clone() }
        };
        let tunnel = TunnelDoorTls::new(door(&pki.tunnel, "tunnel")).unwrap();
        let front = FrontDoorTls::new(door(&pki.front, "front")).unwrap();
        Self { dir, pki, revocations, tunnel, front }
    }

    /// An agent that shows this certificate, or none, dials the tunnel door.
    fn dialled_by(&self, shown: Option<&Issued>) -> Outcome {
        shake(self.pki.careless_link(shown).unwrap(), self.tunnel.current())
    }

    /// A client that shows this certificate, or none, comes to the front door.
    fn called_by(&self, shown: Option<&Issued>) -> Outcome {
        shake(Arc::new(self.client(shown, &[b"h2"])), self.front.current())
    }

    fn client(&self, shown: Option<&Issued>, alpn: &[&[u8]]) -> ClientConfig {
        let shown = shown.map(|issued| (issued.certificate_pem.as_bytes(), issued.key_pem.as_bytes()));
        upstream_tls(Some(self.pki.front.certificate_pem().as_bytes()), shown, alpn).unwrap()
    }

    fn link(&self, agent: &Issued) -> LinkTls {
        let files = agent.write_to(self.dir.path(), "agent").unwrap();
        LinkTls::new(LinkSettings { files, roots: self.dir.path().join("tunnel-roots.pem") }).unwrap()
    }
}

fn agent_of(authority: &Authority) -> Issued {
    let (cluster, uid) = ("alpha".parse().unwrap(), ClusterUid::random());
    let name = AgentName { trust_domain: "trunkline.dev".to_owned(), cluster, uid, slot: Slot(0) };
    authority.agent(&name, Validity::days(1)).unwrap()
}

fn operator_of(authority: &Authority) -> Issued {
    authority.client("operator", &["trunkline:admins", "sre"], Validity::days(1)).unwrap()
}

#[test]
fn an_agent_with_a_good_certificate_is_let_in_and_known() {
    let gateway = Gateway::new();
    let link = gateway.link(&agent_of(&gateway.pki.tunnel));
    let outcome = shake(link.current(), gateway.tunnel.current());
    assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
    let shown = outcome.shown_to_door().unwrap();
    assert_eq!(AgentIdentity::from_certificate(&shown).unwrap(), link.identity());
    assert_eq!(outcome.server.alpn_protocol(), Some(trunkline_proto::ALPN));
    assert_eq!(outcome.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn key_exchange_is_hybrid_and_bulk_is_aes_128_at_both_doors() {
    let gateway = Gateway::new();
    let agent = agent_of(&gateway.pki.tunnel);
    for outcome in [gateway.dialled_by(Some(&agent)), gateway.called_by(None)] {
        let group = outcome.server.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, NamedGroup::X25519MLKEM768);
        let suite = outcome.server.negotiated_cipher_suite().unwrap().suite();
        assert_eq!(suite, rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    }
}

#[test]
fn an_agent_under_another_root_is_turned_away() {
    let gateway = Gateway::new();
    let outcome = gateway.dialled_by(Some(&agent_of(&gateway.pki.stranger)));
    assert_eq!(outcome.alert(), Some(AlertDescription::UnknownCA));
}

#[test]
fn a_root_is_known_by_its_key_and_not_by_its_name() {
    let (gateway, other) = (Gateway::new(), DevPki::in_memory().unwrap());
    let outcome = gateway.dialled_by(Some(&agent_of(&other.tunnel)));
    let refused = Error::InvalidCertificate(CertificateError::BadSignature);
    assert_eq!(outcome.server_error, Some(refused));
}

#[test]
fn an_expired_agent_is_told_that_it_expired() {
    let gateway = Gateway::new();
    let day = std::time::Duration::from_secs(86_400);
    let yesterday = SystemTime::now() - day;
    let life = Validity { not_before: yesterday - day, not_after: yesterday };
    let good = agent_of(&gateway.pki.tunnel);
    let name = AgentIdentity::from_certificate(&good.certificate_der).unwrap().name();
    let expired = gateway.pki.tunnel.agent(&name, life).unwrap();
    let outcome = gateway.dialled_by(Some(&expired));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateExpired));
}

#[test]
fn a_revoked_agent_is_told_so_at_its_next_handshake() {
    let gateway = Gateway::new();
    let agent = agent_of(&gateway.pki.tunnel);
    assert!(gateway.dialled_by(Some(&agent)).is_accepted());
    gateway.revocations.replace(HashSet::from([agent.serial.clone()]));
    let outcome = gateway.dialled_by(Some(&agent));
    assert_eq!(outcome.server_error, Some(Error::InvalidCertificate(CertificateError::Revoked)));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateRevoked));
    assert!(gateway.dialled_by(Some(&agent_of(&gateway.pki.tunnel))).is_accepted());
    gateway.revocations.replace(HashSet::new());
    assert!(gateway.dialled_by(Some(&agent)).is_accepted());
}

#[test]
fn whoever_shows_no_certificate_is_no_agent() {
    let gateway = Gateway::new();
    let outcome = gateway.dialled_by(None);
    assert_eq!(outcome.server_error, Some(Error::NoCertificatesPresented));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateRequired));
}

#[test]
fn a_clients_certificate_does_not_open_the_tunnel_door() {
    let gateway = Gateway::new();
    let outcome = gateway.dialled_by(Some(&operator_of(&gateway.pki.front)));
    assert_eq!(outcome.alert(), Some(AlertDescription::UnknownCA));
}

#[test]
fn an_agents_certificate_does_not_open_the_front_door() {
    let gateway = Gateway::new();
    let outcome = gateway.called_by(Some(&agent_of(&gateway.pki.tunnel)));
    assert!(!outcome.is_accepted());
    assert_eq!(outcome.alert(), Some(AlertDescription::UnknownCA));
}

#[test]
fn t13_even_under_one_root_agents_and_clients_have_a_door_each() {
    let gateway = Gateway::new();
    let outcome = gateway.dialled_by(Some(&operator_of(&gateway.pki.tunnel)));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateUnknown));
    let outcome = gateway.called_by(Some(&agent_of(&gateway.pki.front)));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateUnknown));
}

#[test]
fn a_doors_own_certificate_opens_no_door() {
    let gateway = Gateway::new();
    let door = gateway.pki.tunnel.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    assert_eq!(gateway.dialled_by(Some(&door)).alert(), Some(AlertDescription::UnsupportedCertificate));
}

#[test]
fn a_certificate_without_a_usage_is_no_agents() {
    let gateway = Gateway::new();
    let root_key = rcgen::KeyPair::from_pem(&gateway.pki.tunnel.key_pem()).unwrap();
    let root = rcgen::Issuer::from_ca_cert_der(gateway.pki.tunnel.certificate_der(), root_key).unwrap();
    let mut params = rcgen::CertificateParams::default();
    let good = agent_of(&gateway.pki.tunnel);
    let uri = AgentIdentity::from_certificate(&good.certificate_der).unwrap().san();
    params.subject_alt_names = vec![rcgen::SanType::URI(uri.as_str().try_into().unwrap())];
    let key = rcgen::KeyPair::from_pem(&good.key_pem).unwrap();
    let bare = Issued { certificate_der: params.signed_by(&key, &root).unwrap().der().clone(), ..good };
    assert_eq!(gateway.dialled_by(Some(&bare)).alert(), Some(AlertDescription::CertificateUnknown));
}

#[test]
fn t13_tls_1_2_does_not_reach_the_tunnel() {
    let gateway = Gateway::new();
    let mut roots = RootCertStore::empty();
    roots.add(gateway.pki.tunnel.certificate_der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let outcome = shake(Arc::new(config), gateway.tunnel.current());
    assert_eq!(outcome.alert(), Some(AlertDescription::ProtocolVersion));
}

#[test]
fn another_protocol_than_ours_does_not_reach_the_tunnel() {
    let gateway = Gateway::new();
    let mut config = (*gateway.pki.careless_link(Some(&agent_of(&gateway.pki.tunnel))).unwrap()).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let outcome = shake(Arc::new(config), gateway.tunnel.current());
    assert_eq!(outcome.alert(), Some(AlertDescription::NoApplicationProtocol));
}

#[test]
fn an_agent_trusts_the_tunnel_root_only() {
    let gateway = Gateway::new();
    let link = gateway.link(&agent_of(&gateway.pki.tunnel));
    let elsewhere = gateway.pki.front.front_server(&["localhost"], Validity::days(1)).unwrap();
    elsewhere.write_to(gateway.dir.path(), "tunnel").unwrap();
    assert!(gateway.tunnel.refresh().unwrap());
    let outcome = shake(link.current(), gateway.tunnel.current());
    assert_eq!(outcome.client_error, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
}

#[test]
fn an_agent_dials_a_gateway_by_its_name_only() {
    let gateway = Gateway::new();
    let link = gateway.link(&agent_of(&gateway.pki.tunnel));
    let outcome = shake_with("elsewhere.example", link.current(), gateway.tunnel.current());
    assert!(matches!(
        outcome.client_error,
        Some(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
    ));
}

#[test]
fn an_agent_cannot_pass_for_the_gateway() {
    let gateway = Gateway::new();
    let (agent, other) = (agent_of(&gateway.pki.tunnel), agent_of(&gateway.pki.tunnel));
    let config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(TUNNEL_VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![other.certificate_der.clone()], other.key_der.clone_key())
        .unwrap();
    let config = without_resumption(config, &[trunkline_proto::ALPN]);
    let outcome = shake(gateway.link(&agent).current(), Arc::new(config));
    assert!(matches!(outcome.client_error, Some(Error::InvalidCertificate(_))));
}

#[test]
fn a_client_comes_in_with_a_certificate_or_without_one() {
    let gateway = Gateway::new();
    let outcome = gateway.called_by(Some(&operator_of(&gateway.pki.front)));
    assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
    let client = ClientIdentity::from_certificate(&outcome.shown_to_door().unwrap()).unwrap();
    assert_eq!(client.user, "operator");
    assert_eq!(client.groups, ["trunkline:admins", "sre"]);

    let outcome = gateway.called_by(None);
    assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
    assert_eq!(outcome.shown_to_door(), None);
}

#[test]
fn a_revoked_client_is_turned_away() {
    let gateway = Gateway::new();
    let operator = operator_of(&gateway.pki.front);
    gateway.revocations.replace(HashSet::from([operator.serial.clone()]));
    let outcome = gateway.called_by(Some(&operator));
    assert_eq!(outcome.alert(), Some(AlertDescription::CertificateRevoked));
}

#[test]
fn the_front_door_speaks_http_2_and_1_and_tls_1_2() {
    let gateway = Gateway::new();
    for protocol in [b"h2".as_slice(), b"http/1.1"] {
        let client = gateway.client(None, &[protocol]);
        let outcome = shake(Arc::new(client), gateway.front.current());
        assert_eq!(outcome.server.alpn_protocol(), Some(protocol));
    }
    let outcome = shake(Arc::new(tls12(&gateway, None)), gateway.front.current());
    assert!(outcome.is_accepted());
    assert_eq!(outcome.server.protocol_version(), Some(ProtocolVersion::TLSv1_2));
}

#[test]
fn the_front_doors_certificate_request_names_the_front_root_only() {
    let gateway = Gateway::new();
    let resolver = Arc::new(AskedFor::default());
    let mut config = gateway.client(None, &[b"h2"]);
    config.client_auth_cert_resolver = resolver.clone();
    assert!(shake(Arc::new(config), gateway.front.current()).is_accepted());
    let front =
        crate::identity::parse(gateway.pki.front.certificate_der()).unwrap().subject().as_raw().to_vec();
    assert_eq!(*resolver.0.lock().unwrap(), Some(vec![front]));
}

#[test]
fn t13_no_handshake_is_ever_resumed() {
    let gateway = Gateway::new();
    let sessions = || Resumption::in_memory_sessions(16);
    let agent = agent_of(&gateway.pki.tunnel);
    let mut link = (*gateway.pki.careless_link(Some(&agent)).unwrap()).clone();
    link.resumption = sessions();
    let operator = operator_of(&gateway.pki.front);
    let mut client = gateway.client(Some(&operator), &[b"h2"]);
    client.resumption = sessions();
    let mut old_client = tls12(&gateway, Some(&operator));
    old_client.resumption = sessions();
    let (link, client, old_client) = (Arc::new(link), Arc::new(client), Arc::new(old_client));

    let dials = [
        (link, gateway.tunnel.current()),
        (client, gateway.front.current()),
        (old_client, gateway.front.current()),
    ];
    for (client, server) in dials {
        for _ in 0..3 {
            let outcome = shake(client.clone(), server.clone());
            assert!(outcome.is_accepted(), "{:?}", outcome.server_error);
            assert_eq!(outcome.kind(), Some(HandshakeKind::Full));
            assert_eq!(outcome.client.tls13_tickets_received(), 0);
        }
        gateway.revocations.replace(HashSet::from([agent.serial.clone(), operator.serial.clone()]));
        let outcome = shake(client, server);
        assert_eq!(outcome.alert(), Some(AlertDescription::CertificateRevoked));
        gateway.revocations.replace(HashSet::new());
    }
}

#[test]
fn a_certificate_replaced_on_disk_is_shown_after_a_refresh() {
    let gateway = Gateway::new();
    let before = gateway.called_by(None).shown_by_door();
    assert!(!gateway.front.refresh().unwrap());

    let next = gateway.pki.front.front_server(&["localhost"], Validity::days(2)).unwrap();
    next.write_to(gateway.dir.path(), "front").unwrap();
    assert_eq!(gateway.called_by(None).shown_by_door(), before);
    let ends = gateway.front.not_after();
    assert!(gateway.front.refresh().unwrap());
    assert_eq!(gateway.called_by(None).shown_by_door(), next.certificate_der);
    assert!(gateway.front.not_after() > ends);
    assert!(!gateway.front.refresh().unwrap());
}

#[test]
fn a_renewed_agent_dials_with_its_next_certificate() {
    let gateway = Gateway::new();
    let link = gateway.link(&agent_of(&gateway.pki.tunnel));
    let next = agent_of(&gateway.pki.tunnel);
    next.write_to(gateway.dir.path(), "agent").unwrap();
    assert!(link.refresh().unwrap());
    assert_eq!(link.identity().serial, next.serial);
    let outcome = shake(link.current(), gateway.tunnel.current());
    assert_eq!(outcome.shown_to_door(), Some(next.certificate_der));
}

#[test]
fn broken_files_keep_the_last_good_configuration() {
    let gateway = Gateway::new();
    let agent = agent_of(&gateway.pki.tunnel);
    let certificate = gateway.dir.path().join("tunnel.pem");
    let good = fs::read(&certificate).unwrap();
    let half_swapped = gateway.pki.tunnel.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    for broken in [b"".as_slice(), b"hello", &good[..good.len() / 2], half_swapped.certificate_pem.as_bytes()]
    {
        fs::write(&certificate, broken).unwrap();
        for _ in 0..2 {
            let error = gateway.tunnel.refresh().unwrap_err();
            assert!(error.to_string().contains("tunnel.pem"), "{error}");
        }
        assert!(gateway.dialled_by(Some(&agent)).is_accepted());
    }
    fs::remove_file(&certificate).unwrap();
    assert!(gateway.tunnel.refresh().is_err());
    assert!(gateway.dialled_by(Some(&agent)).is_accepted());

    fs::write(&certificate, good).unwrap();
    assert!(!gateway.tunnel.refresh().unwrap());
}

#[test]
fn both_roots_are_served_while_agents_move_from_one_to_the_other() {
    let (gateway, next) = (Gateway::new(), DevPki::in_memory().unwrap());
    let (old, new) = (agent_of(&gateway.pki.tunnel), agent_of(&next.tunnel));
    let roots = gateway.dir.path().join("tunnel-roots.pem");
    let (old_root, new_root) = (gateway.pki.tunnel.certificate_pem(), next.tunnel.certificate_pem());
    let let_in = |agent| gateway.dialled_by(Some(agent)).is_accepted();
    assert_eq!((let_in(&old), let_in(&new)), (true, false));

    fs::write(&roots, format!("{old_root}{new_root}")).unwrap();
    assert!(gateway.tunnel.refresh().unwrap());
    assert_eq!((let_in(&old), let_in(&new)), (true, true));

    fs::write(&roots, new_root).unwrap();
    assert!(gateway.tunnel.refresh().unwrap());
    assert_eq!((let_in(&old), let_in(&new)), (false, true));
}

/// A client of before TLS 1.3.
fn tls12(gateway: &Gateway, shown: Option<&Issued>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(gateway.pki.front.certificate_der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots);
    match shown {
        Some(issued) => {
            let chain: Vec<CertificateDer<'static>> = vec![issued.certificate_der.clone()];
            builder.with_client_auth_cert(chain, issued.key_der.clone_key()).unwrap()
        }
        None => builder.with_no_client_auth(),
    }
}

/// Shows nothing, and remembers under which roots a certificate was asked for.
#[derive(Debug, Default)]
struct AskedFor(std::sync::Mutex<Option<Vec<Vec<u8>>>>);

impl rustls::client::ResolvesClientCert for AskedFor {
    fn resolve(&self, roots: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().unwrap() = Some(roots.iter().map(|root| root.to_vec()).collect());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}
