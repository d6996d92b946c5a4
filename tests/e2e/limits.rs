//! What nobody may use up: time, places, memory.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trunkline_runtime::empty;
use trunkline_tests::{Client, Rig, Wire, eventually, rss_bytes, within};

const SOON: Duration = Duration::from_secs(30);
/// How much a process with one stopped reader and two hundred others may grow, in bytes.
const GROWTH: u64 = 200 * 1024 * 1024;

/// How long the other end takes to hang up.
async fn until_hung_up(mut stream: impl tokio::io::AsyncRead + Unpin) -> Duration {
    let began = Instant::now();
    let mut heard = Vec::new();
    let _ = within("hanging up", SOON, stream.read_to_end(&mut heard)).await;
    assert!(!String::from_utf8_lossy(&heard).contains("200 OK"));
    began.elapsed()
}

async fn slow_head(client: &Client, said: &str) -> Duration {
    let mut stream = client.connect(b"http/1.1").await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    until_hung_up(stream).await
}

#[tokio::test]
async fn t28_who_says_nothing_or_only_half_is_hung_up_on() {
    let rig = Rig::builder().without_agents().start().await;
    let client = rig.client();
    let silent = |door| async move { until_hung_up(TcpStream::connect(door).await.unwrap()).await };
    let half_tls = async {
        let mut stream = TcpStream::connect(rig.front()).await.unwrap();
        // The beginning of a TLS record that promises more.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        until_hung_up(stream).await
    };
    let http2_without_request = async {
        let mut stream = client.connect(b"h2").await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        until_hung_up(stream).await
    };
    let (front, tunnel, half_tls, nothing, half_head, http2) = tokio::join!(
        silent(rig.front()),
        silent(rig.tunnel_door(0)),
        half_tls,
        slow_head(&client, ""),
        slow_head(&client, "GET /clusters/alpha/api HTTP/1.1\r\nhost: localhost\r\nx-slow: "),
        http2_without_request,
    );
    let about = |seconds: u64| {
        Duration::from_millis(seconds * 1000 - 500)..Duration::from_millis(seconds * 1000 + 3000)
    };
    assert!(about(5).contains(&front), "silent at the front door: {front:?}");
    assert!(about(5).contains(&tunnel), "silent at the tunnel door: {tunnel:?}");
    assert!(about(5).contains(&half_tls), "half a TLS handshake: {half_tls:?}");
    assert!(about(10).contains(&nothing), "no request: {nothing:?}");
    assert!(about(10).contains(&half_head), "half a head: {half_head:?}");
    assert!(about(10).contains(&http2), "no HTTP/2 request: {http2:?}");
}

