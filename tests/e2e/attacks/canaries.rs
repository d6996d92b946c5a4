//! Secrets where clients and clusters put them, looked for in everything that gateway and agent write at their loudest (T37).

use std::fs;
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderValue, Request, Response, header};
use serde_json::json;
use trunkline_runtime::{empty, full};
use trunkline_tests::{FakeUpstream, Process, Wire, count};

use super::SOON;
use super::scene::{AUDIENCE, PASSING, Scene};

/// What is looked for: a name of the place, and a text that is nowhere else.
fn canary(place: &str) -> String {
    format!("cnry-{place}-5f0c9e1b7a")
}

/// The places. Each stands for a secret of its own.
const PLACES: &[&str] = &[
    "bearer",
    "basic",
    "cookie",
    "proxyauth",
    "apikey",
    "forwarded",
    "referer",
    "wsprotocol",
    "wskey",
    "useragent",
    "query",
    "accesstoken",
    "fragment",
    "apppath",
    "body",
    "jsonbody",
    "upgradebytes",
    "answerbody",
    "answercookie",
    "answerfield",
    "answerlocation",
    "clustertoken",
    "clusterclaims",
];

/// An API server whose answers hold secrets too.
async fn telling(scene: &Scene) -> FakeUpstream {
    FakeUpstream::answering(&scene.paper, Wire::TlsHttp1, &scene.tasks, |request| async move {
        let mut response = Response::new(full(canary("answerbody")));
        if request.uri().path().contains("moved") {
            *response.status_mut() = http::StatusCode::FOUND;
            let to = format!("/elsewhere?token={}", canary("answerlocation"));
            response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(to).unwrap());
        }
        for (name, place) in [("set-cookie", "answercookie"), ("x-answer", "answerfield")] {
            response.headers_mut().insert(name, HeaderValue::try_from(canary(place)).unwrap());
        }
        drop(request);
        response
    })
    .await
}

/// A request with a secret in each place that a client has; in `Authorization` only if it is to be refused for that.
fn request(at: usize, signs_in: bool) -> Request<trunkline_runtime::Body> {
    let path = format!(
        "/clusters/alpha/api/v1/namespaces/d/services/web/proxy/reset/{}{}?token={}&access_token={}",
        canary("apppath"),
        if at.is_multiple_of(3) { "/moved" } else { "" },
        canary("query"),
        canary("accesstoken"),
    );
    let basic = STANDARD.encode(format!("user:{}", canary("basic")));
    let authorization =
        if at.is_multiple_of(2) { format!("Bearer {}", canary("bearer")) } else { format!("Basic {basic}") };
    let protocol =
        format!("base64url.bearer.authorization.k8s.io.{}", URL_SAFE_NO_PAD.encode(canary("wsprotocol")));
    let mut request = Request::post(path);
    if signs_in {
        request = request.header("authorization", authorization);
    }
    request
        .header("cookie", format!("session={}", canary("cookie")))
        .header("proxy-authorization", format!("Bearer {}", canary("proxyauth")))
        .header("x-api-key", canary("apikey"))
        .header("x-forwarded-access-token", canary("forwarded"))
        .header("referer", format!("https://x.example/?token={}", canary("referer")))
        .header("sec-websocket-protocol", protocol)
        .header("sec-websocket-key", canary("wskey"))
        .header("user-agent", canary("useragent"))
        .body(full(format!("password={}&{{\"token\":\"{}\"}}", canary("body"), canary("jsonbody"))))
        .unwrap()
}

/// A token for the cluster in pass-through mode: a secret in its claims, and one in place of its signature.
fn cluster_token(ends_in: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let claims = json!({"aud": AUDIENCE, "exp": now + ends_in, "sub": canary("clusterclaims")});
    let (head, claims) = (r#"{"alg":"ES256"}"#, claims.to_string());
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims), canary("clustertoken"))
}

/// A request that brings it along, beside the certificate that says who asks: in its field, or as a bearer token.
fn passing(at: usize) -> Request<trunkline_runtime::Body> {
    let request = Request::get(format!("/clusters/{PASSING}/api/v1/namespaces/d/pods/p"));
    let token = cluster_token(600);
    let request = match at % 2 {
        0 => request.header("x-trunkline-cluster-token", token),
        _ => request.header("authorization", format!("Bearer ~{token}")),
    };
    request.body(empty()).unwrap()
}

