//! Bodies stream both ways, and what has no body leaves the stream usable.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use trunkline_runtime::{BodyError, empty, full};
use trunkline_tests::{Rig, Wire, channel, within};

const SOON: Duration = Duration::from_secs(5);

async fn piece(body: &mut Incoming) -> Bytes {
    within("a piece of the body", SOON, body.frame()).await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn the_first_piece_of_a_body_arrives_before_the_last_is_sent() {
    for wire in [Wire::Tls, Wire::TlsHttp1] {
        let rig = Rig::builder().wire(wire).start().await;
        for http2 in [false, true] {
            let client = rig.client();
            let mut connection = if http2 { client.http2().await } else { client.http1().await };
            let (sender, body) = channel();
            let request = Request::post("/clusters/alpha/echo").body(body).unwrap();
            sender.send("first").await;
            let response = within("the head", SOON, connection.send(request)).await.unwrap();
            let mut body = response.into_body();
            assert_eq!(piece(&mut body).await, "first");
            sender.send("second").await;
            assert_eq!(piece(&mut body).await, "second");
            drop(sender);
            let rest = within("the end", SOON, body.collect()).await.unwrap().to_bytes();
            assert!(rest.is_empty());
        }
    }
}

#[tokio::test]
async fn large_bodies_arrive_whole_in_both_directions() {
    let rig = Rig::start().await;
    let mut connection = rig.client().http2().await;
    let reply = connection.get("/clusters/alpha/bytes/20000001").await.unwrap();
    assert_eq!((reply.body.len(), reply.field("content-length")), (20_000_001, "20000001"));
    let reply = connection.get("/clusters/alpha/stream/20000001").await.unwrap();
    assert_eq!(reply.body.len(), 20_000_001);
    let request =
        Request::post("/clusters/alpha/collect").body(trunkline_tests::repeated(20_000_001)).unwrap();
    assert_eq!(connection.whole(request).await.unwrap().text(), "20000001");
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_usable() {
    for wire in [Wire::Tls, Wire::TlsHttp1] {
        let rig = Rig::builder().wire(wire).start().await;
        let client = rig.client();
        for mut connection in [client.http1().await, client.http2().await] {
            for round in 0..3 {
                let head = Request::builder().method(Method::HEAD).uri("/clusters/alpha/bytes/77");
                let reply = connection.whole(head.body(empty()).unwrap()).await.unwrap();
                assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0), "round {round}");
                for status in [204, 304] {
                    let reply = connection.get(&format!("/clusters/alpha/status/{status}")).await.unwrap();
                    assert_eq!((reply.status.as_u16(), reply.body.len()), (status, 0));
                }
                assert_eq!(connection.get("/clusters/alpha/bytes/9").await.unwrap().body.len(), 9);
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_told_to_go_on() {
    let rig = Rig::start().await;
    let mut raw = rig.client().raw().await;
    raw.say_head(&[
        "POST /clusters/alpha/collect HTTP/1.1",
        "host: localhost",
        "content-length: 5",
        "expect: 100-continue",
    ])
    .await;
    assert!(raw.hear_head().await.starts_with("HTTP/1.1 100"));
    raw.say("12345").await;
    assert!(raw.hear_head().await.starts_with("HTTP/1.1 200"));
    assert!(rig.upstream("alpha").seen()[0].all("expect").is_empty());
}

#[tokio::test]
async fn trailers_are_left_out_and_harm_nothing() {
    let rig = Rig::start().await;
    let client = rig.client();
    for mut connection in [client.http1().await, client.http2().await] {
        for _ in 0..3 {
            let mut trailers = HeaderMap::new();
            trailers.insert("impersonate-user", HeaderValue::from_static("root"));
            let frames = [Frame::data(Bytes::from_static(b"12345")), Frame::trailers(trailers)];
            let body = StreamBody::new(futures_util::stream::iter(frames).map(Ok::<_, BodyError>));
            let request = Request::post("/clusters/alpha/echo")
                .header(header::TRAILER, "impersonate-user")
                .body(body.boxed_unsync())
                .unwrap();
            let response = connection.send(request).await.unwrap();
            assert!(!response.headers().contains_key("trailer"));
            let collected = response.into_body().collect().await.unwrap();
            assert!(collected.trailers().is_none());
            assert_eq!(collected.to_bytes(), "12345");
        }
    }
    for seen in rig.upstream("alpha").seen() {
        assert_eq!(seen.all("impersonate-user"), ["jane"]);
        assert!(seen.all("trailer").is_empty());
    }
}

#[tokio::test]
async fn a_user_in_three_hundred_groups_is_served() {
    let rig = Rig::start().await;
    let names: Vec<String> = (0..300).map(|n| format!("group-{n:03}-of-a-large-company")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    let client = rig.client_as("jane", &groups);
    for mut connection in [client.http1().await, client.http2().await] {
        let reply = connection.get("/clusters/alpha/api").await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    for seen in rig.upstream("alpha").seen() {
        assert_eq!(seen.all("impersonate-group").len(), 300);
    }
}

#[tokio::test]
async fn a_client_may_send_more_requests_at_once_than_there_are_streams() {
    let rig = Rig::start().await;
    let connection = rig.client().http2().await;
    let requests = (0..600).map(|at| {
        let mut connection = connection.another();
        async move { connection.get(&format!("/clusters/alpha/api/{at}")).await.unwrap().status }
    });
    let statuses =
        within("600 answers", Duration::from_secs(30), futures_util::future::join_all(requests)).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(rig.upstream("alpha").count(), 600);
}

#[tokio::test]
async fn an_answer_before_the_requests_end_is_passed_on_at_once() {
    let rig = Rig::start().await;
    let mut connection = rig.client().http2().await;
    let (_sender, body) = channel();
    let request = Request::post("/clusters/alpha/status/413").body(body).unwrap();
    let response = within("the early answer", SOON, connection.send(request)).await.unwrap();
    assert_eq!(response.status(), 413);
    // What was on that stream is not mistaken for the next request.
    for _ in 0..10 {
        let request = Request::post("/clusters/alpha/collect").body(full("123")).unwrap();
        assert_eq!(connection.whole(request).await.unwrap().text(), "3");
    }
}
