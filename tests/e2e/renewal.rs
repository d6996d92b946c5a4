//! Certificates that run themselves: renewed under load without a gap, and had anew after an absence.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;
use trunkline_pki::ClusterKey;
use trunkline_runtime::empty;
use trunkline_tests::{Load, Logs, Rig, count, eventually, new_cluster, within};

const SOON: Duration = Duration::from_secs(15);
/// Renewals that a load has to live through.
const RENEWALS: usize = 3;

/// How often the certificate of a cluster's slot 0 was issued, as the registry has it.
fn serial(rig: &Rig, name: &str) -> String {
    let record = rig.registry().get(&rig.cluster(name).id).unwrap();
    record.slots.values().next().map(|slot| slot.serial.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_under_load_fail_no_request_and_leave_no_moment_without_a_link() {
    let seconds = count(6, 60);
    let life = seconds.times as u64;
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("renews").enrolling().certificate_seconds(life).start().await;
    let client = rig.client();
    let paths: Vec<String> = (0..4).map(|at| format!("/clusters/renews/api/{at}")).collect();
    let load = Load::start(&client, &paths, Duration::from_millis(3), &rig.tasks);

    // A watch and an upgrade that were there before.
    let mut watching = client.http1().await;
    let request = Request::get("/clusters/renews/watch?watch=1").body(empty()).unwrap();
    let mut watch = watching.send(request).await.unwrap().into_body();
    watch.frame().await.unwrap().unwrap();
    let mut exec = client.raw().await;
    let upgrade = [
        "GET /clusters/renews/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
    ];
    exec.say_head(&upgrade).await;
    assert!(exec.hear_head().await.starts_with("HTTP/1.1 101"));
    let end_of_first = {
        let record = rig.registry().get(&rig.cluster("renews").id).unwrap();
        record.slots.values().next().unwrap().not_after
    };

    let (mut fewest, mut samples, mut serials) = (usize::MAX, 0, vec![serial(&rig, "renews")]);
    let (mut echoed, mut events) = (0, 0);
    let mut next_word = Instant::now();
    let bound = Instant::now() + Duration::from_secs(life * 4);
    while serials.len() <= RENEWALS {
        assert!(Instant::now() < bound, "{} renewals in {} s", serials.len() - 1, life * 4);
        fewest = fewest.min(rig.epochs("renews").len());
        samples += 1;
        let newest = serial(&rig, "renews");
        if serials.last() != Some(&newest) {
            serials.push(newest);
        }
        // While their link's certificate is good, what was there before goes on.
        if next_word <= Instant::now() && Timestamp::now() < end_of_first - SignedDuration::from_secs(1) {
            exec.say(format!("word {echoed}.")).await;
            exec.hear_until(format!("word {echoed}.").as_bytes()).await;
            rig.upstream("renews").release();
            let event = within("an event", SOON, watch.frame()).await.unwrap().unwrap();
            assert!(event.into_data().unwrap().starts_with(b"{\"type\":\"ADDED\""));
            (echoed, events) = (echoed + 1, events + 1);
            next_word = Instant::now() + Duration::from_millis(50);
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    let outcome = load.stop().await;
    println!(
        "{RENEWALS} renewals of certificates of {seconds} s: {} requests, {:?} failed, at least {fewest} of {samples} \
         looks saw a link; on the first link {echoed} words and {events} events until its certificate ended",
        outcome.good, outcome.bad
    );
    assert!(outcome.bad.is_empty(), "{:?}", outcome.bad);
    assert!(outcome.good > 100);
    assert!(fewest >= 1, "a moment without a link");
    assert!(echoed > 10);
    // A certificate's end is the end of its link: what outlives a whole one is told so.
    let told = within("the watch's end", SOON, watch.collect()).await.unwrap().to_bytes();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.contains("\"type\":\"ERROR\"") && told.contains("\"kind\":\"Status\""), "{told}");
    exec.hear_to_end().await;
    assert!(logs.says(&["link is down", "renews", "the certificate expired"]));
    assert_eq!(rig.client().get("/clusters/renews/api").await.status, 200);
}

#[tokio::test]
async fn an_agent_away_past_the_end_of_its_certificate_comes_back_by_its_key() {
    let mut rig = Rig::builder().cluster("holiday").enrolling().certificate_seconds(4).start().await;
    rig.take_token_away("holiday");
    let first = serial(&rig, "holiday");
    // The agent lives on and cannot reach its gateway until its certificate has ended.
    let record = rig.registry().get(&rig.cluster("holiday").id).unwrap();
    let end = record.slots.values().next().unwrap().not_after;
    rig.cut_gateway(0).await;
    eventually("its certificate's end", SOON, || Timestamp::now() > end).await;
    rig.start_gateway(0).await;
    eventually("back", SOON, || rig.gateway().links() == 1).await;
    assert_ne!(serial(&rig, "holiday"), first);
    assert_eq!(rig.client().get("/clusters/holiday/api").await.status, 200);
}

#[tokio::test]
async fn an_agent_away_for_too_long_needs_a_new_token_and_comes_back_with_one() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("other").enrolling().without_agents().start().await;
    // It joined two hundred days ago and was not seen since.
    let then = Timestamp::now() - SignedDuration::from_hours(200 * 24);
    let (day, ninety) = (Duration::from_secs(86_400), Duration::from_secs(90 * 86_400));
    let registry = rig.registry();
    let (record, token) = registry.register(&new_cluster("long-gone"), "test", then, day).await.unwrap();
    let key = ClusterKey::generate().unwrap();
    let id = record.metadata.name.clone();
    registry.redeem(&id, Some(token.reveal()), &key.pin().to_string(), then, ninety).await.unwrap();
    registry.note_seen(&id, record.metadata.uid.unwrap(), then).await.unwrap();
    rig.adopt("long-gone", record.metadata.uid.unwrap()).await;
    std::fs::create_dir(rig.identity("long-gone")).unwrap();
    std::fs::write(rig.identity("long-gone").join("cluster.key"), key.to_pem().as_bytes()).unwrap();
    rig.begin_pod("long-gone", 0).await;
    let told = ["trunkline_agent", "AwayTooLong", "long-gone", "ask for a new join command"];
    eventually("the agent is told", SOON, || logs.says(&told)).await;
    assert!(logs.says(&["audit", "enrolment refused", "AwayTooLong", "long-gone"]));
    assert_eq!(rig.gateway().links(), 0);
    rig.renew_token("long-gone").await;
    eventually("it comes back", SOON, || rig.gateway().links() == 1).await;
    let back = rig.registry().get(&id).unwrap();
    assert_eq!(back.metadata.uid, record.metadata.uid, "it is the cluster it was");
    assert_eq!(back.key.as_ref().unwrap().pin, key.pin().to_string(), "with the key it had");
    // From here on its key is enough again.
    rig.take_token_away("long-gone");
    rig.cut_pod("long-gone", 0).await;
    rig.start_pod("long-gone", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_takes_new_certificates_when_told_without_a_moment_without_a_link() {
    let mut rig = Rig::builder().cluster("told").cluster("away").enrolling().start().await;
    let admin = rig.admin();
    let paths = vec!["/clusters/told/api".to_owned()];
    let load = Load::start(&rig.client(), &paths, Duration::from_millis(3), &rig.tasks);
    let (before, others) = (serial(&rig, "told"), serial(&rig, "away"));
    let path = |name: &str| format!("/trunkline/v1/clusters/{name}/rotate");
    let reply = admin.post(&path("told"), &json!({})).await;
    assert_eq!((reply.status, &reply.json()["metadata"]["name"]), (StatusCode::OK, &json!("told")));
    eventually("another certificate", SOON, || {
        assert!(!rig.epochs("told").is_empty(), "a moment without a link");
        serial(&rig, "told") != before
    })
    .await;
    load.more(100).await;
    let outcome = load.stop().await;
    assert!(outcome.bad.is_empty(), "{:?}", outcome.bad);
    assert_eq!(serial(&rig, "away"), others, "of that cluster alone");

    // Nobody who is away can be told; and only who may change the fleet tells anybody.
    rig.cut_pod("away", 0).await;
    eventually("it is away", SOON, || rig.epochs("away").is_empty()).await;
    let no = admin.post(&path("away"), &json!({})).await;
    assert_eq!((no.status, &no.json()["reason"]), (StatusCode::CONFLICT, &json!("Conflict")));
    assert!(no.text().contains("no agent of away is connected"), "{}", no.text());
    assert_eq!(admin.post(&path("nobody"), &json!({})).await.status, StatusCode::NOT_FOUND);
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    assert_eq!(viewer.post(&path("told"), &json!({})).await.status, StatusCode::FORBIDDEN);
}
