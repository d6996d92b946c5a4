//! What an authority issues, and what it refuses to.

use std::time::{Duration, SystemTime};

use rustls_pki_types::pem::PemObject;
use trunkline_proto::{ClusterUid, Slot};

use super::*;
use crate::AgentIdentity;

fn root() -> Authority {
    Authority::new("root", Validity::days(1)).unwrap()
}

fn agent_name() -> AgentName {
    AgentName {
        trust_domain: "trunkline.dev".to_owned(),
        cluster: "alpha".parse().unwrap(),
        uid: ClusterUid::random(),
        slot: Slot(0),
    }
}

#[test]
fn a_root_signs_leaves_only() {
    let root = root();
    let parsed = identity::parse(root.certificate_der()).unwrap();
    let constraints = parsed.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    assert!(parsed.name_constraints().unwrap().is_none());
    let usage = parsed.key_usage().unwrap().unwrap().value;
    assert!(usage.key_cert_sign() && !usage.digital_signature());
}

#[test]
fn each_profile_has_its_own_usage_and_none_is_a_ca() {
    let (root, life) = (root(), Validity::days(1));
    let servers = [root.front_server(&["localhost"], life), root.tunnel_server(&["::1"], life)];
    let clients = [root.client("jane", &["a", "b"], life), root.agent(&agent_name(), life)];
    let issued = servers.into_iter().map(|i| (i, true)).chain(clients.into_iter().map(|i| (i, false)));
    for (issued, is_server) in issued {
        let issued = issued.unwrap();
        let parsed = identity::parse(&issued.certificate_der).unwrap();
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert_eq!((usage.server_auth, usage.client_auth), (is_server, !is_server));
        assert!(!usage.any && !parsed.is_ca());
        assert!(parsed.key_usage().unwrap().unwrap().value.digital_signature());
    }
}

#[test]
fn serials_are_long_and_never_the_same() {
    let root = root();
    let serial = || root.client("jane", &["a"], Validity::days(1)).unwrap().serial;
    let (one, other) = (serial(), serial());
    assert_ne!(one, other);
    assert_eq!(one.to_string().len(), 33);
}

#[test]
fn an_authority_written_to_disk_issues_again() {
    let root = root();
    let again = Authority::from_pem(&root.certificate_pem(), &root.key_pem()).unwrap();
    let issued = again.agent(&agent_name(), Validity::days(1)).unwrap();
    assert!(AgentIdentity::from_certificate(&issued.certificate_der).is_ok());
    let issuer = identity::parse(&issued.certificate_der).unwrap().issuer().to_string();
    assert_eq!(issuer, "CN=root");
}

#[test]
fn an_authority_is_a_ca_with_its_own_key() {
    let (root, other) = (root(), root());
    let leaf = root.client("jane", &["a"], Validity::days(1)).unwrap();
    let pairs = [
        (root.certificate_pem(), other.key_pem()),
        (leaf.certificate_pem, leaf.key_pem),
        (root.certificate_pem(), Zeroizing::new(String::new())),
        ("hello".to_owned(), root.key_pem()),
    ];
    for (certificate, key) in pairs {
        assert!(matches!(Authority::from_pem(&certificate, &key), Err(AuthorityError::NotAPair)));
    }
}

#[test]
fn pem_and_der_are_the_same_certificate_and_key() {
    let issued = root().client("jane", &["a", "b"], Validity::days(1)).unwrap();
    let certificate = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    assert_eq!(certificate, issued.certificate_der);
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    assert_eq!(key.secret_der(), issued.key_der.secret_der());
}

#[test]
fn a_private_key_is_not_printed() {
    let root = root();
    let issued = root.client("jane", &["a"], Validity::days(1)).unwrap();
    let printed = format!("{root:?} {issued:?}");
    assert!(printed.len() < 200 && printed.contains(&issued.serial.to_string()), "{printed}");
}

#[test]
fn what_cannot_stand_in_a_certificate_is_refused() {
    let (root, life) = (root(), Validity::days(1));
    for name in ["", "two words", "a..b", "*", "a.*.b", "https://x", "ä.example"] {
        let refused = root.front_server(&[name], life);
        assert!(matches!(refused, Err(AuthorityError::InvalidName { .. })), "{name:?}");
    }
    let nameless = root.tunnel_server(&[] as &[&str], life);
    assert!(matches!(nameless, Err(AuthorityError::NoNames)));
    for user in ["", "a\nb", &"x".repeat(257)] {
        let refused = root.client(user, &["a"], life);
        assert!(matches!(refused, Err(AuthorityError::InvalidSubject { .. })), "{user:?}");
        let refused = root.client("jane", &["a", user], life);
        assert!(matches!(refused, Err(AuthorityError::InvalidSubject { .. })), "{user:?}");
    }
    let management = AgentName { cluster: "management".parse().unwrap(), ..agent_name() };
    let shouting = AgentName { trust_domain: "EXAMPLE".to_owned(), ..agent_name() };
    for name in [management, shouting] {
        assert!(matches!(root.agent(&name, life), Err(AuthorityError::InvalidAgent { .. })), "{name}");
    }
}

#[test]
fn a_life_that_ends_before_it_begins_is_refused() {
    let now = SystemTime::now();
    let day = Duration::from_secs(86_400);
    let absurd = Duration::from_secs(1000 * 366 * 86_400);
    let lives = [(now, now), (now, now - day), (SystemTime::UNIX_EPOCH - day, now), (now, now + absurd)];
    for (not_before, not_after) in lives {
        let refused = Authority::new("root", Validity { not_before, not_after });
        assert!(matches!(refused, Err(AuthorityError::Validity { .. })));
    }
}
