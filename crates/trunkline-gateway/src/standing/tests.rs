//! Each state, its reason, and what is told beside it.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use trunkline_api::{ClusterSpec, Metadata};
use trunkline_registry::{JoinRecord, KeyRecord, SlotRecord};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn moment(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(second)
}

/// Registered at 100, with a token that may be used until 200.
fn record() -> Record {
    Record {
        metadata: Metadata {
            name: "alpha".parse().unwrap(),
            uid: None,
            labels: BTreeMap::new(),
            created: Some(at(100)),
            created_by: "root".into(),
            revision: 1,
        },
        spec: ClusterSpec::default(),
        manifest: Default::default(),
        join: Some(JoinRecord {
            hash: String::new(),
            created: at(100),
            expires: at(200),
            by: "root".into(),
            used: None,
        }),
        key: None,
        slots: BTreeMap::new(),
        last_seen: None,
    }
}

fn enrolled() -> Record {
    let key = KeyRecord { pin: "sha256:1".into(), since: at(120), token: String::new() };
    let slot = SlotRecord {
        key: "sha256:2".into(),
        serial: "1".into(),
        root: "sha256:3".into(),
        issued: at(121),
        not_after: at(500),
    };
    Record { key: Some(key), slots: [(Slot(1), slot)].into(), join: None, ..record() }
}

fn link(slot: u16, epoch: u64) -> ObservedLink {
    ObservedLink {
        slot: Slot(slot),
        from: ([10, 0, 0, 1], 4000).into(),
        epoch: Epoch(epoch),
        rtt: Some(Duration::from_micros(1_234)),
        software: format!("1.0.{epoch}"),
        identity: IdentityMode::Impersonate,
        not_after: moment(1_000 + epoch),
        root: Some("sha256:3".into()),
    }
}

fn answering() -> StatusReport {
    StatusReport {
        upstream: UpstreamState::Up,
        kubernetes: Some("v1.35.4".into()),
        nodes: Some(3),
        message: String::new(),
        rights: None,
        logs: Vec::new(),
    }
}

fn tunnel() -> Observed {
    Observed { links: vec![link(0, 1), link(0, 1), link(1, 2)], report: answering(), ..Observed::default() }
}

#[test]
fn a_cluster_joins_until_its_key_is_known() {
    let told = status(Desired::Registered(&record()), &Observed::default(), at(150));
    assert_eq!(told.state, ClusterState::Joining);
    assert!(told.reason.contains("until 1970-01-01T00:03:20Z"), "{}", told.reason);
    assert_eq!((told.join_expires, told.last_seen), (Some(at(200)), None));

    let told = status(Desired::Registered(&record()), &Observed::default(), at(200));
    assert_eq!((told.state, told.join_expires), (ClusterState::Joining, None));
    assert!(told.reason.contains("has ended"), "{}", told.reason);
}

#[test]
fn a_tunnel_before_an_api_server_that_answers_is_connected() {
    let told = status(Desired::Registered(&enrolled()), &tunnel(), at(300));
    assert_eq!((told.state, told.reason.as_str()), (ClusterState::Connected, ""));
    assert_eq!((told.last_seen, told.rtt_ms, told.nodes), (Some(at(300)), Some(1.23), Some(3)));
    assert_eq!(told.agent_version.as_deref(), Some("1.0.2"));
    assert_eq!(told.kubernetes_version.as_deref(), Some("v1.35.4"));
    assert_eq!(told.certificate_not_after, Some(at(1_001)));
    let slots: Vec<_> = told.slots.iter().map(|slot| (slot.slot.0, slot.links, slot.epoch)).collect();
    assert_eq!(slots, [(0, 2, Some(1)), (1, 1, Some(2))]);
    assert_eq!(told.slots[0].from.as_deref(), Some("10.0.0.1:4000"));
    assert_eq!(told.slots[0].root.as_deref(), Some("sha256:3"));
}

