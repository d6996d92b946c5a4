//! Enrolment: from a token, or the cluster's key alone, to a certificate; and every way in which there is none.

mod race;
mod refusals;
mod strangers;

use std::time::Duration;

use trunkline_proto::Slot;
use trunkline_tests::{Enrolling, KeptSecret, Logs, Rig, eventually};

const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_cluster_joins_with_a_token_and_its_pods_come_and_go_without_another() {
    let logs = Logs::capture();
    let mut rig = Rig::registered("joins").await;
    let client = rig.client();
    assert_eq!(client.get("/clusters/joins/api").await.status, 200);
    let id = rig.cluster("joins").id.clone();
    let record = rig.registry().get(&id).unwrap();
    let pinned = record.key.as_ref().unwrap().pin.clone();
    assert_eq!(pinned, rig.cluster_key("joins").pin().to_string());
    assert!(record.join.as_ref().unwrap().used.is_some(), "the token is used up");
    let with_token = |yes: &str| {
        let with = format!("with_token={yes}");
        logs.find(|line| line.target == "audit" && line.field("cluster") == "joins")
            .iter()
            .filter(|line| line.message == "enrolled" && line.text().contains(&with))
            .count()
    };
    assert_eq!((with_token("true"), with_token("false")), (1, 0));

    // From here on the key is enough: for the second pod, and for each of them when it starts again.
    rig.take_token_away("joins");
    rig.start_pod("joins", 1).await;
    rig.wait_for_links(2).await;
    for slot in [0, 1] {
        rig.cut_pod("joins", slot).await;
        rig.start_pod("joins", slot).await;
        assert_eq!(client.get("/clusters/joins/api").await.status, 200);
    }
    rig.wait_for_links(2).await;
    assert_eq!((with_token("true"), with_token("false")), (1, 3));
    let record = rig.registry().get(&id).unwrap();
    assert_eq!(record.slots.keys().copied().collect::<Vec<_>>(), [Slot(0), Slot(1)]);
    assert_eq!(record.key.as_ref().unwrap().pin, pinned, "the key stays what it was");
}

#[tokio::test]
async fn a_used_token_that_still_lies_about_hinders_nobody() {
    let mut rig = Rig::registered("leftover").await;
    rig.start_pod("leftover", 1).await;
    rig.cut_pod("leftover", 0).await;
    rig.start_pod("leftover", 0).await;
    assert_eq!(rig.client().get("/clusters/leftover/api").await.status, 200);
}

#[tokio::test]
async fn two_pods_that_start_at_once_join_by_one_secret_with_one_token() {
    let mut rig = Rig::builder().cluster("secret").enrolling().without_agents().start().await;
    let secret = KeptSecret::start(&rig.paper, &rig.tasks, "trunkline", "trunkline-agent-identity").await;
    for slot in [0, 1] {
        let config = secret.pod(rig.pod_config("secret", slot), &rig.paper);
        rig.begin_pod_with("secret", slot, config).await;
    }
    rig.wait_for_links(2).await;
    let record = rig.registry().get(&rig.cluster("secret").id).unwrap();
    assert_eq!(record.key.as_ref().unwrap().pin, secret.key().pin().to_string());
    assert_eq!(record.slots.len(), 2);
}

#[tokio::test]
async fn a_restarted_gateway_knows_everybody_it_let_in() {
    let logs = Logs::capture();
    let mut rig = Rig::registered("stays").await;
    rig.take_token_away("stays");
    rig.cut_gateway(0).await;
    rig.start_gateway(0).await;
    eventually("back", SOON, || rig.gateway().links() == 1).await;
    assert_eq!(rig.client().get("/clusters/stays/api").await.status, 200);
    let enrolled = logs.find(|line| line.message == "enrolled" && line.field("cluster") == "stays");
    let by_gateway = enrolled.iter().filter(|line| line.target == "audit").count();
    assert_eq!(by_gateway, 1, "the certificate in the agent's hands was good enough");
}

#[tokio::test]
async fn who_lost_the_answer_asks_again_with_the_same_key_and_token() {
    let rig = Rig::builder().cluster("again").enrolling().without_agents().start().await;
    let token = std::fs::read_to_string(rig.token_file("again")).unwrap();
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), "again").token(&token);
    let first = asking.ask(&rig.tasks).await.unwrap();
    let second = asking.ask(&rig.tasks).await.unwrap();
    assert_eq!(first.uid, second.uid);
    assert_ne!(first.certificate, second.certificate);
}
