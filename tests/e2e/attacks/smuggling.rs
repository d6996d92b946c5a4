//! Where a message ends is told in one way only: what two parsers could read differently goes nowhere (request smuggling),
//! over HTTP/1.1 and from HTTP/2 to HTTP/1.1 (T5).

use futures_util::StreamExt as _;
use trunkline_tests::{Ledger, Logs, Rig};

/// Heads and what stands behind them. Behind each a smuggled request waits to be taken for one.
fn corpus() -> Vec<String> {
    let smuggled = "GET /clusters/framed/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let chunked = "0\r\n\r\n";
    let mut corpus = Vec::new();
    let lengths = [
        "0",
        "5",
        "+5",
        "-5",
        "5, 5",
        "5,6",
        "0x5",
        "5 5",
        " 5",
        "",
        "99999999999999999999",
        "5;",
        "00005",
        "5.0",
        "1e1",
        "\u{0665}",
        "5\t",
        "0,0",
    ];
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
        "CHUNKED\t",
        "chunked,",
        ",chunked",
        "identity, chunked",
        "chunked\u{b}",
        "chunked, gzip",
        "chunk\u{e9}d",
        "[chunked]",
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
        for second in ["0", "5", length] {
            corpus.push(format!("Content-Length: {length}\r\nContent-Length: {second}\r\n\r\n{smuggled}"));
        }
    }
    for coding in codings {
        for lines in [
            format!("Transfer-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n"),
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: {coding}\r\n"),
            format!("Transfer-Encoding : {coding}\r\n"),
            format!(" Transfer-Encoding: {coding}\r\n"),
            format!("Transfer-Encoding:\t{coding}\r\n"),
            format!("Transfer-Encoding:\r\n {coding}\r\n"),
            format!("X: y\r\n Transfer-Encoding: {coding}\r\nContent-Length: 5\r\n"),
            format!("X: y\nTransfer-Encoding: {coding}\r\n"),
            format!("X: y\rTransfer-Encoding: {coding}\r\n"),
            format!("Transfer_Encoding: {coding}\r\n"),
            format!("Content-Length: 5\r\nTransfer_Encoding: {coding}\r\n"),
            format!("Content-Length: 5\r\nConnection: content-length\r\nTransfer-Encoding: {coding}\r\n"),
            format!("Connection: transfer-encoding\r\nTransfer-Encoding: {coding}\r\n"),
            format!("Transfer-Encoding: {coding}\0\r\n"),
        ] {
            corpus.push(format!("{lines}\r\n{chunked}{smuggled}"));
        }
    }
    for chunk in [
        "5;x=y\r\nabcde\r\n0\r\n\r\n",
        "5\nabcde\n0\n\n",
        "5\rabcde\r0\r\r",
        "0x5\r\nabcde\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        " 5\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcdeX\r\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",
        "00000000000000005\r\nabcde\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "0\r\nContent-Length: 99\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "0\n\r\n",
        "5;\n\r\nabcde\r\n0\r\n\r\n",
    ] {
        for before in ["", "Content-Length: 5\r\n", "Expect: 100-continue\r\n"] {
            corpus.push(format!("{before}Transfer-Encoding: chunked\r\n\r\n{chunk}{smuggled}"));
        }
    }
    corpus
}

/// A head's fields, in their order.
type Fields = Vec<(String, String)>;

