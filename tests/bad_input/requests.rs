//! Wrong requests: each is answered with a `Status` in the 400s, and none reaches a cluster.

use trunkline_tests::{Raw, Rig};

mod tables;

use tables::{NO_REQUEST, heads, ids, paths, upgrades};

pub(crate) fn count() -> usize {
    ids().len() + paths().len() + heads().len() + upgrades().len() + NO_REQUEST.len()
}

async fn answer(raw: &mut Raw, lines: &[String]) -> (u16, String) {
    raw.say_head(&lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let head = raw.hear_head().await;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let body = raw.hear(length.parse().unwrap()).await;
    assert!(head.contains("content-type: application/json"), "{head}");
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn a_wrong_request_is_answered_with_a_status_and_reaches_no_cluster() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").start().await;
    let client = rig.client();
    for (name, lines, status, reason, words) in [ids(), paths(), heads(), upgrades()].concat() {
        let (got, body) = answer(&mut client.raw().await, &lines).await;
        let object: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((got, &object["reason"]), (status, &reason.into()), "{name}: {body}");
        assert_eq!(object["kind"], "Status", "{name}");
        assert_eq!(object["apiVersion"], "v1", "{name}");
        assert_eq!(object["status"], "Failure", "{name}");
        assert_eq!(object["code"], status, "{name}");
        assert_eq!(object["details"]["causes"][0]["reason"], "RequestId", "{name}: {body}");
        let message = object["message"].as_str().unwrap();
        assert!(message.starts_with("trunkline gateway: "), "{name}: {message}");
        for word in words {
            assert!(message.contains(word), "{name}: {word:?} is not in {message}");
        }
        assert!(body.len() < 2048, "{name}: {} bytes", body.len());
    }
    assert_eq!(rig.upstream("alpha").count() + rig.upstream("beta").count(), 0);
}

#[tokio::test]
async fn what_is_no_request_is_hung_up_on_and_reaches_no_cluster() {
    let rig = Rig::start().await;
    let client = rig.client();
    let many: String = (0..250).map(|n| format!("X-{n}: 1\r\n")).collect();
    let many = format!("GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    for (name, text) in NO_REQUEST {
        let mut raw = client.raw().await;
        raw.say(if text.is_empty() { &many } else { *text }).await;
        raw.half_close().await;
        let heard = raw.hear_to_end().await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{name}: {heard}");
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
    assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
}
