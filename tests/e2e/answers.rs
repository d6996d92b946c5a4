//! A cluster is an untrusted tenant: what it answers neither leads a client elsewhere nor speaks for our origin.

use http::{Request, StatusCode};
use trunkline_runtime::empty;
use trunkline_tests::{Client, RawUpstream, Reply, Rig, RigBuilder};

async fn redirected(client: &Client, to: &str) -> Reply {
    let request = Request::get("/clusters/alpha/redirect").header("x-requested-with", to);
    client.send(request.body(empty()).unwrap()).await
}

#[tokio::test]
async fn a_redirect_inside_the_cluster_gets_its_prefix_back() {
    let rig = Rig::start().await;
    let client = rig.client();
    let reply = redirected(&client, "/api/v1/namespaces/d/services/web/proxy/?a=b").await;
    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(reply.field("location"), "/clusters/alpha/api/v1/namespaces/d/services/web/proxy/?a=b");
    let by_host = Request::get("/redirect")
        .header("host", "alpha.clusters.test")
        .header("x-requested-with", "/next")
        .body(empty())
        .unwrap();
    assert_eq!(client.send(by_host).await.field("location"), "/next");
}

#[tokio::test]
async fn t35_a_redirect_out_of_the_cluster_is_refused() {
    let rig = Rig::start().await;
    let client = rig.client();
    for to in [
        "https://evil.example/",
        "http://localhost/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "ui/",
        "../beta/api",
        "",
        "/../beta/api",
        "/a/../../beta",
        "/..",
        "/a/..",
        "/%2e%2e/%2e%2e/ui/",
        "/.%2e/beta",
        "/..;/beta",
        "/\tevil",
    ] {
        let reply = redirected(&client, to).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (502, "AnswerRefused"),
            "{to:?} led to {:?}",
            reply.field("location")
        );
        assert!(!reply.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn t35_two_locations_are_none() {
    let mut rig = RigBuilder::default().without_agents().start().await;
    let two =
        "HTTP/1.1 302 Found\r\nlocation: /ok\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n";
    answer_raw(&mut rig, two, false).await;
    for host in ["localhost", "alpha.clusters.test"] {
        let path = if host == "localhost" { "/clusters/alpha/x" } else { "/x" };
        let request = Request::get(path).header("host", host).body(empty()).unwrap();
        let reply = rig.client().send(request).await;
        assert_eq!(reply.status, 502, "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn t19_a_cluster_cannot_speak_for_the_gateways_origin() {
    let rig = Rig::start().await;
    let dropped = [
        "set-cookie",
        "strict-transport-security",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "content-security-policy-report-only",
        "alt-svc",
        "clear-site-data",
        "service-worker-allowed",
        "refresh",
        "nel",
        "report-to",
        "x-trunkline-head",
        "location",
    ];
    let query: String = dropped.iter().map(|name| format!("{name}=/evil&")).collect();
    let client = rig.client();
    for mut connection in [client.http1().await, client.http2().await] {
        let path = format!(
            "/clusters/alpha/fields?{query}content-security-policy=x&x-kept=1&content-type=text/html"
        );
        let reply = connection.get(&path).await.unwrap();
        assert_eq!(reply.status, 200);
        for name in dropped {
            assert!(!reply.headers.contains_key(name), "{name} was passed on");
        }
        assert_eq!(reply.field("x-kept"), "1");
        assert_eq!(reply.field("x-content-type-options"), "nosniff");
        assert_eq!(reply.headers.get_all("content-security-policy").iter().count(), 1);
        assert_eq!(reply.field("content-security-policy"), "sandbox");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_the_protocol_harms_its_own_request_only() {
    for (answer, status) in [
        ("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nbytes", 502),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 502),
        ("nonsense\r\n\r\n", 502),
        ("", 502),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n123456", 502),
        ("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
            200,
        ),
    ] {
        let mut rig = RigBuilder::default().without_agents().start().await;
        answer_raw(&mut rig, answer, false).await;
        for _ in 0..3 {
            let reply = rig.client().get("/clusters/alpha/x").await;
            assert_eq!(reply.status.as_u16(), status, "{answer:?}: {}", reply.text());
            assert!(!reply.text().contains("evil"));
            if status == 502 {
                assert_eq!(reply.json()["kind"], "Status", "{answer:?}: {}", reply.text());
            }
        }
        rig.cut().await;
    }
}

/// Starts alpha's agent in front of an upstream that answers these bytes.
async fn answer_raw(rig: &mut Rig, answer: &str, stays: bool) -> RawUpstream {
    let upstream = RawUpstream::start(&rig.paper, &rig.tasks, answer, stays).await;
    let mut config = rig.agent_config("alpha");
    config.upstream = upstream.config(&rig.paper);
    rig.start_agent_with("alpha", config).await;
    upstream
}
