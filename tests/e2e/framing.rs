//! Where a message ends is told in one way only: what two parsers could read differently goes nowhere
//! (request smuggling).

use std::collections::HashMap;
use std::time::Duration;

use trunkline_tests::{Logs, Rig, eventually};

/// Heads and what stands behind them. Behind each a smuggled request waits to be taken for one.
fn corpus() -> Vec<String> {
    let smuggled = "GET /clusters/framed/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let chunked = "0\r\n\r\n";
    let mut corpus = Vec::new();
    let lengths = ["0", "5", "+5", "-5", "5, 5", "5,6", "0x5", "5 5", " 5", "", "99999999999999999999"];
    let codings = [
        "chunked",
        "Chunked",
        "chunked, chunked",
        "gzip, chunked",
        "chunked, identity",
        "identity",
        "xchunked",
        " chunked",
        "chunked;q=1",
        "\"chunked\"",
        "",
    ];
    for length in lengths {
        for coding in codings {
            for lines in [
                format!("Content-Length: {length}\r\nTransfer-Encoding: {coding}\r\n"),
                format!("Transfer-Encoding: {coding}\r\nContent-Length: {length}\r\n"),
            ] {
                corpus.push(format!("{lines}\r\n{chunked}{smuggled}"));
            }
        }
        corpus.push(format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{smuggled}"));
    }
    for coding in codings {
        for lines in [
            format!("Transfer-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n"),
            format!("Transfer-Encoding : {coding}\r\n"),
            format!("Transfer-Encoding:\t{coding}\r\n"),
            format!("Transfer-Encoding:\r\n {coding}\r\n"),
            format!("X: y\r\n Transfer-Encoding: {coding}\r\nContent-Length: 5\r\n"),
            format!("X: y\nTransfer-Encoding: {coding}\r\n"),
            format!("Transfer_Encoding: {coding}\r\n"),
            format!("Content-Length: 5\r\nTransfer_Encoding: {coding}\r\n"),
            format!("Transfer-Encoding: {coding}\0\r\n"),
        ] {
            corpus.push(format!("{lines}\r\n{chunked}{smuggled}"));
        }
    }
    for chunk in [
        "5;x=y\r\nabcde\r\n0\r\n\r\n",
        "5\nabcde\n0\n\n",
        "0x5\r\nabcde\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "5\r\nabcdeX\r\n0\r\n\r\n",
        "00000000000000005\r\nabcde\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
    ] {
        corpus.push(format!("Transfer-Encoding: chunked\r\n\r\n{chunk}{smuggled}"));
    }
    corpus
}

#[tokio::test]
async fn the_upstream_never_sees_a_request_that_the_gateway_did_not() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("framed").start().await;
    let client = rig.client();
    let corpus = corpus();
    for case in &corpus {
        let before = rig.upstream("framed").count();
        let mut raw = client.raw().await;
        raw.say(format!("POST /clusters/framed/collect HTTP/1.1\r\nHost: localhost\r\n{case}")).await;
        raw.half_close().await;
        let heard = raw.hear_to_end().await;
        let seen = rig.upstream("framed").seen();
        let served = heard.matches("HTTP/1.1 200").count();
        assert!(served <= seen.len() - before, "{case:?}: {heard}");
        for seen in &seen[before..] {
            assert_eq!(seen.all("impersonate-user"), ["jane"], "{case:?}");
            let (length, coding) = (seen.all("content-length").len(), seen.all("transfer-encoding").len());
            assert!(length + coding <= 1, "{case:?}: {:?}", seen.headers);
        }
    }
    // Front count is back count: each request that arrived is one that the gateway let through, under its id.
    let bound = Duration::from_secs(10);
    eventually("no request is under way", bound, || rig.gateway().requests() == 0).await;
    let lines = logs.find(|line| line.target == "access" && line.field("cluster") == "framed");
    let mut by_id: HashMap<&str, &str> =
        lines.iter().map(|line| (line.field("request"), line.field("path"))).collect();
    for seen in rig.upstream("framed").seen() {
        let path = by_id.remove(seen.all("audit-id")[0].as_str());
        assert_eq!(path, Some(format!("/clusters/framed{}", seen.path).as_str()));
    }
    println!("{} cases", corpus.len());
    assert!(corpus.len() >= 200);
}

#[tokio::test]
async fn a_length_told_in_two_ways_ends_the_connection() {
    let rig = Rig::start().await;
    for (lines, status) in [
        // RFC 9112 §6.1: chunked counts, and the connection is not used again.
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 200),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 400),
        ("Transfer-Encoding: identity\r\n", 400),
    ] {
        let mut raw = rig.client().raw().await;
        let smuggled =
            "GET /clusters/alpha/smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        raw.say(format!(
            "POST /clusters/alpha/collect HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n0\r\n\r\n{smuggled}"
        ))
        .await;
        let heard = raw.hear_to_end().await;
        assert!(heard.starts_with(&format!("HTTP/1.1 {status}")), "{lines:?}: {heard}");
    }
    assert!(rig.upstream("alpha").seen_with("smuggled").is_empty());
}
