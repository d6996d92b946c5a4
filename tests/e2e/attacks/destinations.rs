//! Where requests may not lead: to a host that a client or a cluster chose (T36, T35), and to a node's kubelet (T16).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use tokio::net::TcpListener;
use trunkline_runtime::empty;
use trunkline_tests::{Rig, RigBuilder};

use super::ask;

/// A port on which nobody is expected.
struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
}

impl Trap {
    async fn set(rig: &Rig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, caught) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
        let counting = caught.clone();
        rig.tasks.spawn_until_stopped(async move {
            while listener.accept().await.is_ok() {
                counting.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, caught }
    }

    /// This machine, as attackers spell it, and what stands for the rest of the network.
    fn hosts(&self) -> Vec<String> {
        [
            "127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "127.0.0.1.nip.io",
            "user@127.0.0.1",
            "alpha.clusters.test@127.0.0.1",
            "169.254.169.254",
            "metadata.google.internal",
        ]
        .iter()
        .map(|host| format!("{host}:{}", self.port))
        .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t36_no_request_chooses_the_host_that_is_dialled() {
    let rig = Rig::start().await;
    let trap = Trap::set(&rig).await;
    let client = rig.client();
    let (mut kept, mut asked) = (None, 0);
    for host in trap.hosts() {
        let proxied = "/clusters/alpha/api/v1/namespaces/d/services";
        let ways = [
            format!("GET http://{host}/clusters/alpha/api HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET https://{host}/clusters/alpha/api HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET http://{host}/api HTTP/1.1\r\nHost: {host}\r\nX-Cluster-Id: alpha\r\n\r\n"),
            format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET /clusters/alpha/api HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!(
                "GET /clusters/alpha/api HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: {host}\r\nForwarded: host={host}\r\n\r\n"
            ),
            format!(
                "GET /clusters/alpha/api HTTP/1.1\r\nHost: localhost\r\nX-Original-Url: http://{host}/\r\n\r\n"
            ),
            format!("GET {proxied}/http:{host}/proxy/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET {proxied}/x/proxy/http://{host}/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET /clusters/{host}/api HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET /clusters/alpha@{host}/api HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET //{host}/clusters/alpha/api HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            format!("GET /api HTTP/1.1\r\nHost: localhost\r\nX-Cluster-Id: {host}\r\n\r\n"),
            format!("OPTIONS http://{host} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!(
                "POST /clusters/alpha/api/v1/namespaces/d/pods/p/portforward?ports={0}&host={host} HTTP/1.1\r\nHost: localhost\r\n\
                 Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
                trap.port
            ),
        ];
        for way in ways {
            asked += 1;
            if let Some(answer) = ask(&mut kept, &client, way.as_bytes()).await {
                assert!(matches!(answer.status, 200 | 400..=499), "{way:?}: {}", answer.head);
            }
        }
    }
    // What was passed on went to the one API server that the agent is configured with.
    let seen = rig.upstream("alpha").seen();
    for request in &seen {
        let own = rig.upstream("alpha").address().to_string();
        let host: Vec<String> = request.all("host");
        assert!(host.iter().all(|host| *host == own), "{host:?}");
    }
    println!(
        "{asked} requests that name a host, {} passed on, {} connections caught",
        seen.len(),
        trap.caught.load(Ordering::Relaxed)
    );
    assert_eq!(trap.caught.load(Ordering::Relaxed), 0);
    assert!(asked >= 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t35_no_redirect_of_a_cluster_is_followed_or_leads_out_of_it() {
    let rig = Rig::start().await;
    let trap = Trap::set(&rig).await;
    let client = rig.client();
    let mut locations: Vec<String> = Vec::new();
    for host in trap.hosts() {
        for form in [
            "http://{}/",
            "https://{}",
            "//{}/",
            "///{}/",
            "/\\{}",
            "\\\\{}\\",
            "http:{}",
            "hTTps:/{}/",
            "/%09/{}",
            "/.//{}",
        ] {
            locations.push(form.replace("{}", &host));
        }
    }
    for form in [
        "javascript:alert(1)",
        "data:text/html,x",
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
        "/..%2fbeta",
        "/%252e%252e/beta",
        "?x=/..",
        "#/..",
        "/\tevil",
        " /api",
        "/api/../../clusters/beta",
        "/;/../beta",
    ] {
        locations.push(form.to_owned());
    }
    let mut connection = client.http2().await;
    let mut passed = 0;
    for to in &locations {
        let Ok(value) = http::HeaderValue::try_from(to.as_str()) else { continue };
        let request = Request::get("/clusters/alpha/redirect")
            .header("x-requested-with", value)
            .header("cookie", "session=the-clients-own");
        let reply = connection.whole(request.body(empty()).unwrap()).await.unwrap();
        if reply.status == 302 {
            // What is passed on is a path within the cluster, in every reading.
            let location = reply.field("location");
            assert!(location.starts_with("/clusters/alpha/"), "{to:?} became {location:?}");
            let rest = &location["/clusters/alpha".len()..];
            assert!(
                !rest.starts_with("//") && !rest.contains('\\') && !rest.contains(".."),
                "{to:?} became {location:?}"
            );
            passed += 1;
        } else {
            assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (502, "AnswerRefused"), "{to:?}");
        }
    }
    println!("{} redirects, {passed} within the cluster, none followed", locations.len());
    assert_eq!(trap.caught.load(Ordering::Relaxed), 0);
    assert_eq!(rig.upstream("alpha").count(), locations.len(), "one request each: nobody follows");
    assert!(locations.len() >= 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t16_a_nodes_proxy_is_served_in_no_spelling_unless_it_is_asked_for() {
    let nodes = [
        "/api/v1/nodes/n/proxy",
        "/api/v1/nodes/n/proxy/",
        "/api/v1/nodes/n/proxy/run/ns/pod/c?cmd=id",
        "/api/v1/nodes/n:10250/proxy/exec",
        "/api/v1/nodes/https:n:10250/proxy/pods",
        "/api/v1/%6eodes/n/proxy/pods",
        "/api/v1/nodes/n/%70roxy/pods",
        "/api/v1/nodes/n/prox%79",
        "/api/v1//nodes/n/proxy",
        "/api/v1/./nodes/n/proxy",
        "/api/v1/namespaces/../nodes/n/proxy",
        "/api/v1/pods/..%2fnodes/n/proxy",
        "/api//v1/nodes/n/proxy",
        "/%61pi/v1/nodes/n/proxy",
        "/api/v1/nodes;x/n/proxy",
        "/api/v1/nodes/n/proxy;x",
        "/api/v1\\nodes/n/proxy",
        "/api/v1/nodes/n%2fproxy/pods",
        "/api/v1/nodes/%6e/proxy/pods",
    ];
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let mut tried = 0;
    let rig = Rig::start().await;
    let (client, mut kept) = (rig.client(), None);
    for path in nodes {
        for method in ["GET", "POST", "HEAD", "OPTIONS", "DELETE", "get"] {
            for more in ["", upgrade] {
                if method == "HEAD" {
                    kept = None;
                }
                let asked =
                    format!("{method} /clusters/alpha{path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
                if method == "HEAD" {
                    let mut raw = client.raw().await;
                    raw.say(asked).await;
                    let head = raw.hear_head().await;
                    assert!(head.starts_with("HTTP/1.1 4"), "{path}: {head}");
                } else if let Some(answer) = ask(&mut kept, &client, asked.as_bytes()).await {
                    assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.head);
                }
                tried += 1;
            }
        }
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
    println!("{tried} requests for a node's proxy, none served");
    // Where it is asked for it is served.
    let rig = RigBuilder::default().allow_node_proxy().start().await;
    assert_eq!(rig.client().get("/clusters/alpha/api/v1/nodes/n/proxy/pods").await.status, 200);
}