#[test]
fn what_is_wrong_behind_a_tunnel_degrades() {
    for (report, why) in [
        (StatusReport::default(), "has not said yet"),
        (StatusReport { kubernetes: None, ..answering() }, "version is not known"),
        (StatusReport { upstream: UpstreamState::Down, message: "refused".into(), ..answering() }, "refused"),
        (StatusReport { upstream: UpstreamState::Down, ..answering() }, "does not answer the agent"),
    ] {
        let told = status(Desired::Declared(&[]), &Observed { report, ..tunnel() }, at(300));
        assert_eq!(told.state, ClusterState::Degraded, "{why}");
        assert!(told.reason.contains(why), "{}", told.reason);
    }
}

#[test]
fn without_a_tunnel_an_enrolled_cluster_is_disconnected_and_keeps_what_is_known() {
    let told = status(Desired::Registered(&enrolled()), &Observed::default(), at(300));
    assert_eq!((told.state, told.last_seen), (ClusterState::Disconnected, Some(at(121))));
    // The certificate is good, and no link uses it.
    assert_eq!((told.slots[0].links, told.slots[0].certificate_not_after), (0, Some(at(500))));
    assert_eq!(told.certificate_not_after, None);
    let seen = Observed { last_seen: Some(moment(250)), ..Observed::default() };
    assert_eq!(status(Desired::Registered(&enrolled()), &seen, at(300)).last_seen, Some(at(250)));
    // Once it has ended, nobody wants to know of it.
    assert!(status(Desired::Registered(&enrolled()), &seen, at(500)).slots.is_empty());

    let told = status(Desired::Declared(&[]), &Observed::default(), at(300));
    assert_eq!((told.state, told.origin), (ClusterState::Disconnected, Origin::File));
    assert!(told.reason.contains("since this gateway started"), "{}", told.reason);
}

#[test]
fn a_contended_slot_outweighs_a_tunnel_and_a_lock_outweighs_all() {
    let duplicate = Duplicate {
        slot: Slot(1),
        one: ([10, 0, 0, 1], 1).into(),
        other: ([10, 0, 0, 2], 2).into(),
        since: moment(260),
    };
    let contended = Observed { duplicate: Some(duplicate), ..tunnel() };
    let told = status(Desired::Registered(&enrolled()), &contended, at(300));
    assert_eq!(told.state, ClusterState::DuplicateIdentity);
    for part in ["slot 1", "10.0.0.1:1", "10.0.0.2:2", "00:04:20Z"] {
        assert!(told.reason.contains(part), "{}", told.reason);
    }
    let mut locked = enrolled();
    locked.spec.locked = Some(Lock { by: "root".into(), since: at(280), reason: "audit".into() });
    let told = status(Desired::Registered(&locked), &contended, at(300));
    assert_eq!(told.state, ClusterState::Locked);
    assert!(told.reason.contains("by root") && told.reason.contains("audit"), "{}", told.reason);
}

#[test]
fn the_management_cluster_is_as_its_api_server_is() {
    let seen = |report| Observed { report, last_seen: Some(moment(290)), ..Observed::default() };
    let told = status(Desired::Management, &seen(answering()), at(300));
    assert_eq!((told.state, told.origin), (ClusterState::Connected, Origin::Management));
    assert_eq!((told.slots.len(), told.last_seen), (0, Some(at(290))));
    let told = status(Desired::Management, &seen(StatusReport::default()), at(300));
    assert_eq!(told.state, ClusterState::Degraded);
    assert!(told.reason.contains("the gateway has not said yet"), "{}", told.reason);
}

#[test]
fn an_agent_that_runs_in_another_mode_than_its_cluster_is_registered_for_degrades_it() {
    let audiences = ["urn:alpha".to_owned()];
    let mut passing = tunnel();
    for link in &mut passing.links {
        link.identity = IdentityMode::PassThrough;
    }
    let told = status(Desired::Declared(&audiences), &passing, at(300));
    assert_eq!((told.state, told.identity), (ClusterState::Connected, Some(IdentityMode::PassThrough)));
    assert_eq!(told.pass_through, audiences);
    for (desired, observed, why) in [
        (Desired::Declared(&audiences), &tunnel(), "its agent impersonates"),
        (Desired::Declared(&[]), &passing, "its agent passes tokens through"),
    ] {
        let told = status(desired, observed, at(300));
        assert_eq!(told.state, ClusterState::Degraded, "{why}");
        assert!(told.reason.contains(why), "{}", told.reason);
    }
}
