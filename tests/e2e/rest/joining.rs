//! The steps of joining: as they come, and each stall with its cause, by agents that are real or enrol by hand.

use jiff::Timestamp;
use rustls::CertificateError;
use trunkline_agent::{AgentConfig, Credentials};
use trunkline_gateway::LogsConfig;
use trunkline_proto::EnrolReason;
use trunkline_tests::{Enrolling, wait_until};

use super::*;

/// How long silence lasts before it is a stall, and how long it may take until that is told.
const SILENCE: Duration = Duration::from_secs(20);

async fn joining(client: &Client, name: &str) -> Value {
    let reply = client.get(&format!("{CLUSTERS}/{name}/joining")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let report = reply.json();
    assert_eq!((&report["kind"], &report["cluster"]), (&json!("JoinReport"), &json!(name)));
    report["joining"].clone()
}

/// The step that it stands at.
fn stands_at(joining: &Value) -> &Value {
    joining["steps"].as_array().unwrap().iter().find(|step| step["state"] != "done").unwrap_or(&Value::Null)
}

/// Waits until a joining stands still for this reason; gives the words for people.
async fn stalled(client: &Client, name: &str, step: &str, state: &str, reason: &str) -> String {
    wait_until(&format!("{name}: {reason}"), SOON, async || {
        let joining = joining(client, name).await;
        let at = stands_at(&joining);
        let is = |key: &str, value: &str| at[key] == json!(value);
        (is("name", step) && is("state", state) && is("reason", reason))
            .then(|| format!("{} / {}", at["cause"].as_str().unwrap(), at["fix"].as_str().unwrap()))
    })
    .await
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

fn token_of(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.token_file(name)).unwrap()
}

fn by_hand(rig: &Rig, name: &str) -> Enrolling {
    Enrolling::new(rig.tunnel_door(0), rig.pin(), name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_joins_is_told_step_by_step_to_who_watches() {
    let mut rig =
        Rig::builder().cluster("eu").enrolling().logs(LogsConfig::default()).without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    // What the rig registers has no intake in its manifest; this one has.
    let new = json!({"name": "logs", "manifest": {"logs": true}});
    let registered = rig.admin().post(CLUSTERS, &new).await.json();
    let uid = serde_json::from_value(registered["cluster"]["metadata"]["uid"].clone()).unwrap();
    rig.adopt("logs", uid).await;
    let manifest = registered["join"]["manifest"].as_str().unwrap();
    let token = manifest
        .split("tlj_")
        .nth(1)
        .unwrap()
        .split(|one: char| !one.is_ascii_graphic() || one == '"')
        .next();
    rig.give_token("logs", &format!("tlj_{}", token.unwrap()));
    assert_eq!(registered["cluster"]["status"]["joining"]["steps"][0]["state"], "waiting");

    let mut watching = Watching::begin(&viewer, "").await;
    watching.until_synced().await;
    rig.begin_pod("logs", 0).await;
    let at = |cluster: &Value| stands_at(&cluster["status"]["joining"])["name"].clone();
    let waiting = watching.until("logs", |cluster| at(cluster) == "logs").await;
    let steps = waiting["status"]["joining"]["steps"].as_array().unwrap().clone();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["contact", "tls", "token", "certificate", "tunnel", "api-server", "rights", "logs"]);
    let detail = |name: &str| {
        steps.iter().find(|step| step["name"] == name).unwrap()["detail"].as_str().unwrap().to_owned()
    };
    assert_says(&detail("contact"), &["from 127.0.0.1:"]);
    assert_says(&detail("tls"), &["pin matches"]);
    assert_says(&detail("certificate"), &["good for 24 h"]);
    assert_says(&detail("tunnel"), &["from 127.0.0.1:", "agent 0."]);
    assert_eq!(detail("rights"), "3 of 3");

    rig.ship("logs", "/_bulk", &[json!({"message": "hello"})]).await;
    let done = watching.until("logs", |cluster| cluster["status"]["joining"]["done"] == true).await;
    assert_eq!(done["status"]["state"], "connected");
    assert_eq!(stands_at(&done["status"]["joining"]), &Value::Null);
    assert_eq!(joining(&viewer, "logs").await["done"], true);
    // One who sees nothing of the fleet learns nothing of it, and of one that never joins there is nothing.
    let stranger = rig.client_as("mallory", &["nobody"]);
    assert_eq!(stranger.get(&format!("{CLUSTERS}/nowhere/joining")).await.status, 404);
}

#[tokio::test]
async fn tokens_that_are_expired_used_or_of_another_cluster_are_told_apart() {
    let mut rig = Rig::builder().cluster("eu").cluster("us").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let eu = token_of(&rig, "eu");

    by_hand(&rig, "us").token(&eu).from([127, 0, 0, 9]).refused(&rig.tasks).await;
    let text = stalled(&viewer, "us", "token", "failed", "TokenForOtherCluster").await;
    assert_says(&text, &["127.0.0.9:", "another cluster", "kubectl apply -f trunkline-agent-us.yaml"]);
    by_hand(&rig, "us").token("tlj_wrong").refused(&rig.tasks).await;
    stalled(&viewer, "us", "token", "failed", "TokenUnknown").await;

    by_hand(&rig, "eu").token(&eu).from([127, 0, 0, 2]).ask(&rig.tasks).await.unwrap();
    let reason = by_hand(&rig, "eu").token(&eu).from([127, 0, 0, 3]).refused(&rig.tasks).await;
    assert_eq!(reason, EnrolReason::TokenUsed);
    let text = stalled(&viewer, "eu", "token", "failed", "TokenUsed").await;
    assert_says(&text, &["from 127.0.0.3:", "was used at 2", "by an agent from 127.0.0.2:", "--renew"]);

    let long_ago = Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let id = rig.cluster("us").id.clone();
    let life = Duration::from_secs(1800);
    let (_, late) = rig.registry().renew_token(&id, "test", long_ago, life).await.unwrap();
    let text = stalled(&viewer, "us", "contact", "failed", "TokenExpired").await;
    assert_says(&text, &["no agent had come", "clusters register us --renew"]);
    by_hand(&rig, "us").token(late.reveal()).from([127, 0, 0, 4]).refused(&rig.tasks).await;
    let text = stalled(&viewer, "us", "token", "failed", "TokenExpired").await;
    assert_says(&text, &["from 127.0.0.4:", "clusters register us --renew"]);
    assert_eq!(joining(&viewer, "us").await["steps"][0]["state"], "done");

    // Another token, and it begins anew; with that it joins.
    rig.renew_token("us").await;
    assert_eq!(stands_at(&joining(&viewer, "us").await)["name"], "contact");
    rig.start_pod("us", 0).await;
    wait_until("joined", SOON, async || (joining(&viewer, "us").await["done"] == true).then_some(())).await;
}

#[tokio::test]
async fn an_agent_with_a_wrong_pin_is_told_to_the_clusters_that_wait_for_one() {
    let mut rig = Rig::builder().cluster("eu").cluster("us").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    rig.start_pod("us", 0).await;
    let mut config: AgentConfig = rig.pod_config("eu", 0);
    if let Credentials::Enrol(enrol) = &mut config.gateway.credentials {
        enrol.pin = format!("sha256:{}", "7f".repeat(32)).parse().unwrap();
    }
    rig.begin_pod_with("eu", 0, config).await;
    let text = stalled(&viewer, "eu", "tls", "failed", "WrongPin").await;
    assert_says(&text, &["an agent from 127.0.0.1:", "does not trust this gateway's certificate", "--renew"]);
    let us = joining(&viewer, "us").await;
    assert_eq!(us["steps"][1]["state"], "done", "who is in is not concerned: {us}");
}

#[tokio::test]
async fn clocks_that_are_off_are_told_by_how_much_or_by_the_alert() {
    let rig = Rig::builder().cluster("eu").cluster("us").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let link = by_hand(&rig, "eu").doubting(CertificateError::NotValidYet).from([127, 0, 0, 5]).link().await;
    drop(link);
    let text = stalled(&viewer, "us", "tls", "failed", "ClockOff").await;
    assert_says(&text, &["from 127.0.0.5:", "its clock is off", "NTP"]);

    let now = Timestamp::now().as_second();
    let asking = by_hand(&rig, "eu").token(&token_of(&rig, "eu")).clock(now - 14 * 60);
    asking.ask(&rig.tasks).await.unwrap();
    let text = stalled(&viewer, "eu", "tunnel", "failed", "ClockOff").await;
    assert_says(&text, &["14 min behind", "NTP"]);
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_seen_when_it_is_given() {
    let mut rig = Rig::builder().cluster("eu").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    rig.upstream("eu").deny(&["groups"]);
    let mut config = rig.pod_config("eu", 0);
    config.upstream.allow.groups = vec!["dev".into(), "ops".into()];
    rig.begin_pod_with("eu", 0, config.clone()).await;
    let text = stalled(&viewer, "eu", "rights", "failed", "RightMissing").await;
    assert_says(
        &text,
        &["impersonate groups \"dev\", nor impersonate groups \"ops\"", "describe clusterrole"],
    );
    assert!(!text.contains("users"), "{text}");
    rig.upstream("eu").deny(&["nodes"]);
    rig.cut_pod("eu", 0).await;
    rig.begin_pod_with("eu", 0, config).await;
    let done = wait_until("joined", SOON, async || {
        Some(joining(&viewer, "eu").await).filter(|joining| joining["done"] == true)
    })
    .await;
    assert_eq!(done["steps"][6]["detail"], "3 of 4; without list nodes, which is not needed");
}

#[tokio::test]
async fn another_name_a_lock_and_what_is_no_agent_are_told() {
    let rig = Rig::builder().cluster("eu").cluster("us").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let _link = by_hand(&rig, "eu").showing_nothing().link().await;
    let text = stalled(&viewer, "eu", "tls", "stalled", "TlsIntercepted").await;
    assert_says(&text, &["127.0.0.1:", "was no agent", "gateway.proxy"]);
    by_hand(&rig, "ue").token(&token_of(&rig, "eu")).refused(&rig.tasks).await;
    let text = stalled(&viewer, "eu", "token", "failed", "OtherName").await;
    assert_says(&text, &["it says that it is ue"]);
    rig.admin().post(&format!("{CLUSTERS}/us/lock"), &json!({"reason": "audit"})).await;
    let text = stalled(&viewer, "us", "contact", "failed", "ClusterLocked").await;
    assert_says(&text, &["locked by root", "audit", "clusters unlock us"]);
}

#[tokio::test]
async fn when_nothing_comes_it_is_said_how_to_look_after_twenty_seconds() {
    let rig = Rig::builder().cluster("eu").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    let mut watching = Watching::begin(&viewer, "").await;
    watching.until_synced().await;
    let began = std::time::Instant::now();
    assert_eq!(stands_at(&joining(&viewer, "eu").await)["state"], "waiting");
    let told = tokio::time::timeout(
        SILENCE + SOON,
        watching.until("eu", |cluster| stands_at(&cluster["status"]["joining"])["state"] == "stalled"),
    )
    .await
    .unwrap();
    assert!(began.elapsed() > SILENCE - Duration::from_secs(5), "{:?}", began.elapsed());
    let at = stands_at(&told["status"]["joining"]).clone();
    assert_eq!((&at["name"], &at["reason"]), (&json!("contact"), &json!("NoContact")));
    let door = rig.tunnel_door(0);
    let text = format!("{} / {}", at["cause"].as_str().unwrap(), at["fix"].as_str().unwrap());
    assert_says(
        &text,
        &["nothing has come from eu", &format!("nc -vz 127.0.0.1 {}", door.port()), "kubectl -n trunkline"],
    );
}

#[tokio::test]
async fn the_history_tells_who_came_and_went_and_why() {
    let mut rig = Rig::builder().cluster("eu").enrolling().without_agents().start().await;
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    for _ in 0..3 {
        by_hand(&rig, "eu").token("tlj_wrong").from([127, 0, 0, 6]).refused(&rig.tasks).await;
    }
    rig.start_pod("eu", 0).await;
    rig.cut_pod("eu", 0).await;
    rig.wait_for_links(0).await;
    let history = viewer.get(&format!("{CLUSTERS}/eu/history")).await.json();
    assert_eq!((&history["kind"], &history["cluster"]), (&json!("LinkHistory"), &json!("eu")));
    let since: Timestamp = history["since"].as_str().unwrap().parse().unwrap();
    let items = history["items"].as_array().unwrap();
    let told: Vec<_> = items
        .iter()
        .map(|item| ["what", "lane", "reason"].map(|key| item[key].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [["disconnected", "api", "link_lost"], ["connected", "api", ""], ["refused", "", "TokenUnknown"]]
    );
    assert_eq!((items[0]["epoch"].clone(), items[0]["slot"].clone()), (items[1]["epoch"].clone(), json!(0)));
    assert!(items[0]["epoch"].as_u64().unwrap() > 0 && !items[0]["detail"].as_str().unwrap().is_empty());
    assert!(items[2]["from"].as_str().unwrap().starts_with("127.0.0.6:"));
    assert_eq!((items[2]["times"].as_u64(), items[1]["times"].as_u64()), (Some(3), Some(1)));
    let whens: Vec<Timestamp> =
        items.iter().map(|item| item["when"].as_str().unwrap().parse().unwrap()).collect();
    assert!(whens.is_sorted_by(|one, other| one >= other) && whens.iter().all(|when| *when >= since));

    // The name that is registered anew is another cluster.
    assert_eq!(bare(&rig.admin(), "DELETE", &format!("{CLUSTERS}/eu")).await.status, 200);
    assert_eq!(rig.admin().post(CLUSTERS, &json!({"name": "eu"})).await.status, 201);
    let history = viewer.get(&format!("{CLUSTERS}/eu/history")).await.json();
    assert_eq!(history["items"], json!([]));
}