/// Counts the lines of files that grow, reading what is new in them.
struct Written {
    files: Vec<fs::File>,
    lines: usize,
}

impl Written {
    fn of(paths: [std::path::PathBuf; 3]) -> Self {
        Self { files: paths.iter().map(|path| fs::File::open(path).unwrap()).collect(), lines: 0 }
    }

    fn lines(&mut self) -> usize {
        for file in &mut self.files {
            let mut fresh = Vec::new();
            file.read_to_end(&mut fresh).unwrap();
            self.lines += fresh.split(|byte| *byte == b'\n').count() - 1;
        }
        self.lines
    }
}

/// Each canary as it may be written, and where it is found in `bytes`.
fn found(bytes: &[u8]) -> Vec<String> {
    let mut needles: Vec<(String, Vec<u8>)> = Vec::new();
    for place in PLACES {
        let text = canary(place);
        needles.push(((*place).to_owned(), text.clone().into_bytes()));
        needles.push((
            format!("{place}, hexadecimal"),
            text.bytes().map(|b| format!("{b:02x}")).collect::<String>().into_bytes(),
        ));
        let list: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
        needles.push((format!("{place}, a list of bytes"), list.join(", ").into_bytes()));
        // In base64 it may begin at any of three places; what is beside it changes the ends only.
        for shift in 0..3 {
            let encoded = STANDARD.encode([&vec![b'x'; shift][..], text.as_bytes()].concat());
            needles.push((format!("{place}, base64"), encoded.as_bytes()[4..encoded.len() - 4].to_vec()));
        }
    }
    // All begin within a few first bytes: one look at each place.
    let mut begins = std::collections::HashMap::<&[u8], Vec<&(String, Vec<u8>)>>::new();
    for needle in &needles {
        begins.entry(&needle.1[..4]).or_default().push(needle);
    }
    let mut hits = std::collections::BTreeMap::new();
    for at in 0..bytes.len().saturating_sub(3) {
        for (what, needle) in begins.get(&bytes[at..at + 4]).into_iter().flatten() {
            if bytes[at..].starts_with(needle) {
                let line = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let shown = String::from_utf8_lossy(&bytes[line..(at + 60).min(bytes.len())]).into_owned();
                hits.entry(what.clone()).or_insert(shown);
            }
        }
    }
    hits.into_iter().map(|(what, line)| format!("{what}: {line}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t37_no_secret_of_a_request_or_an_answer_is_logged_at_the_loudest() {
    let lines = count(10_000, 1_000_000);
    let scene = Scene::raise(&["alpha", PASSING], "trace", None).await;
    let upstream = telling(&scene).await;
    let config = scene.agent_file_before("alpha", scene.tunnel, &upstream);
    let log = scene.paper.path("agent.log");
    let mut agent = Process::start(&["agent", "--log", "trace", "--config", config.to_str().unwrap()], &log);
    agent.says(&["tunnel is up"]).await;
    let passes = FakeUpstream::start(&scene.paper, Wire::Tls, &scene.tasks).await;
    let config = scene.agent_file_before(PASSING, scene.tunnel, &passes);
    let passing_log = scene.paper.path("passing.log");
    let mut passing_agent =
        Process::start(&["agent", "--log", "trace", "--config", config.to_str().unwrap()], &passing_log);
    passing_agent.says(&["tunnel is up"]).await;
    let client = scene.client();
    let mut written = Written::of([scene.paper.path("gateway.log"), log.clone(), passing_log.clone()]);
    let (mut http1, mut http2) = (client.http1().await, client.http2().await);
    let mut asked = 0;
    while asked < 60 || (asked % 100 != 0 || written.lines() < lines.times) {
        if asked % 20 == 19 {
            // A bad token is a stranger's, whatever certificate is beside it; his connection takes no further request.
            let mut connection = if asked % 40 == 19 { client.http1().await } else { client.http2().await };
            assert_eq!(connection.whole(request(asked / 20, true)).await.unwrap().status, 401);
        }
        let connection = if asked % 2 == 0 { &mut http1 } else { &mut http2 };
        if asked % 5 == 0 {
            let reply = connection.whole(passing(asked / 5)).await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        let reply = connection.whole(request(asked, false)).await.unwrap();
        assert!(matches!(reply.status.as_u16(), 200 | 302), "{}", reply.text());
        assert!(String::from_utf8_lossy(&reply.body).contains(&canary("answerbody")), "it does travel");
        asked += 1;
    }
    // What is refused, and what is no request at all, holds the same.
    for (target, more) in [
        (format!("/clusters/nowhere/api?token={}", canary("query")), String::new()),
        (format!("/nothing?token={}", canary("query")), String::new()),
        (format!("https://user:{}@localhost/clusters/alpha/api", canary("basic")), String::new()),
        (format!("/clusters/alpha/api#{}", canary("fragment")), String::new()),
        (
            "/clusters/alpha/upgrade".into(),
            format!("Connection: Upgrade\r\nUpgrade: websocket\r\nX-Api-Key: {}\r\n", canary("apikey")),
        ),
        ("/clusters/alpha/api".into(), format!("Impersonate-User: {}\r\n", canary("apikey"))),
        (
            "/clusters/alpha/api".into(),
            format!("Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n", canary("bearer")),
        ),
        (
            "/clusters/alpha/api".into(),
            format!("Cookie: {}\r\nTransfer-Encoding: gzip\r\n", canary("cookie")),
        ),
        ("/clusters/alpha/api".into(), format!("Cookie: {}\0\r\n", canary("cookie"))),
        (
            format!("/clusters/alpha/api/v1/namespaces/d/pods/p/proxy/{}/../x", canary("apppath")),
            String::new(),
        ),
        ("/clusters/alpha/api".into(), format!("X-Trunkline-Cluster-Token: {}\r\n", cluster_token(600))),
        (format!("/clusters/{PASSING}/api"), format!("Authorization: Bearer ~{}\r\n", cluster_token(-9))),
        (
            format!("/clusters/{PASSING}/api"),
            format!("X_Trunkline_Cluster_Token: {}\r\n", cluster_token(600)),
        ),
        (
            format!("/clusters/{PASSING}/api"),
            format!("Authorization: Bearer ~{0}\r\nX-Trunkline-Cluster-Token: {0}\r\n", cluster_token(600)),
        ),
        ("/trunkline/v1/clusters".into(), format!("Authorization: Bearer ~{}\r\n", cluster_token(600))),
    ] {
        let mut raw = client.raw().await;
        raw.say(format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n{}",
            canary("upgradebytes")
        ))
        .await;
        raw.half_close().await;
        raw.hear_to_end().await;
    }
    let stranger = scene.stranger();
    let mut connection = stranger.http1().await;
    assert_eq!(connection.whole(request(1, true)).await.unwrap().status, 401);
    let bad = Request::get("/trunkline/v1/clusters")
        .header("authorization", canary("bearer"))
        .body(empty())
        .unwrap();
    assert_eq!(stranger.send(bad).await.status, 401);

    let through = passes.seen();
    let went = |seen: &&trunkline_tests::Seen| seen.all("authorization")[0].contains(&canary("clustertoken"));
    assert_eq!(
        through.iter().filter(went).count(),
        asked.div_ceil(5),
        "it does go through, and nothing else does"
    );
    assert_eq!(through.len(), asked.div_ceil(5));
    let processes = [scene.gateway.shown(), agent.shown(), passing_agent.shown()].concat();
    tokio::time::timeout(SOON, agent.stop()).await.expect("the agent stops");
    tokio::time::timeout(SOON, passing_agent.stop()).await.expect("the other agent stops");
    let mut places = vec![("argv and environment", processes)];
    for name in ["gateway.log", "agent.log", "passing.log"] {
        let log = fs::read(scene.paper.path(name)).unwrap();
        assert!(log.windows(5).any(|window| window == b"TRACE"), "{name} is at its loudest");
        places.push((name, log));
    }
    let hits: Vec<String> = places
        .iter()
        .flat_map(|(place, bytes)| found(bytes).into_iter().map(move |hit| format!("{place}: {hit}")))
        .collect();
    println!(
        "{} secrets in {asked} requests, {} lines ({lines}): {} hits",
        PLACES.len(),
        written.lines(),
        hits.len()
    );
    assert!(hits.is_empty(), "{hits:#?}");
    // The same eyes see it where it is.
    assert!(!found(canary("query").as_bytes()).is_empty());
    assert!(!found(STANDARD.encode(format!("user:{}", canary("basic"))).as_bytes()).is_empty());
}
