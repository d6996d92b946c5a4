//! Upgrades: not a byte before the 101, nothing left open after a no (CVE-2018-1002105, CVE-2026-2833).

use std::time::Duration;

use trunkline_tests::{Raw, RawUpstream, Rig, RigBuilder, eventually};

const SOON: Duration = Duration::from_secs(5);

async fn ask(raw: &mut Raw, path: &str, token: &str, behind: &str) {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: {token}\r\n\r\n{behind}"
    );
    raw.say(head).await;
}

async fn with_raw_upstream(answer: &str) -> (Rig, RawUpstream) {
    let mut rig = RigBuilder::default().without_agents().start().await;
    let upstream = RawUpstream::start(&rig.paper, &rig.tasks, answer, true).await;
    let mut config = rig.agent_config("alpha");
    config.upstream = upstream.config(&rig.paper);
    rig.start_agent_with("alpha", config).await;
    (rig, upstream)
}

#[tokio::test]
async fn an_upgrade_carries_bytes_both_ways_and_a_half_close() {
    let rig = Rig::start().await;
    for token in ["websocket", "SPDY/3.1", "WebSocket"] {
        let mut raw = rig.client().raw().await;
        ask(&mut raw, "/clusters/alpha/upgrade", token, "").await;
        let head = raw.hear_head().await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(head.contains(&format!("upgrade: {}", token.to_ascii_lowercase())), "{head}");
        raw.say("ping").await;
        raw.hear_until(b"ping").await;
        raw.half_close().await;
        assert_eq!(raw.hear_to_end().await, "");
    }
    for seen in rig.upstream("alpha").seen() {
        assert_eq!(seen.all("impersonate-user"), ["jane"]);
        assert_eq!(seen.version, http::Version::HTTP_11);
    }
}

#[tokio::test]
async fn t04_bytes_behind_the_head_are_passed_on_only_after_the_101() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\nimpersonate-user: root\r\n\r\n";
    // While there is no answer, not one byte.
    let (rig, upstream) = with_raw_upstream("").await;
    let mut raw = rig.client().raw().await;
    ask(&mut raw, "/clusters/alpha/exec", "websocket", smuggled).await;
    eventually("the request is there", SOON, || upstream.heard().len() == 1).await;
    // Another request goes all the way through meanwhile: the bytes had their chance.
    let mut other = rig.client().raw().await;
    ask(&mut other, "/clusters/alpha/other", "websocket", "").await;
    eventually("the other request is there", SOON, || upstream.heard().len() == 2).await;
    assert!(upstream.heard().iter().all(|conversation| conversation.rest.is_empty()));

    // After the 101 they are the upgrade's bytes, and not a request.
    let switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let (rig, upstream) = with_raw_upstream(switching).await;
    let mut raw = rig.client().raw().await;
    ask(&mut raw, "/clusters/alpha/exec", "websocket", smuggled).await;
    assert!(raw.hear_head().await.starts_with("HTTP/1.1 101"));
    eventually("the bytes are there", SOON, || {
        upstream.heard().iter().any(|conversation| conversation.rest == smuggled.as_bytes())
    })
    .await;
    assert_eq!(upstream.heard().len(), 1, "one request each");
}

#[tokio::test]
async fn t03_a_declined_upgrade_leaves_nothing_open() {
    let rig = Rig::start().await;
    for status in [200, 302, 400, 403, 404, 500, 503] {
        let before = rig.upstream("alpha").count();
        let mut raw = rig.client().raw().await;
        let behind = "GET /clusters/alpha/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";
        ask(&mut raw, &format!("/clusters/alpha/decline/{status}"), "websocket", behind).await;
        let answer = raw.hear_to_end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.ends_with("not today"), "one answer and the end: {answer}");
        assert_eq!(rig.upstream("alpha").count(), before + 1);
    }
    assert!(rig.upstream("alpha").seen_with("smuggled").is_empty());
}

#[tokio::test]
async fn t03_a_long_answer_to_an_upgrade_is_cut_at_64_kib() {
    let rig = Rig::start().await;
    let mut raw = rig.client().raw().await;
    ask(&mut raw, "/clusters/alpha/stream/10000000", "websocket", "").await;
    let answer = raw.hear_to_end().await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body.len(), 64 * 1024);
}

#[tokio::test]
async fn t03_a_switch_to_another_protocol_than_was_asked_for_is_refused() {
    for got in ["SPDY/3.1", "h2c", ""] {
        let field = if got.is_empty() { String::new() } else { format!("upgrade: {got}\r\n") };
        let switching = format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n{field}\r\nevil");
        let (rig, _upstream) = with_raw_upstream(&switching).await;
        let mut raw = rig.client().raw().await;
        ask(&mut raw, "/clusters/alpha/exec", "websocket", "").await;
        let answer = raw.hear_head().await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{got:?}: {answer}");
        rig.cut().await;
    }
}

#[tokio::test]
async fn t37_a_bad_token_among_the_websocket_protocols_is_refused_in_spite_of_a_certificate() {
    let rig = Rig::start().await;
    let mut raw = rig.client().raw().await;
    raw.say_head(&[
        "GET /clusters/alpha/upgrade HTTP/1.1",
        "host: localhost",
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0",
    ])
    .await;
    let head = raw.hear_head().await;
    assert!(head.starts_with("HTTP/1.1 401") && !head.contains("c2VjcmV0"), "{head}");
    assert_eq!(rig.upstream("alpha").count(), 0);
}
