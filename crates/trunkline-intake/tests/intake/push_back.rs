//! A spool that is full: nobody is told that records are kept which are not, and all of it goes on when there is room.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use crate::rig::{NDJSON, Rig, eventually, pairs};

/// What rsyslog's omelasticsearch says of itself: nothing.
const RSYSLOG: &str = "Accept: */*\r\nContent-Type: application/json; charset=utf-8\r\n";

/// Fills the spool of a rig with 16 MiB.
async fn fill(rig: &Rig) {
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let mut shipper = rig.shipper().await;
    for _ in 0..200 {
        let text: String = (0..190_000)
            .map(|_| char::from(rng.random_range(b'0'..=b'z')).to_ascii_lowercase())
            .map(|c| if c.is_ascii_alphanumeric() { c } else { 'x' })
            .collect();
        let answer = shipper.bulk(&pairs([format!("{{\"a\":\"{text}\"}}").as_str()])).await;
        if answer.status == 429 {
            assert!(answer.field("retry-after").is_some());
            assert_eq!(answer.json()["error"]["type"], "es_rejected_execution_exception");
            assert!(answer.reason().contains("the spool is full"), "{}", answer.reason());
            return;
        }
        assert_eq!(answer.items(), [201]);
    }
    panic!("it is never full");
}

fn has_room(rig: &Rig) -> bool {
    let status = rig.spool("logs").status();
    status.bytes < status.cap / 2
}

fn free(rig: &Rig) {
    let spool = rig.spool("logs");
    spool.ack(spool.status().last).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_is_said_in_each_shippers_words_and_goes_on_when_it_was_freed() {
    let rig =
        Rig::with(&json!({"spool": {"max_mib": 16}, "datasets": [{"name": "logs"}, {"name": "other"}]}))
            .await;
    fill(&rig).await;
    let kept = rig.spool("logs").status().records;
    let mut shipper = rig.shipper().await;
    let large = format!("{{\"a\":\"{}\"}}", "y".repeat(100));
    let large = pairs(std::iter::repeat_n(large.as_str(), 5_000));
    assert_eq!(shipper.bulk(&large).await.status, 429);
    let json = "Content-Type: application/json\r\n";
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": vec![json!({"body": {"stringValue": "x".repeat(900)}}); 900]}]}]});
    let answer = shipper.ask("POST /v1/logs", json, logs.to_string().as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (429, Some(8)));
    assert!(answer.field("retry-after").is_some());
    assert_eq!(rig.spool("logs").status().records, kept, "nothing of them is kept");
    let other = shipper.ask("POST /datasets/other/_bulk", NDJSON, &large).await.unwrap();
    assert_eq!((other.status, other.items().len()), (200, 5_000), "another dataset has its own room");
    free(&rig);
    eventually("there is room", || has_room(&rig)).await;
    let answer = shipper.bulk(&large).await;
    assert_eq!((answer.status, answer.items().len()), (200, 5_000));
    let refused = "trunkline_intake_requests_refused_total{dataset=\"logs\",reason=\"spool_full\"}";
    assert_eq!(rig.metric(refused), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_spool_is_stands_in_the_metrics() {
    let rig = Rig::with(&json!({"spool": {"max_mib": 16, "when_full": "drop_oldest"}})).await;
    let metric = |name: &str| rig.metric(&format!("trunkline_intake_spool_{name}{{dataset=\"logs\"}}"));
    assert_eq!(rig.shipper().await.bulk(&pairs(["{}"; 7])).await.items(), [201; 7]);
    eventually("they wait", || metric("records_waiting") == 7).await;
    let status = rig.spool("logs").status();
    assert_eq!((metric("bytes"), metric("cap_bytes")), (status.bytes, 16 * 1024 * 1024));
    eventually("they grow old", || metric("oldest_seconds") > 0).await;
    assert_eq!(metric("records_lost_total"), 0);
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let mut shipper = rig.shipper().await;
    while rig.spool("logs").status().lost == 0 {
        let text: String = (0..190_000).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
        assert_eq!(shipper.bulk(&pairs([format!("{{\"a\":\"{text}\"}}").as_str()])).await.items(), [201]);
    }
    let lost = rig.spool("logs").status().lost;
    eventually("what is lost is counted", || metric("records_lost_total") == lost).await;
    free(&rig);
    eventually("nothing waits", || (metric("records_waiting"), metric("oldest_seconds")) == (0, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rsyslog_is_kept_waiting_and_hears_nothing_instead_of_a_no() {
    let rig = Rig::with(&json!({"spool": {"max_mib": 16}})).await;
    fill(&rig).await;
    let large = format!("{{\"a\":\"{}\"}}", "y".repeat(100));
    let large = pairs(std::iter::repeat_n(large.as_str(), 5_000));
    let begun = Instant::now();
    let answer = rig.shipper().await.ask("POST /_bulk", RSYSLOG, &large).await;
    assert!(answer.is_none(), "{answer:?}");
    assert!(
        (Duration::from_secs(1)..Duration::from_secs(9)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    // It looks whether anybody is there, and tries again.
    let mut shipper = rig.shipper().await;
    assert_eq!(shipper.ask("GET /_cat/health", RSYSLOG, b"").await.unwrap().status, 200);
    free(&rig);
    eventually("there is room", || has_room(&rig)).await;
    assert_eq!(shipper.ask("POST /_bulk", RSYSLOG, &large).await.unwrap().items().len(), 5_000);
    // What can never be taken is said all the same: it would be sent for ever.
    assert_eq!(shipper.ask("POST /_bulk", RSYSLOG, b"nope\n").await.unwrap().status, 400);
    assert_eq!(shipper.ask("POST /_bulk", RSYSLOG, &pairs(["nope"])).await.unwrap().items(), [400]);
}

#[tokio::test]
async fn rsyslog_does_not_lose_its_records_for_a_wrong_password() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "correct-horse-battery").unwrap();
    let rig = Rig::with(&json!({"token_files": [path]})).await;
    let fields = format!("Authorization: Basic eDp5\r\n{RSYSLOG}");
    assert!(rig.shipper().await.ask("POST /_bulk", &fields, &pairs(["{}"])).await.is_none());
    assert_eq!(rig.shipper().await.ask("POST /_bulk", NDJSON, &pairs(["{}"])).await.unwrap().status, 401);
}
