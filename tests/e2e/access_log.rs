//! Exactly one access-log line per request, whatever becomes of it.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use trunkline_runtime::empty;
use trunkline_tests::{Line, Logs, Rig, channel, eventually};

const SOON: Duration = Duration::from_secs(10);

/// The one line about requests whose path holds `part`.
async fn the_line(logs: &Logs, part: &str) -> Line {
    eventually(part, SOON, || !logs.access(part).is_empty()).await;
    let lines = logs.access(part);
    assert_eq!(lines.len(), 1, "{part}: {:?}", lines.iter().map(Line::text).collect::<Vec<_>>());
    lines[0].clone()
}

#[tokio::test]
async fn there_is_one_line_for_each_request_whatever_becomes_of_it() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let client = rig.client();

    for (at, mut connection) in [client.http1().await, client.http2().await].into_iter().enumerate() {
        let path = |what: &str| format!("/clusters/alpha/{what}/1/line-{at}");
        connection.get(&path("ordinary")).await.unwrap();
        let line = the_line(&logs, &path("ordinary")).await;
        assert_eq!((line.field("status"), line.field("reason"), line.field("user")), ("200", "", "jane"));
        assert_eq!(
            (line.field("cluster"), line.field("kind"), line.field("sent")),
            ("alpha", "ordinary", "2")
        );

        let request = Request::post(path("collect")).body(trunkline_tests::repeated(1000)).unwrap();
        connection.whole(request).await.unwrap();
        assert_eq!(the_line(&logs, &path("collect")).await.field("received"), "1000");

        // Refused.
        connection.get(&format!("/clusters/nowhere/line-{at}")).await.unwrap();
        let line = the_line(&logs, &format!("/clusters/nowhere/line-{at}")).await;
        assert_eq!((line.field("status"), line.field("reason")), ("404", "ClusterNotFound"));

        // A watch, ended by the client.
        let response =
            connection.send(Request::get(path("watch") + "?watch=1").body(empty()).unwrap()).await.unwrap();
        let mut body = response.into_body();
        body.frame().await.unwrap().unwrap();
        assert!(logs.access(&path("watch")).is_empty(), "the line is written at the end");
        drop((body, connection));
        let line = the_line(&logs, &path("watch")).await;
        assert_eq!((line.field("kind"), line.field("reason")), ("watch", "ClientGone"));
        assert_ne!(line.field("sent"), "0");
    }
    // Every line was counted; nothing is under way any more.
    eventually("no request is under way", SOON, || rig.gateway().requests() == 0).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_an_answer_is_one_line() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    for (at, http2) in [false, true].into_iter().enumerate() {
        let client = rig.client();
        let mut connection = if http2 { client.http2().await } else { client.http1().await };
        let path = format!("/clusters/alpha/stuck/left-{at}");
        let (sender, body) = channel();
        sender.send("some").await;
        let sending = connection.send(Request::post(&path).body(body).unwrap());
        tokio::select! {
            _ = sending => panic!("no answer is expected"),
            () = eventually("the request arrived", SOON, || rig.upstream("alpha").count() == at + 1) => {}
        }
        drop(connection);
        let line = the_line(&logs, &path).await;
        assert_eq!(line.field("reason"), "ClientGone");
    }
    eventually("no request is under way", SOON, || rig.gateway().requests() == 0).await;
}

#[tokio::test]
async fn an_upgrade_is_one_line_with_its_bytes_when_it_is_over() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let path = "/clusters/alpha/upgrade/one-line";
    let mut raw = rig.client().raw().await;
    raw.say_head(&[
        &format!("GET {path} HTTP/1.1"),
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
    ])
    .await;
    raw.hear_head().await;
    raw.say("12345").await;
    raw.hear_until(b"12345").await;
    assert!(logs.access(path).is_empty(), "the line is written at the end");
    raw.half_close().await;
    raw.hear_to_end().await;
    let line = the_line(&logs, path).await;
    assert_eq!((line.field("kind"), line.field("status"), line.field("reason")), ("upgrade", "101", ""));
    assert_eq!((line.field("received"), line.field("sent")), ("5", "5"));

    let path = "/clusters/alpha/decline/403/one-line";
    let mut raw = rig.client().raw().await;
    raw.say_head(&[
        &format!("GET {path} HTTP/1.1"),
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
    ])
    .await;
    raw.hear_to_end().await;
    let line = the_line(&logs, path).await;
    assert_eq!((line.field("status"), line.field("reason")), ("403", "UpgradeDeclined"));
}

#[tokio::test]
async fn t37_query_strings_and_credentials_are_not_logged() {
    let logs = Logs::capture();
    let rig = Rig::start().await;
    let request = Request::get("/clusters/alpha/api/secretive?token=hunter2-in-query")
        .header("authorization", "Bearer hunter2-in-header")
        .header("cookie", "hunter2-in-cookie")
        .body(empty())
        .unwrap();
    rig.client().send(request).await;
    the_line(&logs, "/api/secretive").await;
    assert!(!logs.says(&["hunter2"]));
    assert!(!logs.says(&["the-agents-own-token"]));
}
