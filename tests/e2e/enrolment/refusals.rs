//! Every reason for which there is no certificate: in the answer, in the gateway's audit log and in the agent's log.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use trunkline_api::Lock;
use trunkline_pki::{ClusterKey, SlotKey};
use trunkline_proto::EnrolReason;
use trunkline_tests::{Enrolling, Logs, Rig, eventually};

use super::SOON;

/// A request that is signed by its own key of this kind.
fn request_of(algorithm: &'static rcgen::SignatureAlgorithm) -> String {
    let key = KeyPair::generate_for(algorithm).unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap()
}

/// A request for one key that another has signed.
fn signed_by_another() -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let body = |pem: &str| {
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(text).unwrap()
    };
    let key = |der: &[u8]| der.windows(2).position(|two| two == [0x00, 0x04]).unwrap();
    let (mut ours, other) =
        (body(&SlotKey::generate().unwrap().csr_pem()), body(&SlotKey::generate().unwrap().csr_pem()));
    let (to, from) = (key(&ours), key(&other));
    ours[to..to + 66].copy_from_slice(&other[from..from + 66]);
    format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        STANDARD.encode(ours)
    )
}

fn token_of(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.token_file(name)).unwrap()
}

#[tokio::test]
async fn t11_tokens_that_are_unknown_foreign_used_replaced_or_expired_are_refused_with_the_reason() {
    let logs = Logs::capture();
    let mut rig =
        Rig::builder().cluster("no-token").cluster("no-other").enrolling().without_agents().start().await;
    let by = |name: &str| Enrolling::new(rig.tunnel_door(0), rig.pin(), name);
    let (mine, foreign) = (token_of(&rig, "no-token"), token_of(&rig, "no-other"));
    let made_up = format!("tlj_{}", "A".repeat(43));
    let mut expected = Vec::new();
    for (asking, reason) in [
        (by("no-such").token(&mine), EnrolReason::ClusterUnknown),
        (by("no-token"), EnrolReason::KeyUnknown),
        (by("no-token").token(&foreign), EnrolReason::TokenForOtherCluster),
        (by("no-token").token(&made_up), EnrolReason::TokenUnknown),
        (by("no-token").token("hunter2"), EnrolReason::TokenUnknown),
        (by("no-token").token(""), EnrolReason::TokenUnknown),
        (by("no-token").token(&format!("{mine} ")), EnrolReason::TokenUnknown),
        (by("no-token").token(&mine).slot(2), EnrolReason::SlotTooHigh),
        (by("no-token").token(&mine).slot(u16::MAX), EnrolReason::SlotTooHigh),
    ] {
        let refusal = asking.ask(&rig.tasks).await.expect_err("no certificate");
        assert_eq!(refusal.reason, reason, "{refusal}");
        assert!(!refusal.message.contains(&mine[4..]), "{refusal}");
        expected.push((asking.request.cluster.to_string(), reason));
    }
    // None of that has cost the token.
    let good = by("no-token").token(&mine);
    good.ask(&rig.tasks).await.unwrap();
    assert_eq!(by("no-token").token(&mine).refused(&rig.tasks).await, EnrolReason::TokenUsed);
    assert_eq!(by("no-token").refused(&rig.tasks).await, EnrolReason::KeyUnknown);
    expected
        .extend([EnrolReason::TokenUsed, EnrolReason::KeyUnknown].map(|reason| ("no-token".into(), reason)));

    // A newer token ends the older one, which was not used.
    rig.renew_token("no-other").await;
    assert_eq!(by("no-other").token(&foreign).refused(&rig.tasks).await, EnrolReason::TokenUnknown);
    // One whose time is over.
    let id = "no-other".parse().unwrap();
    let long_ago = Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let (_, late) =
        rig.registry().renew_token(&id, "test", long_ago, Duration::from_secs(1800)).await.unwrap();
    assert_eq!(by("no-other").token(late.reveal()).refused(&rig.tasks).await, EnrolReason::TokenExpired);
    expected.push(("no-other".into(), EnrolReason::TokenExpired));
    for (cluster, reason) in expected {
        let told = logs.find(|line| {
            line.target == "audit"
                && line.message == "enrolment refused"
                && line.field("cluster") == cluster
                && line.field("reason") == reason.as_str()
        });
        assert!(!told.is_empty(), "{cluster}: {reason} is in the audit log");
    }
    let metrics = rig.metrics(0).await;
    for reason in ["TokenUsed", "TokenExpired", "TokenForOtherCluster", "KeyUnknown", "ClusterUnknown"] {
        let counted = format!("trunkline_gateway_enrolments_refused_total{{reason=\"{reason}\"}}");
        assert!(metrics.contains(&counted), "{reason} is counted: {metrics}");
    }
    // The same in the words of an agent.
    rig.give_token("no-other", late.reveal());
    rig.begin_pod("no-other", 0).await;
    let agent = ["trunkline_agent", "TokenExpired", "no-other", "ask for a new join command"];
    eventually("the agent's log", SOON, || logs.says(&agent)).await;
    assert_eq!(rig.gateway().links(), 0);
    // With another token in its place it comes by itself.
    rig.renew_token("no-other").await;
    eventually("it joins", Duration::from_secs(90), || rig.gateway().links() == 1).await;
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_refused_and_does_not_cost_the_token() {
    let rig = Rig::builder().cluster("no-csr").enrolling().without_agents().start().await;
    let token = token_of(&rig, "no-csr");
    let by = || Enrolling::new(rig.tunnel_door(0), rig.pin(), "no-csr").token(&token);
    let good = SlotKey::generate().unwrap().csr_pem();
    for (name, csr) in [
        ("nothing", String::new()),
        ("no PEM", "hello".into()),
        ("a private key", ClusterKey::generate().unwrap().to_pem().to_string()),
        ("half of one", good[..good.len() / 2].into()),
        ("two", format!("{good}{good}")),
        ("too large", format!("{}{good}", "\n".repeat(16 * 1024))),
        ("signed by another key", signed_by_another()),
        ("RSA", request_of(&PKCS_RSA_SHA256)),
        ("P-384", request_of(&PKCS_ECDSA_P384_SHA384)),
        ("Ed25519", request_of(&PKCS_ED25519)),
    ] {
        let refusal = by().csr(csr).ask(&rig.tasks).await.expect_err(name);
        assert_eq!(refusal.reason, EnrolReason::BadRequest, "{name}: {refusal}");
        assert!(!refusal.message.contains("-----"), "{name}: {refusal}");
    }
    by().ask(&rig.tasks).await.expect("the token is as good as before");
}

#[tokio::test]
async fn nothing_in_the_certificate_comes_from_the_request_but_its_key() {
    let rig = Rig::builder().cluster("named").enrolling().without_agents().start().await;
    let token = token_of(&rig, "named");
    let key = KeyPair::generate().unwrap();
    let mut wishes = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
    wishes.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    wishes.distinguished_name.push(rcgen::DnType::CommonName, "evil");
    let csr = wishes.serialize_request(&key).unwrap().pem().unwrap();
    let certified = Enrolling::new(rig.tunnel_door(0), rig.pin(), "named")
        .token(&token)
        .slot(1)
        .csr(csr)
        .ask(&rig.tasks)
        .await;
    let certified = certified.unwrap();
    let pem = rustls_pki_types::pem::PemObject::from_pem_slice(certified.certificate.as_bytes());
    let certificate: rustls_pki_types::CertificateDer<'_> = pem.unwrap();
    let identity = trunkline_pki::AgentIdentity::from_certificate(&certificate).unwrap();
    assert_eq!((identity.cluster.as_str(), identity.slot.0, identity.uid), ("named", 1, certified.uid));
    assert!(!certificate.windows(4).any(|four| four == b"evil"), "no name of the request's");
    let read = trunkline_pki::Authority::from_pem(&certified.certificate, &key.serialize_pem());
    assert!(read.is_err(), "it signs nothing");
}

#[tokio::test]
async fn a_locked_cluster_enrols_nobody_and_a_removed_one_is_unknown() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("shut").enrolling().without_agents().start().await;
    let id = rig.cluster("shut").id.clone();
    let lock = Lock { by: "root".into(), since: Timestamp::now(), reason: "stolen laptop".into() };
    rig.registry().lock(&id, lock.clone()).await.unwrap();
    rig.begin_pod("shut", 0).await;
    let told = ["trunkline_agent", "ClusterLocked", "shut", "stolen laptop"];
    eventually("the agent is told", SOON, || logs.says(&told)).await;
    let audit = |reason: &str| {
        let of = |line: &trunkline_tests::Line| line.target == "audit" && line.field("cluster") == "shut";
        !logs.find(|line| of(line) && line.field("reason") == reason).is_empty()
    };
    assert!(audit("ClusterLocked"));
    rig.cut_pod("shut", 0).await;
    let token = token_of(&rig, "shut");
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), "shut").token(&token);
    assert_eq!(asking.refused(&rig.tasks).await, EnrolReason::ClusterLocked);
    rig.registry().unlock(&id).await.unwrap();
    asking.ask(&rig.tasks).await.expect("the token was not spent while it was locked");
    rig.registry().lock(&id, lock).await.unwrap();
    assert_eq!(asking.refused(&rig.tasks).await, EnrolReason::ClusterLocked, "its own key as well");
    rig.registry().remove(&id).await.unwrap();
    assert_eq!(asking.refused(&rig.tasks).await, EnrolReason::ClusterUnknown);
    assert!(audit("ClusterUnknown"));
}

#[tokio::test]
async fn strangers_cannot_use_up_a_clusters_share_of_certificates() {
    let rig = Rig::builder().cluster("busy").cluster("calm").enrolling().without_agents().start().await;
    let by = |name: &str| Enrolling::new(rig.tunnel_door(0), rig.pin(), name);
    // Who holds no key and no token of the cluster...
    for _ in 0..125 {
        let reason = by("busy").token("tlj_made-up").refused(&rig.tasks).await;
        assert!(matches!(reason, EnrolReason::TokenUnknown | EnrolReason::TooMany), "{reason}");
    }
    // ... keeps nobody out who does.
    let agent = by("busy").token(&token_of(&rig, "busy"));
    agent.ask(&rig.tasks).await.expect("the cluster's own agent has its share");
    // The agent itself has a share, and no more.
    let mut had = 1;
    let reason = loop {
        match agent.ask(&rig.tasks).await {
            Ok(_) => had += 1,
            Err(refusal) => break refusal.reason,
        }
        assert!(had < 200, "there is no end to it");
    };
    assert_eq!((had, reason), (120, EnrolReason::TooMany));
    // Another cluster has its own.
    by("calm").token(&token_of(&rig, "calm")).ask(&rig.tasks).await.unwrap();
}