#[tokio::test]
async fn over_the_limit_a_request_is_a_503_that_says_so() {
    let rig = Rig::builder().max_requests(1).start().await;
    let client = rig.client();
    let mut first = client.http1().await;
    let request = Request::get("/clusters/alpha/held").body(empty()).unwrap();
    let mut held = first.send(request).await.unwrap().into_body();
    held.frame().await.unwrap().unwrap();
    let reply = client.get("/clusters/alpha/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (503, "Overloaded"));
    assert_eq!(reply.field("retry-after"), "1");
    rig.upstream("alpha").release();
    held.collect().await.unwrap();
    assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
}

#[tokio::test]
async fn over_the_limit_a_connection_is_answered_503_and_there_is_room_when_another_leaves() {
    let rig = Rig::builder().max_connections(2).start().await;
    let client = rig.client();
    let mut held = [client.http1().await, client.http2().await];
    for connection in &mut held {
        assert_eq!(connection.get("/clusters/alpha/api").await.unwrap().status, 200);
    }
    for (path, reason) in [("/clusters/alpha/api", "Overloaded"), ("/trunkline/v1/clusters", "Unavailable")] {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (503, reason), "{}", reply.text());
    }
    // Who is let in stays so, and what strangers hold is not counted.
    let _strangers = [client.connect(b"http/1.1").await.unwrap(), client.connect(b"h2").await.unwrap()];
    assert_eq!(held[0].get("/clusters/alpha/api").await.unwrap().status, 200);
    drop(held);
    let served = async { while client.get("/clusters/alpha/api").await.status != 200 {} };
    within("room", SOON, served).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t29_a_reader_who_stops_on_a_gigabyte_holds_nobody_up_and_little_memory() {
    for wire in [Wire::Tls, Wire::TlsHttp1] {
        let rig = Rig::builder().wire(wire).start().await;
        let client = rig.client();
        assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
        let before = rss_bytes();
        let mut stopped = Vec::new();
        for mut connection in [client.http1().await, client.http2().await] {
            for _ in 0..if matches!(connection, trunkline_tests::Connection::Http2(_)) { 4 } else { 1 } {
                let request = Request::get("/clusters/alpha/stream/1000000000").body(empty()).unwrap();
                let mut body = connection.send(request).await.unwrap().into_body();
                body.frame().await.unwrap().unwrap();
                stopped.push(body);
            }
            // Kept alive with its unread answers.
            std::mem::forget(connection);
        }
        let shared = client.http2().await;
        for round in 0..4 {
            let others =
                (0..50).map(|at| {
                    let mut connection = shared.another();
                    async move {
                        connection.get(&format!("/clusters/alpha/bytes/100000/{round}/{at}")).await.unwrap()
                    }
                });
            for reply in within("the others", SOON, join_all(others)).await {
                assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 100_000));
            }
        }
        let grown = rss_bytes().saturating_sub(before);
        println!("{wire:?}: grown by {} KiB", grown / 1024);
        assert!(grown < GROWTH, "{wire:?}: the process grew by {grown} bytes");
        drop(stopped);
        rig.cut().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_links_streams_a_request_is_a_503_and_what_is_there_goes_on() {
    // As many as an agent allows on one link.
    let most = trunkline_proto::Limits::DEFAULT.streams as usize;
    let rig = Rig::start().await;
    let client = rig.client();
    let mut watches = Vec::new();
    // As many users as it takes: each gets some of the streams that are left.
    for user in 0.. {
        let greedy = rig.client_as(&format!("user {user}"), &[]);
        let before = watches.len();
        while watches.len() < most {
            let shared = greedy.http2().await;
            let opening = (0..(most - watches.len()).min(200)).map(|_| {
                let mut connection = shared.another();
                async move {
                    let request = Request::get("/clusters/alpha/watch?watch=1").body(empty()).unwrap();
                    let answer = connection.send(request).await.unwrap();
                    if answer.status() != 200 {
                        assert_eq!(answer.status(), 429);
                        return None;
                    }
                    let mut body = answer.into_body();
                    body.frame().await.unwrap().unwrap();
                    Some(body)
                }
            });
            let opened = within("watches", SOON, join_all(opening)).await;
            let refused = opened.iter().any(Option::is_none);
            watches.extend(opened.into_iter().flatten());
            if refused {
                break;
            }
        }
        let got = watches.len() - before;
        assert!(got < most, "user {user} got all {got} streams");
        if watches.len() == most {
            break;
        }
        assert!(got > 0, "user {user} got no stream although some were left");
    }
    let reply = within("the no", SOON, client.get("/clusters/alpha/api")).await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (503, "ClusterBusy"), "{}", reply.text());
    assert_eq!(reply.field("retry-after"), "1");
    rig.upstream("alpha").release();
    for body in &mut watches {
        within("the next event", SOON, body.frame()).await.unwrap().unwrap();
    }
    // Who waits for a stream gets the first that ends.
    let waiting = client.get("/clusters/alpha/api");
    let ending = async {
        eventually("the request waits", SOON, || rig.gateway().requests() > most as i64).await;
        watches.truncate(most - 1);
    };
    let (reply, ()) = within("a place", SOON, async { tokio::join!(waiting, ending) }).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