/// Heads over HTTP/2 that another hop could take for more than one request, or for a longer one.
fn http2_corpus() -> Vec<(Fields, &'static [u8])> {
    let mut corpus = Vec::new();
    let line = "\r\nHost: localhost\r\n\r\nGET /clusters/framed/smuggled HTTP/1.1\r\nX: y";
    let own = |method: &str, path: &str| {
        vec![
            (":method".to_owned(), method.to_owned()),
            (":scheme".to_owned(), "https".to_owned()),
            (":authority".to_owned(), "localhost".to_owned()),
            (":path".to_owned(), path.to_owned()),
        ]
    };
    let path = "/clusters/framed/collect";
    let with = |name: &str, value: &str| {
        let mut fields = own("POST", path);
        fields.push((name.to_owned(), value.to_owned()));
        fields
    };
    for body in [&b""[..], b"0\r\n\r\nGET /clusters/framed/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        for length in ["0", "1", "5", "1000", "-1", "+5", "5, 5", "0x5", "", " 64", "99999999999999999999"] {
            corpus.push((with("content-length", length), body));
            let mut twice = with("content-length", length);
            twice.push(("content-length".into(), "0".into()));
            corpus.push((twice, body));
            let mut both = with("content-length", length);
            both.push(("transfer-encoding".into(), "chunked".into()));
            corpus.push((both, body));
        }
        for name in [
            "connection",
            "transfer-encoding",
            "keep-alive",
            "proxy-connection",
            "upgrade",
            "te",
            "Host",
            "host",
        ] {
            for value in
                ["chunked", "close", "websocket", "trailers", "framed.clusters.test", "Transfer-Encoding"]
            {
                corpus.push((with(name, value), body));
            }
        }
        for place in ["user-agent", "x-any", "accept", "content-type"] {
            for poison in [line.to_owned(), line.replace('\r', ""), line.replace('\n', ""), "a\0b".into()] {
                corpus.push((with(place, &poison), body));
                corpus.push((with(&format!("{place}{poison}"), "x"), body));
                corpus.push((with(&format!("{place}: a{poison}"), "x"), body));
            }
        }
        for poison in
            [line, " HTTP/1.1\r\nHost: localhost\r\n\r\n", " HTTP/1.1", "\r\nTransfer-Encoding: chunked\r\n"]
        {
            corpus.push((own("POST", &format!("{path}{poison}")), body));
            corpus.push((own(&format!("GET {path}{poison}"), path), body));
            let mut scheme = own("POST", path);
            scheme[1].1 = format!("https://localhost{path}{poison}");
            corpus.push((scheme, body));
            let mut authority = own("POST", path);
            authority[2].1 = format!("localhost{poison}");
            corpus.push((authority, body));
        }
        for at in 0..4 {
            let mut twice = own("POST", path);
            twice.push(twice[at].clone());
            corpus.push((twice, body));
            let mut missing = own("POST", path);
            missing.remove(at);
            corpus.push((missing, body));
            let mut late = own("POST", path);
            late.insert(at, ("x".into(), "y".into()));
            corpus.push((late, body));
        }
        corpus.push((with(":status", "200"), body));
        corpus.push((with(":protocol", "websocket"), body));
        corpus.push((with("", "x"), body));
    }
    corpus
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_the_upstream_never_sees_a_request_that_the_gateway_did_not() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("framed").start().await;
    let names = ["framed".to_owned()];
    let (client, mut ledger) = (rig.client(), Ledger::open(&logs));
    let corpus = corpus();
    let asking = futures_util::stream::iter(corpus.iter().map(|case| {
        let client = &client;
        async move {
            let mut raw = client.raw().await;
            raw.say(format!("POST /clusters/framed/collect HTTP/1.1\r\nHost: localhost\r\n{case}")).await;
            raw.half_close().await;
            let heard = raw.hear_to_end().await;
            assert!(!heard.contains("HTTP/1.1 5"), "{case:?}: {heard}");
            heard.matches("HTTP/1.1 200").count()
        }
    }));
    let served: usize = asking.buffer_unordered(8).collect::<Vec<_>>().await.iter().sum();
    let over_http1 = ledger.balance(&rig, &names).await;
    // A client that half-closed may be gone before its answer.
    assert!(served <= over_http1.upstream, "{served}: {over_http1:?}");

    let http2 = http2_corpus();
    let mut raw = client.raw_http2().await;
    let mut answered = 0;
    for (fields, body) in &http2 {
        let fields: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let stream = raw.ask(&fields, Some(body)).await;
        raw.finish().await;
        answered += usize::from(raw.status(stream) == Some(200));
        if raw.is_gone() {
            raw = client.raw_http2().await;
        }
    }
    let balance = ledger.balance(&rig, &names).await;
    println!(
        "{} cases over HTTP/1.1 and {} over HTTP/2: {served} and {answered} answered 200; {balance:?}",
        corpus.len(),
        http2.len()
    );
    assert_eq!(balance.upstream - over_http1.upstream, answered, "one request each");
    for seen in rig.upstream("framed").seen() {
        let (length, coding) = (seen.all("content-length").len(), seen.all("transfer-encoding").len());
        assert!(length + coding <= 1, "{seen:?}");
    }
    assert!(
        rig.upstream("framed").seen()[over_http1.upstream..]
            .iter()
            .all(|seen| !seen.path.contains("smuggled"))
    );
    assert!(corpus.len() >= 1_000 && http2.len() >= 250);
}

#[tokio::test]
async fn t05_a_length_told_in_two_ways_ends_the_connection() {
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
