//! The way to a cluster, hop by hop: the first that does not work says why and what to do.

use trunkline_pki::LinkTls;
use trunkline_tests::{Enrolling, FarEnd};

use super::*;

async fn walked(client: &Client, name: &str) -> Vec<(String, bool, String)> {
    let reply = client.get(&format!("{CLUSTERS}/{name}/status")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let report = reply.json();
    assert_eq!((&report["kind"], &report["cluster"]), (&json!("HopReport"), &json!(name)));
    let text = |hop: &Value, key: &str| hop[key].as_str().unwrap_or_default().to_owned();
    let hops = report["hops"].as_array().unwrap().iter();
    hops.map(|hop| {
        let said = format!("{} {} {}", text(hop, "detail"), text(hop, "hint"), hop["ms"]);
        (text(hop, "name"), hop["ok"].as_bool().unwrap(), said)
    })
    .collect()
}

/// Holds that all hops but the last work, that the last is this one, and what it says.
fn assert_ends(hops: &[(String, bool, String)], name: &str, ok: bool, words: &[&str]) {
    let (last, before) = hops.split_last().unwrap();
    assert!(before.iter().all(|(_, ok, _)| *ok), "{hops:?}");
    assert_eq!((last.0.as_str(), last.1), (name, ok), "{hops:?}");
    for word in words {
        assert!(last.2.contains(word), "{word}: {hops:?}");
    }
}

#[tokio::test]
async fn each_hop_that_does_not_work_says_why_and_what_to_do() {
    let mut rig = Rig::builder().enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let door = rig.tunnel_door(0).to_string();
    assert_ends(
        &walked(&viewer, "alpha").await,
        "tunnel",
        false,
        &["no agent has come", "was the manifest applied", &door],
    );

    // An agent came and was sent away.
    let strange = Enrolling::new(rig.tunnel_door(0), rig.pin(), "alpha").token("tlj_wrong");
    strange.refused(&rig.tasks).await;
    assert_ends(
        &walked(&viewer, "alpha").await,
        "tunnel",
        false,
        &["127.0.0.1", "sent away", "TokenUnknown", "docs/errors.md", "register alpha --renew"],
    );
    let hop = viewer.get(&format!("{CLUSTERS}/alpha/status")).await.json()["hops"][2].clone();
    assert!(
        hop["detail"].as_str().unwrap().contains("TokenUnknown"),
        "the cause is told as what was found: {hop}"
    );

    rig.start_agent("alpha").await;
    let hops = walked(&viewer, "alpha").await;
    assert_ends(&hops, "api-server", true, &["answers vera"]);
    let names: Vec<&str> = hops.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["gateway", "registry", "tunnel", "agent", "api-server"]);
    assert!(hops[2].2.contains("1 link is up") && !hops[2].2.contains("null"), "a ping took time: {hops:?}");
    assert!(hops[3].2.contains("slot 0"), "{hops:?}");
    let asked = rig.upstream("alpha").seen_with("/version");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].all("impersonate-user"), ["vera"]);

    rig.cut_agent("alpha").await;
    rig.wait_for_links(0).await;
    assert_ends(&walked(&viewer, "alpha").await, "tunnel", false, &["last there at", "is the agent running"]);
    rig.admin().post(&format!("{CLUSTERS}/alpha/lock"), &json!({"reason": "audit"})).await;
    assert_ends(
        &walked(&viewer, "alpha").await,
        "registry",
        false,
        &["root", "audit", "clusters unlock alpha"],
    );
    assert_no(&viewer.get(&format!("{CLUSTERS}/nowhere/status")).await, 404, "NotFound", &["nowhere"]);
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_or_says_no_is_told() {
    let mut rig = Rig::builder().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let good = rig.agent_config("alpha");
    let mut down = good.clone();
    down.upstream.server = Some("https://127.0.0.1:1".into());
    rig.start_agent_with("alpha", down).await;
    assert_ends(&walked(&viewer, "alpha").await, "api-server", false, &["502", "is the API server up?"]);
    rig.cut_agent("alpha").await;
    let mut narrow = good;
    narrow.upstream.allow.groups = vec!["dev".into()];
    rig.start_agent_with("alpha", narrow).await;
    assert_ends(
        &walked(&viewer, "alpha").await,
        "api-server",
        false,
        &["403", "trunkline:viewers", "may the agent impersonate"],
    );
    // No system name leaves the gateway, here as anywhere.
    let system = rig.client_as("system:admin", &["trunkline:viewers"]);
    assert_ends(&walked(&system, "alpha").await, "api-server", false, &["system:admin"]);
}

#[tokio::test]
async fn an_identity_in_two_places_is_told_with_both_addresses() {
    let rig = Rig::builder().cluster("copied").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let token = std::fs::read_to_string(rig.token_file("copied")).unwrap();
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), "copied").token(&token);
    let certified = asking.ask(&rig.tasks).await.unwrap();
    let tls = LinkTls::issued(&certified.certificate, &asking.slot_key, &certified.roots).unwrap();
    let come = |instance| FarEnd::come(rig.tunnel_door(0), tls.current(), "copied", instance, &rig.tasks);
    let _one = come(1).await.unwrap();
    assert!(walked(&viewer, "copied").await.iter().all(|(name, ok, _)| *ok || name == "api-server"));
    let _other = come(2).await.unwrap();
    let hops = walked(&viewer, "copied").await;
    let words = ["two agents contend for slot 0", "one at 127.0.0.1:", "docs/how-to/duplicate-identity.md"];
    assert_ends(&hops, "tunnel", false, &words);
    assert_eq!(hops[2].2.matches("127.0.0.1:").count(), 2, "{hops:?}");
}
