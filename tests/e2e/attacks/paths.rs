//! Paths, hosts, names in TLS and fields that try to name one cluster to us and another to somebody else, all the way
//! through (T6). The router alone is tried with all of them in `trunkline-gateway`.

use std::collections::BTreeMap;

use trunkline_tests::paths::{PathCase, cases};
use trunkline_tests::{Balance, Client, Ledger, Logs, RawHttp2, Rig, count};

use super::ask;

/// Requests under way at once on an HTTP/2 connection.
const AT_ONCE: usize = 50;

async fn over_http1(client: &Client, cases: &[PathCase]) -> usize {
    let (mut kept, mut served) = (None, 0);
    for case in cases {
        let host = case.host.as_deref().unwrap_or("localhost");
        // A field that travels says what the request names.
        let named = case.named().join(" ");
        let mut head = format!("GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {named}\r\n", case.target);
        if let Some(value) = &case.header {
            head.push_str(&format!("X-Cluster-Id: {value}\r\n"));
        }
        head.push_str("\r\n");
        if let Some(answer) = ask(&mut kept, client, head.as_bytes()).await {
            assert!(matches!(answer.status, 200 | 400..=499), "{case:?}: {}", answer.head);
            served += usize::from(answer.status == 200);
        }
    }
    served
}

async fn over_http2(client: &Client, cases: &[PathCase]) -> usize {
    let (mut kept, mut served): (Option<RawHttp2>, usize) = (None, 0);
    for batch in cases.chunks(AT_ONCE) {
        let mut raw = match kept.take() {
            Some(raw) => raw,
            None => client.raw_http2().await,
        };
        let mut streams = Vec::new();
        for case in batch {
            let host = case.host.as_deref().unwrap_or("localhost");
            let named = case.named().join(" ");
            let mut fields: Vec<(&[u8], &[u8])> = vec![
                (b":method", b"GET"),
                (b":scheme", b"https"),
                (b":authority", host.as_bytes()),
                (b":path", case.target.as_bytes()),
                (b"user-agent", named.as_bytes()),
            ];
            if let Some(value) = &case.header {
                fields.push((b"x-cluster-id", value.as_bytes()));
            }
            streams.push(raw.ask(&fields, None).await);
        }
        raw.finish().await;
        for (case, stream) in batch.iter().zip(streams) {
            let status = raw.status(stream);
            assert!(status.is_none_or(|status| matches!(status, 200 | 400..=499)), "{case:?}: {status:?}");
            served += usize::from(status == Some(200));
        }
        kept = (!raw.is_gone()).then_some(raw);
    }
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t06_no_path_reaches_a_cluster_that_was_not_named() {
    let (clusters, each) = (count(5, 50), count(1_000, 5_000));
    let logs = Logs::capture();
    let names: Vec<String> = (0..clusters.times).map(|n| format!("path-{n}")).collect();
    let builder = names.iter().fold(Rig::builder(), |builder, name| builder.cluster(name));
    let rig = builder.start().await;
    let client = rig.client();
    let mut ledger = Ledger::open(&logs);
    let (mut served, mut balance) = (0, Balance::default());
    for (at, name) in names.iter().enumerate() {
        let other = &names[(at + 1) % names.len()];
        let mut by_sni: BTreeMap<Option<String>, Vec<PathCase>> = BTreeMap::new();
        for case in cases(name, other, each.times) {
            by_sni.entry(case.sni.clone()).or_default().push(case);
        }
        for (sni, cases) in by_sni {
            let client = match sni {
                Some(cluster) => client.clone().named(&format!("{cluster}.clusters.test")),
                None => client.clone(),
            };
            let (one, two) = tokio::join!(over_http1(&client, &cases), over_http2(&client, &cases));
            served += one + two;
        }
        balance = ledger.balance(&rig, &names).await;
    }
    println!("{each} paths for {clusters} clusters, over HTTP/1.1 and HTTP/2: {served} served; {balance:?}");
    // A connection that was told to go may not hear its last answers.
    assert!(served <= balance.upstream && served * 100 >= balance.upstream * 99, "{served}: {balance:?}");
    for name in &names {
        for seen in rig.upstream(name).seen() {
            let named = seen.all("user-agent").concat();
            assert!(
                named.split(' ').all(|named| named == name),
                "{name} was asked, {named:?} was named: {seen:?}"
            );
        }
    }
}
