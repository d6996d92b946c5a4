//! What one socket, and one user, may have; and that a page which takes nothing holds up nobody.

use serde_json::json;
use trunkline_tests::{Rig, RigBuilder, Tab, eventually};

use super::{SOON, follow};

/// Far more lines than fit anywhere on the way.
const MANY: &str = "/trunkline/v1/clusters/alpha/k8s/lines/1000000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_takes_nothing_of_a_stream_stops_that_stream_and_no_other() {
    let rig = Rig::start().await;
    let mut tab = Tab::of(&rig.client()).await;
    tab.giving = false;
    let (many, log) = (tab.open(MANY).await, tab.open(&follow("alpha")).await);
    tab.begun(many).await;
    let mut bytes = 0;
    while bytes < 256 * 1024 {
        bytes += tab.hear(many).await["bytes"].as_u64().unwrap();
    }
    assert!(bytes < 256 * 1024 + 64 * 1024, "{bytes} bytes came of 256 KiB that were given");
    tab.begun(log).await;
    for at in 0..5 {
        assert_eq!(tab.lines(log).await, [format!("line {at}")]);
        rig.upstream("alpha").release();
    }
    // Five round trips later there is no more of it, in the gateway or on the way, than fits into the buffers.
    let made = rig.upstream("alpha").made();
    assert!(made < 8 * 1024 * 1024, "{made} bytes are on their way to a page that takes none");
    // What is given comes, in order and without a gap.
    tab.giving = true;
    tab.say(&json!({"more": many, "bytes": 1_000_000})).await;
    let mut next = bytes / 100;
    while next < 50_000 {
        for line in tab.lines(many).await {
            assert_eq!(line.trim_start_matches('0'), next.to_string());
            next += 1;
        }
    }
    tab.say(&json!({"close": many})).await;
    eventually("the log alone is left, and the socket", SOON, || rig.gateway().requests() == 2).await;
}

#[tokio::test]
async fn a_line_longer_than_a_mebibyte_comes_cut() {
    let rig = Rig::start().await;
    let mut tab = Tab::of(&rig.client()).await;
    let (long, log) =
        (tab.open("/trunkline/v1/clusters/alpha/k8s/line/3000000").await, tab.open(&follow("alpha")).await);
    tab.begun(long).await;
    tab.begun(log).await;
    assert_eq!(tab.lines(log).await, ["line 0"], "a line without an end holds up no other stream");
    rig.upstream("alpha").release();
    let message = tab.hear(long).await;
    assert_eq!((&message["cut"], message["data"][0].as_str().unwrap().len()), (&json!(true), 1024 * 1024));
    assert_eq!(tab.hear(long).await, json!({"ended": long}));
}

#[tokio::test]
async fn a_socket_has_64_streams_and_the_next_one_is_refused() {
    let rig = Rig::start().await;
    let mut tab = Tab::of(&rig.client()).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(tab.open(&follow("alpha")).await);
    }
    for stream in &open {
        tab.begun(*stream).await;
    }
    let more = tab.open(&follow("alpha")).await;
    assert_eq!(tab.hear(more).await["status"], 429);
    tab.say(&json!({"close": open[0]})).await;
    let again = tab.open(&follow("alpha")).await;
    tab.begun(again).await;
}

#[tokio::test]
async fn a_user_has_32_sockets_and_another_user_as_many() {
    let rig = Rig::builder().without_agents().start().await;
    let client = rig.client();
    let mut tabs = Vec::new();
    for _ in 0..32 {
        tabs.push(Tab::of(&client).await);
    }
    let fields = [("sec-websocket-protocol", "trunkline.live.v1")];
    assert_eq!(client.websocket("/trunkline/v1/live", &fields).await.unwrap_err(), 503);
    drop(Tab::of(&rig.client_as("joe", &[])).await);
    let metrics = rig.metrics(0).await;
    assert!(metrics.contains("trunkline_gateway_live_sockets_open 3"), "32, or 33 for a moment: {metrics}");
    tabs.pop();
    eventually("one is free again", SOON, || rig.gateway().requests() == 31).await;
    Tab::of(&client).await;
}

#[tokio::test]
async fn a_stream_counts_as_a_request_of_its_user() {
    let mut limits = trunkline_gateway::LimitsConfig::default();
    limits.user.requests = 3;
    let rig = RigBuilder::default().limits(limits).start().await;
    let mut tab = Tab::of(&rig.client()).await;
    for _ in 0..2 {
        let stream = tab.open(&follow("alpha")).await;
        tab.begun(stream).await;
    }
    let more = tab.open(&follow("alpha")).await;
    let end = tab.hear(more).await;
    assert_eq!(end["status"], 429, "the socket and two streams are all that one may have: {end}");
}

#[tokio::test]
async fn a_page_that_says_what_is_not_understood_is_sent_away_with_the_reason() {
    let rig = Rig::builder().without_agents().start().await;
    let path = "/trunkline/v1/status";
    for (messages, code) in [
        (vec!["nonsense".to_owned()], 1008),
        (
            vec![
                r#"{"open": 1, "path": "/trunkline/v1/status", "headers": {"x-cluster-id": "alpha"}}"#.into(),
            ],
            1008,
        ),
        (
            vec![json!({"open": 7, "path": path}).to_string(), json!({"open": 7, "path": path}).to_string()],
            1008,
        ),
        (
            vec![json!({"open": 7, "path": path}).to_string(), json!({"open": 6, "path": path}).to_string()],
            1008,
        ),
        (vec![json!({"open": 1, "path": format!("{path}?{}", "x".repeat(40_000))}).to_string()], 1009),
    ] {
        let mut tab = Tab::of(&rig.client()).await;
        for message in &messages {
            tab.say_text(message).await;
        }
        let (closed, why) = tab.until_closed().await;
        assert_eq!(closed, code, "{}: {why}", &messages[0][..messages[0].len().min(80)]);
        assert!(!why.is_empty());
    }
    // What is over may be spoken of: the page could not know.
    let mut tab = Tab::of(&rig.client()).await;
    for message in [json!({"more": 9, "bytes": 1}), json!({"close": 9})] {
        tab.say(&message).await;
    }
    let status = tab.open(path).await;
    tab.begun(status).await;
}
