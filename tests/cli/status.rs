//! `trunkline status`: what this cluster is; the way to one, hop by hop; an agent's own word.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use trunkline_api::{ClusterState, ProblemReason};
use trunkline_runtime::Tasks;

use crate::desk::Desk;
use crate::gateway::problem;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_it_says_what_this_cluster_is_and_who_you_are() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let outcome = desk.run(&["status"]).await.well();
    for words in ["management", "alice", "trunkline:admins", "1, 1 of them connected", "gw.test:9443"] {
        assert!(outcome.stdout.contains(words), "{words:?} is not in {}", outcome.stdout);
    }
    let json: Value = serde_json::from_str(&desk.run(&["status", "-o", "json"]).await.well().stdout).unwrap();
    assert_eq!(json["kind"], "GatewayStatus");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_name_it_walks_the_way_and_shows_where_it_ends() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.gateway.order(
        "/clusters/alpha/status",
        200,
        json!({"cluster": "alpha", "hops": [
            {"name": "gateway", "ok": true, "detail": "version 0.1.0", "ms": 0.2},
            {"name": "tunnel", "ok": true, "detail": "2 links", "ms": 38.4},
            {"name": "agent", "ok": true, "detail": "version 0.1.0", "ms": 39.0},
            {"name": "api-server", "ok": true, "detail": "v1.34.2", "ms": 41.0},
        ]}),
    );
    let outcome = desk.run(&["status", "alpha"]).await.well();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", outcome.stdout);
    assert!(lines[0].starts_with("ok   you"), "{}", lines[0]);
    assert!(lines[2].starts_with("ok   tunnel       38 ms"), "{}", lines[2]);
    assert!(lines[4].contains("api-server") && lines[4].ends_with("v1.34.2"));
    desk.gateway.order(
        "/clusters/alpha/status",
        200,
        json!({
            "cluster": "alpha",
            "hops": [{"name": "gateway", "ok": true, "detail": "version 0.1.0", "ms": 0.2}],
            "logs": [{
                "cluster": "alpha", "dataset": "logs", "rate": 12.5, "lagMs": 1500, "waiting": 7, "spoolBytes": 10,
                "spoolCap": 100, "records": 1, "bytes": 1, "deadLetters": 3, "lost": 0, "why": "the disk is full\u{1b}[2J",
            }],
        }),
    );
    let outcome = desk.run(&["status", "alpha"]).await.well();
    let line = outcome.stdout.lines().last().unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..5], ["alpha", "logs", "12.5", "1500", "ms"], "{line}");
    assert!(line.contains("10 %") && line.contains("the disk is full"), "{line}");
    assert!(!line.contains('\u{1b}'), "{line}");
    desk.gateway.order(
        "/clusters/alpha/status",
        200,
        json!({"cluster": "alpha", "hops": [
            {"name": "gateway", "ok": true, "detail": "version 0.1.0", "ms": 0.2},
            {"name": "tunnel", "ok": false, "detail": "no link since 3m\u{1b}[2J", "ms": null,
             "hint": "kubectl -n trunkline logs statefulset/trunkline-agent"},
        ]}),
    );
    let outcome = desk.run(&["status", "alpha"]).await;
    assert!(outcome.stdout.contains("!!   tunnel"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'));
    outcome.ended(6, &["the way ends at tunnel: no link since 3m", "next:  kubectl -n trunkline logs"]);
    let json = desk.run(&["status", "alpha", "-o", "json"]).await.ended(6, &[]);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap()["hops"][1]["ok"], false);
    desk.run(&["status", "absent"]).await.ended(5, &["there is no cluster absent"]);
    desk.run(&["status", "No Name"]).await.ended(2, &["is not a cluster id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_asked_at_its_admin_port() {
    let desk = Desk::new().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    tasks.spawn_until_stopped(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let known = String::from_utf8_lossy(&head[..read]).starts_with("GET /status ");
            let body = json!({
                "clusterType": "managed", "cluster": "alpha", "uid": null, "slot": 1, "links": 0, "renews": true,
                "gateways": ["gw.test:9443"], "certificateNotAfter": "2999-01-01T00:00:00.123456789Z",
                "lastError": "refused\u{1b}[2J", "software": "0.1.0",
            })
            .to_string();
            let status = if known { "200 OK" } else { "404 Not Found" };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    // Whoever is on the agent's machine is asked for no papers.
    let outcome = desk.run(&["status", "--agent", &address.to_string()]).await.well();
    assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
    for words in [
        "alpha (managed), slot 1",
        "down: refused[2J",
        "gw.test:9443",
        "ends 2999-01-01T00:00:00Z (",
        "renewed by itself",
    ] {
        assert!(outcome.stdout.contains(words), "{words:?} is not in {}", outcome.stdout);
    }
    let yaml = desk.run(&["status", "--agent", &address.to_string(), "-o", "yaml"]).await.well();
    assert!(yaml.stdout.contains("clusterType: managed"), "{}", yaml.stdout);
    let outcome = desk.run(&["status", "--agent", &format!("http://{address}"), "-o", "json"]).await.well();
    assert_eq!(serde_json::from_str::<Value>(&outcome.stdout).unwrap()["cluster"], "alpha");
    desk.run(&["status", "--agent", "https://x"]).await.ended(2, &["is not http://HOST:PORT"]);
    desk.run(&["status", "--agent", "http://127.0.0.1:1"])
        .await
        .ended(1, &["cannot reach the agent", "refused"]);
    desk.run(&["status", "alpha", "--agent", "x"]).await.ended(2, &["cannot be used with"]);
    tasks.drain(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_look_is_told_how_they_come_to_a_right() {
    let desk = Desk::signed_in().await;
    desk.gateway.order("/clusters", 403, problem(ProblemReason::Forbidden, "alice is in none of the groups"));
    desk.run(&["clusters"])
        .await
        .ended(4, &["alice is in none", "next:  ask an administrator to let you into one of these"]);
}
