//! Who is not let in holds nothing, and a browser's certificate serves no foreign page.

use std::time::Duration;

use http::{Request, StatusCode};
use trunkline_runtime::empty;
use trunkline_tests::{Rig, within};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_stranger_is_answered_once_and_holds_no_connection() {
    let rig = Rig::start().await;
    let stranger = rig.client_showing(None);
    let mut raw = stranger.raw().await;
    raw.say_head(&["GET /clusters/alpha/api HTTP/1.1", "host: localhost"]).await;
    let heard = within("the gateway hanging up", SOON, raw.hear_to_end()).await;
    assert!(heard.starts_with("HTTP/1.1 401"), "{heard}");
    let mut http2 = stranger.http2().await;
    assert_eq!(http2.get("/clusters/alpha/api").await.unwrap().status, StatusCode::UNAUTHORIZED);
    let again = async { while http2.get("/clusters/alpha/api").await.is_ok() {} };
    within("an HTTP/2 connection that takes no further request", SOON, again).await;
    assert_eq!(rig.upstream("alpha").seen_with("/api").len(), 0);
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_act_with_the_browsers_certificate() {
    let rig = Rig::start().await;
    let client = rig.client();
    let send = |method: &'static str, fields: &'static [(&'static str, &'static str)]| {
        let mut request = Request::builder().method(method).uri("/clusters/alpha/api");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(empty()).unwrap();
        let client = &client;
        async move { client.send(request).await }
    };
    for fields in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        let reply = send("POST", fields).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "AccessDenied"), "{fields:?}");
    }
    let upgrade: &[_] =
        &[("origin", "https://evil.example"), ("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(send("GET", upgrade).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rig.upstream("alpha").seen_with("/api").len(), 0, "nothing may reach the API server");
    assert_eq!(send("GET", &[("origin", "https://evil.example")]).await.status, StatusCode::OK);
    assert_eq!(send("POST", &[("sec-fetch-site", "same-origin")]).await.status, StatusCode::OK);
}
