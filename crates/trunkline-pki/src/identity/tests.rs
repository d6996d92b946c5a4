//! Which certificates name an agent, which a client, and which nobody.

use super::*;
use crate::dev::DevPki;
use crate::{Authority, Issued, Validity};

const UID: &str = "a0000000-0000-4000-8000-000000000001";

fn uri() -> String {
    format!("spiffe://trunkline.dev/cluster/alpha/{UID}/slot/1")
}

fn root() -> Authority {
    DevPki::in_memory().unwrap().tunnel
}

fn agent_with(uris: &[&str]) -> Issued {
    let uris: Vec<_> = uris.iter().map(|uri| (*uri).to_owned()).collect();
    root().agent_with_uris(&uris, Validity::days(1)).unwrap()
}

fn identity_of(uri: &str) -> Result<AgentIdentity, IdentityError> {
    AgentIdentity::from_certificate(&agent_with(&[uri]).certificate_der)
}

#[test]
fn an_agents_certificate_names_its_cluster_and_slot() {
    let issued = agent_with(&[&uri()]);
    let agent = AgentIdentity::from_certificate(&issued.certificate_der).unwrap();
    assert_eq!(agent.trust_domain, "trunkline.dev");
    assert_eq!(agent.cluster.as_str(), "alpha");
    assert_eq!(agent.uid.to_string(), UID);
    assert_eq!(agent.slot, Slot(1));
    assert_eq!(agent.serial, issued.serial);
    assert_eq!(agent.san(), uri());
    let life = agent.not_after.duration_since(SystemTime::now()).unwrap();
    assert!(life > Duration::from_secs(86_000) && life <= Duration::from_secs(86_400));
}

#[test]
fn a_name_reads_back_as_it_was_written() {
    let name: AgentName = uri().parse().unwrap();
    assert_eq!(name.san(), uri());
    let issued = root().agent(&name, Validity::days(1)).unwrap();
    assert_eq!(AgentIdentity::from_certificate(&issued.certificate_der).unwrap().name(), name);
}

#[test]
fn only_the_canonical_form_is_an_agents_name() {
    let good = uri();
    let bad = [
        good.replace("spiffe", "https"),
        good.replace("spiffe", "SPIFFE"),
        good.replace("trunkline.dev", ""),
        good.replace("trunkline.dev", "Trunkline.dev"),
        good.replace("trunkline.dev", "trunkline.dev:443"),
        good.replace("trunkline.dev", "user@trunkline.dev"),
        good.replace("/cluster/", "/clusters/"),
        good.replace("/cluster/", "/Cluster/"),
        good.replace("/cluster/", "//cluster/"),
        good.replace("alpha", "Alpha"),
        good.replace("alpha", ""),
        good.replace("alpha", "al%70ha"),
        good.replace("alpha", ".."),
        good.replace(UID, &UID.to_uppercase()),
        good.replace(UID, &format!("{{{UID}}}")),
        good.replace(UID, &UID.replace('-', "")),
        good.replace(UID, "1"),
        good.replace("/slot/1", ""),
        good.replace("/slot/1", "/slot/"),
        good.replace("/slot/1", "/slot/01"),
        good.replace("/slot/1", "/slot/+1"),
        good.replace("/slot/1", "/slot/-1"),
        good.replace("/slot/1", "/slot/65536"),
        good.replace("/slot/1", "/Slot/1"),
        format!("{good}/"),
        format!("{good}/more"),
        format!("{good}?query"),
        format!("{good}#fragment"),
        format!(" {good}"),
        format!("{good}{}", "0".repeat(5000)),
    ];
    for uri in &bad {
        assert!(matches!(uri.parse::<AgentName>(), Err(InvalidAgentName::Form(_))), "{uri}");
        assert!(matches!(identity_of(uri), Err(IdentityError::Name(_))), "{uri}");
    }
}

#[test]
fn no_agent_holds_the_management_cluster() {
    let refused = identity_of(&uri().replace("alpha", "management"));
    assert_eq!(refused, Err(IdentityError::Name(InvalidAgentName::Reserved)));
}

#[test]
fn an_agents_certificate_has_exactly_one_uri() {
    let (one, other) = (uri(), uri().replace("alpha", "beta"));
    let read = |uris: &[&str]| AgentIdentity::from_certificate(&agent_with(uris).certificate_der);
    assert_eq!(read(&[]), Err(IdentityError::NotOneUri(0)));
    assert_eq!(read(&[&one, &other]), Err(IdentityError::NotOneUri(2)));
    assert_eq!(read(&[&one, &one]), Err(IdentityError::NotOneUri(2)));
    assert_eq!(read(&[&one, "https://example.com"]), Err(IdentityError::NotOneUri(2)));
}

#[test]
fn a_doors_own_certificate_names_no_agent_and_no_client() {
    let door = root().tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let agent = AgentIdentity::from_certificate(&door.certificate_der);
    assert_eq!(agent, Err(IdentityError::NotForClients));
    let client = ClientIdentity::from_certificate(&door.certificate_der);
    assert_eq!(client, Err(IdentityError::NotForClients));
}

#[test]
fn a_client_is_its_common_name_with_its_organisations_as_groups() {
    let groups = ["trunkline:admins", "equipe-réseau", "c"];
    let issued = root().client("jane@example.com", &groups, Validity::days(1)).unwrap();
    let client = ClientIdentity::from_certificate(&issued.certificate_der).unwrap();
    assert_eq!(client.user, "jane@example.com");
    assert_eq!(client.groups, groups);
    assert_eq!(client.serial, issued.serial);
}

#[test]
fn a_client_may_have_no_group() {
    let issued = root().client("jane", &[] as &[&str], Validity::days(1)).unwrap();
    let client = ClientIdentity::from_certificate(&issued.certificate_der).unwrap();
    assert_eq!((client.user.as_str(), client.groups.len()), ("jane", 0));
}

#[test]
fn a_client_with_too_many_groups_is_nobody() {
    let groups: Vec<_> = (0..=MAX_GROUPS).map(|n| format!("group-{n}")).collect();
    let issued = root().client("jane", &groups, Validity::days(1)).unwrap();
    let refused = ClientIdentity::from_certificate(&issued.certificate_der);
    assert_eq!(refused, Err(IdentityError::TooManyGroups));
}

#[test]
fn an_agent_is_not_a_client_and_a_client_is_not_an_agent() {
    let agent = agent_with(&[&uri()]);
    let as_client = ClientIdentity::from_certificate(&agent.certificate_der);
    assert_eq!(as_client, Err(IdentityError::AgentAsClient));
    let client = root().client("jane", &["a"], Validity::days(1)).unwrap();
    let as_agent = AgentIdentity::from_certificate(&client.certificate_der);
    assert_eq!(as_agent, Err(IdentityError::NotOneUri(0)));
}

#[test]
fn bytes_that_are_no_certificate_name_nobody() {
    let mut trailing = agent_with(&[&uri()]).certificate_der.to_vec();
    trailing.push(0);
    for bytes in [vec![], vec![0x30, 0x80], b"hello".to_vec(), trailing] {
        let refused = AgentIdentity::from_certificate(&CertificateDer::from(bytes));
        assert_eq!(refused, Err(IdentityError::Malformed));
    }
}

#[test]
fn a_damaged_certificate_never_panics() {
    let good = agent_with(&[&uri()]).certificate_der.to_vec();
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            let der = CertificateDer::from(bytes);
            let _ = (AgentIdentity::from_certificate(&der), ClientIdentity::from_certificate(&der));
        }
    }
}
