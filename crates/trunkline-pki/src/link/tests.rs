//! A link in memory, while its certificate and roots change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::{CertificateError, Error, HandshakeKind};
use tempfile::TempDir;
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::handshake::shake;
use crate::{
    AgentName, Authority, DoorSettings, DoorSource, PaperNames, Papers, Revocations, Signed, TunnelDoorTls,
    Validity,
};

/// A gateway with papers of its own.
struct Gateway {
    dir: TempDir,
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
        Self { dir, papers, door }
    }

    fn certified(&self, key: &SlotKey) -> Signed {
        self.certified_for(key, Validity::days(1))
    }

    fn certified_for(&self, key: &SlotKey, validity: Validity) -> Signed {
        self.papers.sign_agent(&key.csr_pem(), &agent(), validity).unwrap()
    }

    fn link(&self) -> LinkTls {
        let key = SlotKey::generate().unwrap();
        LinkTls::issued(&self.certified(&key).certificate_pem, &key, &self.papers.roots_pem()).unwrap()
    }

    fn lets_in(&self, link: &LinkTls) -> bool {
        shake(link.current(), self.door.current()).is_accepted()
    }
}

fn agent() -> AgentName {
    AgentName {
        trust_domain: "trunkline.local".to_owned(),
        cluster: "alpha".parse().unwrap(),
        uid: ClusterUid::random(),
        slot: Slot(0),
    }
}

#[test]
fn an_issued_certificate_opens_the_tunnel() {
    let gateway = Gateway::new();
    let (key, life) = (SlotKey::generate().unwrap(), Validity::lasting(Duration::from_secs(60)));
    let signed = gateway.certified_for(&key, life);
    let link = LinkTls::issued(&signed.certificate_pem, &key, &gateway.papers.roots_pem()).unwrap();
    let outcome = shake(link.current(), gateway.door.current());
    assert!(outcome.is_accepted(), "{:?} {:?}", outcome.client_error, outcome.server_error);
    assert_eq!(outcome.kind(), Some(HandshakeKind::Full));
    assert_eq!(outcome.shown_to_door(), Some(signed.certificate_der));
    assert_eq!((link.identity().serial, link.not_after()), (signed.serial, signed.not_after));
    assert!(!link.refresh().unwrap());
    assert!(link.warnings().is_empty());
}

#[test]
fn other_roots_are_trusted_from_the_next_handshake_on() {
    let (here, there) = (Gateway::new(), Gateway::new());
    let link = here.link();
    let identity = link.identity();
    link.trust(&format!("{}{}", here.papers.roots_pem(), there.papers.roots_pem())).unwrap();
    assert!(here.lets_in(&link));
    link.trust(&there.papers.roots_pem()).unwrap();
    let outcome = shake(link.current(), here.door.current());
    assert_eq!(outcome.client_error, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    assert_eq!(link.identity(), identity);
}

#[test]
fn a_wrong_certificate_makes_no_link_and_wrong_roots_leave_the_last_good_ones() {
    let gateway = Gateway::new();
    let link = gateway.link();
    let (key, other, roots) =
        (SlotKey::generate().unwrap(), SlotKey::generate().unwrap(), gateway.papers.roots_pem());
    let good = gateway.certified(&key).certificate_pem;
    let now = SystemTime::now();
    let minute = Duration::from_secs(60);
    let ended = Validity { not_before: now - minute * 2, not_after: now - minute };
    let ended = gateway.certified_for(&key, ended).certificate_pem;
    let client = gateway.papers.front_authority();
    let client = client.client("jane", &["a"], Validity::days(1)).unwrap().certificate_pem;
    let long = "\n".repeat(files::MAX_GIVEN_BYTES + 1);
    let table: [(&str, &SlotKey, &str, &str); 9] = [
        ("", &key, &roots, "no certificate"),
        ("hello", &key, &roots, "no certificate"),
        (&good, &other, &roots, "does not belong"),
        (&ended, &key, &roots, "expired"),
        (&client, &key, &roots, "does not belong"),
        (&long, &key, &roots, "larger than"),
        (&good, &key, "", "no certificate"),
        (&good, &key, &good, "not a CA's"),
        (&good, &key, &long, "larger than"),
    ];
    for (certificate, key, roots, expected) in table {
        let refused = LinkTls::issued(certificate, key, roots).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}, not {expected}");
    }
    for roots in ["", "hello", &good, &long] {
        assert!(link.trust(roots).is_err());
        assert!(gateway.lets_in(&link));
    }
}

#[test]
fn a_link_that_follows_files_is_not_given_its_roots_otherwise() {
    let gateway = Gateway::new();
    let root = Authority::new("root", Validity::days(1)).unwrap();
    let files =
        root.agent(&agent(), Validity::days(1)).unwrap().write_to(gateway.dir.path(), "agent").unwrap();
    let roots = gateway.dir.path().join("roots.pem");
    root.write_certificate(&roots).unwrap();
    let link = LinkTls::new(LinkSettings { files, roots }).unwrap();
    let (identity, roots) = (link.identity(), gateway.papers.roots_pem());
    assert!(matches!(link.trust(&roots), Err(TlsError::FollowsFiles)));
    assert_eq!(link.identity(), identity);
    assert_eq!(link.not_after(), identity.not_after);
}

#[test]
fn handshakes_see_the_roots_of_one_moment_while_they_change() {
    let (here, there) = (Gateway::new(), Gateway::new());
    let link = here.link();
    let changed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let dialling: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut dialled = 0;
                    while !changed.load(Ordering::Relaxed) {
                        let outcome = shake(link.current(), here.door.current());
                        // Either the roots are of here, or the agent does not even show its certificate.
                        match outcome.client_error {
                            None => assert!(outcome.is_accepted(), "{:?}", outcome.server_error),
                            Some(_) => assert_eq!(outcome.shown_to_door(), None),
                        }
                        dialled += 1;
                    }
                    dialled
                })
            })
            .collect();
        for _ in 0..100 {
            for gateway in [&there, &here] {
                link.trust(&gateway.papers.roots_pem()).unwrap();
            }
        }
        changed.store(true, Ordering::Relaxed);
        for dialled in dialling {
            assert!(dialled.join().unwrap() > 0);
        }
    });
    assert!(here.lets_in(&link));
}

#[test]
fn a_link_prints_who_it_is_and_no_key() {
    let gateway = Gateway::new();
    let link = gateway.link();
    let printed = format!("{link:?}");
    assert!(printed.contains("alpha") && printed.len() < 400, "{printed}");
}
